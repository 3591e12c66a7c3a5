"""The cache of references: for each content a folder with a plain FASTA file and its indexes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import is_text
from genomics_pipeline.reference.cache_content import REFERENCES
from genomics_pipeline.stores.protocol import ObjectInfo

NAME = "genomics-pipeline"  # of the folder of all caches
VARIABLE = "GENOMICS_PIPELINE_CACHE"
COPYING, INDEXING = ".copy-", ".index-"  # prefixes of folders for incomplete files


def cache_folder(environment: Mapping[str, str], home: Path | None, temporary: Callable[[], str]) -> Path:
    """Return the folder of a user's caches: that of `VARIABLE`, or in XDG_CACHE_HOME, or below the home.

    XDG_CACHE_HOME is of the XDG Base Directory Specification. A user without a home, or with one that cannot be written
    to, has it in the folder for temporary files.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.
        temporary: Returns the folder for temporary files: ``tempfile.gettempdir``.

    >>> cache_folder({}, None, lambda: "/tmp").name.rpartition("-")[0]
    'genomics-pipeline'
    >>> cache_folder({"XDG_CACHE_HOME": "/tmp/c"}, None, lambda: "/tmp")
    PosixPath('/tmp/c/genomics-pipeline')
    """
    if own := environment.get(VARIABLE):
        return Path(own)
    if named := environment.get("XDG_CACHE_HOME"):
        return Path(named) / NAME
    if home is not None and _can_be_made(home / ".cache" / NAME, home):
        return home / ".cache" / NAME
    return Path(temporary()) / f"{NAME}-{os.getuid()}"


def home_if_any(find: Callable[[], Path]) -> Path | None:
    """Return the user's home folder; None for a user id without a name, as containers may have, and without HOME.

    Args:
        find: ``Path.home``.
    """
    try:
        return find()
    except RuntimeError:
        return None


def _can_be_made(folder: Path, home: Path) -> bool:
    """Return whether a folder of a home can be written to, or be made."""
    if not home.is_dir():
        return False
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return os.access(nearest, os.W_OK | os.X_OK)


def make_cache(cache: Path) -> None:
    """Make the folder of a user's caches, for this user alone.

    Call this before anything in the cache is used.

    Raises:
        DataError: if it cannot be made; or if it is below the folder for temporary files, where anybody may make it,
            and another user's.
    """
    advice = "set XDG_CACHE_HOME to a folder of yours that can be written to"
    if not is_text(str(cache)):
        raise DataError(f"{cache}: expected a path in UTF-8, found other bytes; {advice}")
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = cache.lstat()
    except OSError as error:
        raise DataError(f"{cache}: the cache cannot be made: {error.strerror}; {advice}") from None
    is_own = S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if cache.name != NAME and not is_own:
        raise DataError(f"{cache}: expected your own folder for the cache, found another user's or a link; {advice}")


def cached_fasta(cache: Path, info: ObjectInfo, alt: ObjectInfo | None = None) -> Path:
    """Return the path of a plain FASTA file in the cache; another content has another folder.

    Args:
        cache: The user's cache folder.
        info: The original.
        alt: The file beside it that names alternate contigs, which changes alignments.
    """
    files = [info] if alt is None else [info, alt]
    parts = [part for file in files for part in (_absolute(file.uri), file.version)]
    key = sha256("\0".join(parts).encode()).hexdigest()[:24]
    return cache / REFERENCES / key / Path(info.uri.removesuffix(".gz")).name


def _absolute(uri: str) -> str:
    return uri if "://" in uri else str(Path(uri).absolute())


@contextmanager
def lock_beside(fasta: Path) -> Iterator[None]:
    """Hold the lock of a FASTA file: of several processes that need its indexes at once, one builds them."""
    from filelock import FileLock

    with FileLock(fasta.with_name(f".{fasta.name}.lock")):
        yield


def remove_leftovers(folder: Path) -> None:
    """Remove what killed tasks left in a folder of the cache; its lock must be held."""
    for path in [*folder.glob(f"{COPYING}*"), *folder.glob(f"{INDEXING}*")]:
        shutil.rmtree(path, ignore_errors=True)

"""The content of the cache of references: what it holds, since when nobody used it, and its removal."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.secrets import redact
from genomics_pipeline.stores.publish import make_folders, publish_bytes

REFERENCES = "references"  # the folder of all references
IN_USE = ".in-use"  # of a reference: whoever uses it holds a lock of this file; its time is that of the last use
SOURCE = ".source"  # of a reference: the path or URI that it is a copy of
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_HELD: list[int] = []  # descriptors, open until this process ends


@dataclass(frozen=True, slots=True)
class CachedItem:
    """A reference in the cache, or what else it holds that is listed.

    Attributes:
        folder: Its folder; its file, if it has one only.
        source: The path or URI that it is a copy of, its name where that is not known, or what it is.
        size_bytes: The size of all its files.
        used: The time of its last use, in seconds since the epoch.
        in_use: Whether a process uses it now.
    """

    folder: Path
    source: str
    size_bytes: int
    used: float
    in_use: bool


def hold(folder: Path, uri: str) -> None:
    """Keep a reference in the cache until this process ends.

    Args:
        folder: Its folder, which is made if it is missing.
        uri: The path or URI that it is a copy of.
    """
    while True:
        make_folders(folder)
        try:
            descriptor = os.open(folder / IN_USE, _FLAGS, 0o600)
        except FileNotFoundError:  # it was removed at this moment
            continue
        except OSError:  # a cache of others, which this user cannot remove either
            return
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_file(descriptor, folder / IN_USE):
            break
        os.close(descriptor)
    _HELD.append(descriptor)
    os.utime(descriptor)
    if not (folder / SOURCE).exists():
        publish_bytes(folder / SOURCE, redact(uri if "://" in uri else str(Path(uri).absolute())).encode())


def cached_references(cache: Path) -> Iterator[CachedItem]:
    """Yield the references in a user's cache, the one that was not used for the longest time first."""
    folders = [path for path in (cache / REFERENCES).glob("*/") if path.is_dir() and not path.is_symlink()]
    yield from sorted((_describe(folder) for folder in folders), key=lambda one: one.used)


def remove_reference(reference: CachedItem) -> bool:
    """Remove a reference from the cache; return False if a process uses it."""
    with _lock(reference.folder) as locked:
        if locked:
            shutil.rmtree(reference.folder)
        return bool(locked)


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Lock a reference that nobody uses; give False if somebody does."""
    path = folder / IN_USE
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield _is_file(descriptor, path)
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _is_file(descriptor: int, path: Path) -> bool:
    """Return whether a descriptor is of the file that is at a path now."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _describe(folder: Path) -> CachedItem:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    mark = folder / IN_USE
    used = (mark if mark.exists() else folder).stat().st_mtime
    in_use = False
    with suppress(OSError), _lock(folder) as unused:  # in a cache of others
        in_use = not unused
        os.utime(mark, (used, used))
    return CachedItem(folder, _source(folder), sum(file.stat().st_size for file in files), used, in_use)


def _source(folder: Path) -> str:
    with suppress(OSError):
        return (folder / SOURCE).read_text("utf-8", "replace").strip()
    return next((file.name for file in folder.glob("[!.]*")), folder.name)

"""A reference as a plain FASTA file with its indexes, made once however many tasks ask."""

from __future__ import annotations

import gzip
import os
import posixpath
import shutil
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import BinaryIO

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.index_misfit import misfit
from genomics_pipeline.stores.protocol import Expected, MissingObject, ObjectInfo, Store

# Index name -> endings of the files it is made of, beside the FASTA file; the dictionary's replaces ``.fa``.
INDEXES = {"fai": (".fai",), "bwa": (".amb", ".ann", ".bwt", ".pac", ".sa"), "dict": ("dict",)}
_NEEDS = {"bwa": ("bwa", "dict")}  # pybwa reads the names of the sequences in the dictionary


def needed(indexes: Iterable[str]) -> list[str]:
    """The indexes that are there when these are: ``fai`` always, for it tells the intervals."""
    return list(dict.fromkeys(part for name in ("fai", *indexes) for part in _NEEDS.get(name, (name,))))


def prepare(uri: str, indexes: Collection[str], store: Store, cache: Path | None) -> Path:
    """A local, plain FASTA file of the reference with the indexes beside it.

    A plain local file in a folder that can be written is indexed where it lies; anything else is first copied,
    decompressed, into the cache, with those of the indexes that lie beside it and are not older than it; the rest is
    built. Beside ``x.fa.gz`` they are those of ``x.fa``, or else those that ``bwa index x.fa.gz`` and ``samtools faidx
    x.fa.gz`` name after it: they are of the same sequences. Several processes may ask at once: one works, the others
    wait.

    Args:
        uri: Path or URI of a FASTA file, plain or gzip.
        indexes: Names of `INDEXES`.
        store: Where the URI is found.
        cache: The cache; None for ``$XDG_CACHE_HOME/genomics-pipeline``, ``~/.cache`` where that is not set.

    Raises:
        DataError: if there is no such file, it is no FASTA file, or an index beside it is another file's.
    """
    info = store.stat(uri)
    if info is None:
        raise MissingObject(uri)
    indexes = needed(indexes)
    if "://" not in uri and not uri.endswith(".gz"):
        fasta = Path(posixpath.normpath(Path(uri).absolute()))  # without "..": containers see it at the same place
        if not _indexed(fasta, indexes) and os.access(fasta.parent, os.W_OK):
            with _locked(fasta):
                _index(fasta, indexes, uri)
        if _indexed(fasta, indexes):
            _refuse_misfits(fasta, indexes, uri)
            return fasta
    folder = (cache or cache_folder()) / "references" / _key(info)
    fasta = folder / Path(uri.removesuffix(".gz")).name
    if not (fasta.is_file() and _indexed(fasta, indexes)):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(fasta):
            _remove_leftovers(folder)
            if not fasta.is_file():
                _copy(info, fasta, store)
            for name in indexes:
                if not _indexed(fasta, [name]):
                    _take(info, fasta, name, store)
            _index(fasta, indexes, uri)
    _refuse_misfits(fasta, indexes, uri, copies=True)
    return fasta


def cache_folder() -> Path:
    """Where this user's caches lie."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "genomics-pipeline"


def _key(info: ObjectInfo) -> str:
    """The cache's folder of one content: another content of the same name has another."""
    return sha256(f"{info.uri}\0{info.version}".encode()).hexdigest()[:24]


@contextmanager
def _locked(fasta: Path) -> Iterator[None]:
    from filelock import FileLock

    with FileLock(fasta.with_name(f".{fasta.name}.lock")):
        yield


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed tasks began in a folder of the cache, whose lock is held."""
    for path in [*folder.glob(".copy-*"), *folder.glob(".index-*")]:
        shutil.rmtree(path, ignore_errors=True)


def _copy(info: ObjectInfo, fasta: Path, store: Store) -> None:
    """Copy into the cache, decompressed; visible only when whole. Its time is fixed, as part of what identifies it."""
    with TemporaryDirectory(prefix=".copy-", dir=fasta.parent) as place:
        part = Path(place) / "part"
        with part.open("wb") as out:
            if info.uri.endswith(".gz"):
                _unpack(store.fetch(info.uri, Path(place), Expected(version=info.version)), out, info.uri)
            else:
                store.download(info.uri, out, Expected(version=info.version))
        os.utime(part, (0, 0))
        part.replace(fasta)


def _unpack(packed: Path, out: BinaryIO, uri: str) -> None:
    try:
        with gzip.open(packed) as content:
            shutil.copyfileobj(content, out, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(Problem(f"expected a whole gzip file: {error}", uri)) from None


def _take(info: ObjectInfo, fasta: Path, name: str, store: Store) -> None:
    """Copy an index that lies beside the original, if all of it is there and none of it is older."""
    for original in dict.fromkeys((info.uri.removesuffix(".gz"), info.uri)):
        uris = [_named(original, ending) for ending in INDEXES[name]]
        found = [one for one in map(store.stat, uris) if one and one.modified >= info.modified]
        if len(found) < len(uris):
            continue
        with TemporaryDirectory(prefix=".index-", dir=fasta.parent) as place:
            for one, file in zip(found, _files(fasta, name), strict=True):
                copy = Path(place) / file.name
                with copy.open("wb") as out:
                    store.download(one.uri, out, Expected(version=one.version))
                copy.replace(file)
        return


def _indexed(fasta: Path, indexes: Collection[str]) -> bool:
    """Whether the indexes are there and not older than the file."""
    try:
        changed = fasta.stat().st_mtime_ns
        return all(file.stat().st_mtime_ns >= changed for name in indexes for file in _files(fasta, name))
    except FileNotFoundError:
        return False


def _files(fasta: Path, name: str) -> list[Path]:
    """The files of an index."""
    return [Path(_named(str(fasta), ending)) for ending in INDEXES[name]]


def _refuse_misfits(fasta: Path, indexes: Collection[str], uri: str, copies: bool = False) -> None:
    """Refuse indexes of another file; copies of ours are removed, so that what is mended is taken anew."""
    for name in indexes:
        files = _files(fasta, name)
        if message := misfit(fasta, name, files):
            for file in files if copies else ():
                file.unlink(missing_ok=True)
            place = _named(uri.removesuffix(".gz"), INDEXES[name][0])
            raise DataError(Problem(f"{message}; remove it, and it is built anew", place))


def _named(fasta: str, ending: str) -> str:
    """The name of an index's file.

    >>> _named("s3://refs/x.fa", ".fai"), _named("s3://refs/x.fa", "dict")
    ('s3://refs/x.fa.fai', 's3://refs/x.dict')
    """
    if ending.startswith("."):
        return f"{fasta}{ending}"
    folder, slash, name = fasta.rpartition("/")
    return f"{folder}{slash}{Path(name).with_suffix(f'.{ending}')}"


def _index(fasta: Path, indexes: Collection[str], uri: str) -> None:
    """Build what is missing in a folder of its own, then move it beside the file."""
    wanted = [name for name in indexes if not _indexed(fasta, [name])]
    if not wanted:
        return
    _check(fasta, uri)
    place = Path(mkdtemp(prefix=".index-", dir=fasta.parent))
    link = place / fasta.name
    try:
        link.symlink_to(fasta)
        for name in wanted:
            _BUILD[name](link, uri)
            for built, file in zip(_files(link, name), _files(fasta, name), strict=True):
                built.replace(file)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _check(fasta: Path, uri: str) -> None:
    with fasta.open("rb") as file:
        first = file.read(1)
    if first != b">":
        found = f"found {first!r}" if first else "found an empty file"
        raise DataError(Problem(f"expected FASTA, beginning with '>', {found}", uri))


def _build_fai(fasta: Path, uri: str) -> None:
    import pysam

    verbosity = pysam.set_verbosity(0)  # what is wrong is told below
    try:
        pysam.samtools.faidx(str(fasta))
    except pysam.utils.SamtoolsError as error:
        raise DataError(_diagnosis(fasta, uri) or Problem(f"expected FASTA: {str(error).strip()}", uri)) from None
    finally:
        pysam.set_verbosity(verbosity)
    names = [line.split("\t")[0] for line in Path(f"{fasta}.fai").read_text().splitlines()]
    if "" in names or len(names) != _headers(fasta):  # samtools leaves out what is named twice
        raise DataError(_diagnosis(fasta, uri) or Problem("expected a name for each sequence, each once", uri))


def _headers(fasta: Path) -> int:
    """How many lines begin with ``>``; the first one does."""
    found, last = 1, b""
    with fasta.open("rb") as file:
        while chunk := file.read(1 << 24):
            found += (last + chunk).count(b"\n>")
            last = chunk[-1:]
    return found


def _diagnosis(fasta: Path, uri: str) -> Problem | None:
    """What samtools refuses or leaves out, and on which line; slow."""
    seen: dict[bytes, int] = {}
    name, width, ended = b"", 0, False
    with fasta.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            bases = line.rstrip()
            if line.startswith(b">"):
                if seen and not width:
                    break
                name = b"" if line[1:2].isspace() else (line[1:].split() or [b""])[0]
                if not name:
                    return Problem("expected '>' and a name, found no name", uri, number)
                if name in seen:
                    again = f"{name.decode('ascii', 'replace')!r} again (first on line {seen[name]})"
                    return Problem(f"expected each sequence once, found {again}", uri, number)
                seen[name] = number
                width, ended = 0, False
            elif len(bases) > (0 if ended else width or len(bases)):
                rule = "expected lines of one length in a sequence, the last one apart"
                return Problem(f"{rule}, found another; write the file anew with `seqkit seq -w 60`", uri, number)
            else:
                width = width or len(bases)
                ended = len(bases) < width
    if not width:
        told = name.decode("ascii", "replace")
        return Problem(f"expected bases of the sequence {told!r}, found none", uri, seen.get(name))
    return None


def _build_bwa(fasta: Path, uri: str) -> None:
    from pybwa import BwaIndex, BwaVerbosity, set_bwa_verbosity

    set_bwa_verbosity(BwaVerbosity.QUIET)
    BwaIndex.index(fasta=str(fasta))


def _build_dict(fasta: Path, uri: str) -> None:
    import pysam

    dictionary = fasta.with_suffix(".dict")
    if not dictionary.is_file():  # pybwa makes one too
        pysam.samtools.dict("-o", str(dictionary), str(fasta))


_BUILD = {"fai": _build_fai, "bwa": _build_bwa, "dict": _build_dict}

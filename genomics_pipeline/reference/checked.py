"""The verdicts of checks, kept in the cache: an unchanged reference of gigabytes is not read again at each run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from genomics_pipeline.stores.publish import publish_bytes, remove

RULES = "1"  # the version of all checks: with another one, all files are checked again
LOCK_SUFFIX = ".lock"


def check_once(cache: Path, purpose: str, files: Sequence[Path], check: Callable[[], str]) -> str:
    """Return the verdict of a check, which is not repeated for the same files.

    Args:
        cache: The user's cache folder.
        purpose: The name of the check.
        files: All files that the verdict depends on.
        check: Returns the verdict; what it raises is not kept.
    """
    record = _folder(cache) / _key(purpose, files)
    with suppress(OSError):
        return record.read_text()
    verdict = check()
    with suppress(OSError):  # without a cache the check is repeated
        publish_bytes(record, verdict.encode())
    return verdict


@contextmanager
def lock_of(cache: Path, fasta: Path) -> Iterator[None]:
    """Hold the lock of a FASTA file outside of the cache: of several processes, one builds its indexes."""
    from filelock import FileLock

    folder = _folder(cache)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{sha256(os.fsencode(fasta)).hexdigest()[:32]}{LOCK_SUFFIX}"):
        yield


def forget_checks(cache: Path, before: float) -> None:
    """Remove the verdicts that were made before a time, in seconds since the epoch; their checks are made again."""
    for verdict in _folder(cache).glob("*"):
        if verdict.suffix != LOCK_SUFFIX and verdict.stat().st_mtime <= before:
            remove(verdict)


def _folder(cache: Path) -> Path:
    return cache / "checked"


def _key(purpose: str, files: Sequence[Path]) -> str:
    parts = [RULES, purpose]
    for file in files:
        status = file.stat()
        parts.append(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}")
    return sha256(os.fsencode("\0".join(parts))).hexdigest()

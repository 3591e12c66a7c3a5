"""Deletion of a run in a folder, without following any link."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import PipelineError, RunError, UsageError
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.local_run import LocalRunRecord
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.deletion import RunContents, refers_to
from genomics_pipeline.runs.run_folder import RunFolder, is_run
from genomics_pipeline.stores.durable import naming, sync_folder
from genomics_pipeline.stores.open_folder import FOLDER
from genomics_pipeline.stores.removal import TreeSize, entry_size, remove_entry
from genomics_pipeline.stores.temporary_file import is_temporary

_LAST = (run_layout.RECORD, run_layout.ENGINE)  # an interrupted deletion is found again, and repeated
_FILES = (
    run_layout.RECORD,
    run_layout.MANIFEST,
    run_layout.INTERVALS,
    run_layout.RECORDS,
    run_layout.DEFINITION,
    run_layout.INPUT,
    run_layout.FAILURES,
)
_OWN = frozenset(name.rstrip("/") for name in (*_FILES, *run_layout.FOLDERS))
_READ_BY_OTHERS = (run_layout.RECORD, run_layout.INPUT, run_layout.MANIFEST)  # of other runs: may name files of this


def folder_contents(folder: RunFolder) -> RunContents:
    """Return the contents of a run.

    Raises:
        UsageError: for a link to a run's folder.
        RunError: if a process runs in the folder, or it is not certain that it holds a run of ours.
    """
    record = _refuse_others(folder)
    _refuse_alive(folder)
    with _opened(folder) as descriptor:
        own, kept = _names(descriptor)
        size = sum((entry_size(name, descriptor) for name in own), TreeSize())
    return RunContents(
        run=folder.name,
        place=str(folder.path),
        status=folder.status() if record else "",
        begun=record.started if record else "",
        executions=record.execution if record else 0,
        files=size.files,
        size_bytes=size.size_bytes,
        referrers=tuple(_referrers(folder)),
        kept=tuple(kept),
    )


def delete_folder(folder: RunFolder, note: Callable[[str], None]) -> None:
    """Delete the files of a run, and its folder where nothing else is in it.

    Args:
        folder: The folder.
        note: Shows a line of progress.

    Raises:
        UsageError: see `folder_contents`.
        RunError: see `folder_contents`.
        OSError: if a file cannot be deleted; the deletion can be repeated.
    """
    _refuse_others(folder)
    with folder.lock(note), _opened(folder) as descriptor:
        own = _names(descriptor)[0]
        for name in own:
            if name not in _LAST:
                _remove(folder, name, descriptor)
        sync_folder(descriptor, folder.path)  # the record survives a power cut as long as other files do
        # The lock is removed last: until then no other process can begin a run here, whose record would be deleted.
        for name in _LAST:
            _remove(folder, name, descriptor)
    try:
        folder.path.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _remove(folder: RunFolder, name: str, descriptor: int) -> None:
    with suppress(FileNotFoundError):
        remove_entry(folder.path / name, descriptor)


def _refuse_others(folder: RunFolder) -> LocalRunRecord | None:
    """Return the record of a run of ours; None where it was lost, but the folder has the engine's lock."""
    if folder.path.is_symlink():
        target = os.path.realpath(folder.path)
        raise UsageError(f"{folder.path}: expected the folder of a run, found a link to {target}; give that folder")
    try:
        record = folder.record()
    except UnreadableRecord:
        record = None
    if record is None and not (folder.path / run_layout.LOCK).is_file():
        expected = f"expected the folder of a run, found neither its record nor {run_layout.LOCK}"
        raise RunError(f"{folder.path}: {expected}; nothing was deleted; if it is a run, delete the folder by hand")
    return record


def _refuse_alive(folder: RunFolder) -> None:
    if holder := folder.holder():
        advice = f"wait for it, or end it: {command_line('cancel', str(folder.path))}"
        raise RunError(f"{folder.path}: {holder} is running in this folder; {advice}")


@contextmanager
def _opened(folder: RunFolder) -> Iterator[int]:
    with naming(folder.path):
        descriptor = os.open(folder.path, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _names(folder: int) -> tuple[list[str], list[str]]:
    """Return the names in an open folder: those of a run's files, and others."""
    own: list[str] = []
    kept: list[str] = []
    for name in sorted(os.listdir(folder)):
        path = Path(name)
        target = name.removeprefix(".").removesuffix(".part")
        is_own = name in _OWN or (is_temporary(path) and target in _OWN)
        (own if is_own else kept).append(name)
    return own, kept


def _referrers(folder: RunFolder) -> Iterator[str]:
    """Yield the links beside a run that lead into it, and the records of runs beside it that name its files."""
    real = os.path.realpath(folder.path)
    places = tuple({text.encode() for path in (real, str(folder.path)) for text in (path, json.dumps(path)[1:-1])})
    for path in sorted(folder.path.parent.iterdir()):
        if path.is_symlink():
            if Path(os.path.realpath(path)).is_relative_to(real):
                yield f"the link {path}"
        elif path != folder.path and is_run(path):
            with suppress(OSError, PipelineError):
                yield from _records_that_name(places, RunFolder(path))


def _records_that_name(places: tuple[bytes, ...], other: RunFolder) -> Iterator[str]:
    for key in _READ_BY_OTHERS:
        if other.store.stat(other.uri(key)):
            with other.store.open(other.uri(key)) as lines:
                if any(refers_to(line, places) for line in lines):
                    yield str(other.path / key)

"""The journal of an execution: append-only files of JSON lines that survive a crash.

A line is made durable before anything relies on it. A journal is a folder: ``execution.jsonl`` is the file of the
execution itself; each Map Run has a file ``<uuid>.jsonl``. Lines:

- ``{"begin": {"document", "input", "name", "stateMachine"}, "started"}``: the first line of the execution's file; the
  document and the input are digests.
- ``{"frame": path, "step", "next", "input", "variables", "transitions"}``: the frame (the execution, a branch or an
  iteration) goes on with the state ``next``. Written only after states with effects; others are evaluated again.
- ``{"frame": path, "output"}``: the frame has ended.
- ``{"map": path, "uuid", "started", "redrives", "label"}``: a Map Run started; ``redrives`` counts the redrives of its
  execution up to then. The label is not in older journals.
- ``{"run": {…}, "anew"}``: a Map Run ended; its result files are written. ``run`` has the members of DescribeMapRun,
  ``anew`` says that a redrive replaces the Map Run by another. Always in the execution's file, even for a nested Map.
- ``{"end": index, "name", "input", "start", "stop", "items", "transitions", "redrives", "redriven", "status", …}``: a
  child of a Map Run ended without success, perhaps with ``"error"`` and ``"cause"``; its input is JSON text.
- ``{"end": index, "row": [redrive, offset, bytes], "name", …}``: a child of a Map Run succeeded; ``row`` is the
  place of its row in the file of that redrive, 0 before the first one: see `row_file`.
- ``{"result": {…}, "state": {…}}``: the execution ended. ``result`` has the members of `result.ExecutionResult`.
  ``state``, if a redrive can continue from it, is the line of the frame in its last state, with its entry events.
- ``{"redrive": count, "time"}``: a redrive of the execution or of the Map Run started; see `redrive`.

Lines of a child's frames have a member ``"child": index``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from genomics_pipeline.engine.journal_shapes import is_record
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import dumps_each, loads
from genomics_pipeline.stores.durable import sync_data, sync_names
from genomics_pipeline.stores.open_folder import open_unlinked_file
from genomics_pipeline.stores.publish import open_appending, truncate_file

DAMAGED = "the file is damaged: begin anew, which `run` does without --resume; it keeps the steps that are done"
JournalRecord = dict[str, Any]
_ATTEMPT = re.compile(r"\.(\d+)(?=:|$)")  # an attempt's number in a path, behind the path of its visit


class Attachment(Protocol):
    """A file to which records of a journal refer."""

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append pieces of data, which are on disk when it returns."""


class JournalFile:
    """An append-only file of the journal. Lines that are appended at the same time share one fsync."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._attached: list[tuple[Attachment, Sequence[bytes]]] = []
        self._file = open_appending(path)
        self._lines: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._writer: asyncio.Task[None] | None = None
        self._name_is_synced = False
        self._failure: RunError | None = None

    def attach(self, file: Attachment, pieces: Sequence[bytes]) -> None:
        """Write pieces of data to another file before the records that are appended next, which refer to them."""
        self._attached.append((file, pieces))

    async def append(self, *records: JournalRecord) -> None:
        """Append records and return when they are on disk.

        Raises:
            RunError: if they cannot be written, or earlier ones could not: nothing may follow an incomplete line.
        """
        if self._failure is not None:
            raise self._failure
        if not records:
            return
        loop = asyncio.get_running_loop()
        self._lines += dumps_each(list(records))
        durable = loop.create_future()
        self._waiting.append(durable)
        if self._writer is None:
            self._writer = loop.create_task(self._write_all())
        await durable

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._lines:
                lines, waiting, attached = self._lines, self._waiting, self._attached
                self._lines, self._waiting, self._attached = [], [], []
                await loop.run_in_executor(None, self._write, b"\n".join([*lines, b""]), attached)
                for durable in waiting:
                    if not durable.done():
                        durable.set_result(None)
        except OSError as error:
            self._failure = RunError(f"{self.path}: the journal cannot be written: {error}")
            for durable in (*waiting, *self._waiting):
                if not durable.done():
                    durable.set_exception(self._failure)
        finally:
            self._writer = None

    def _write(self, data: bytes, attached: list[tuple[Attachment, Sequence[bytes]]]) -> None:
        for file, members in groupby(attached, lambda each: each[0]):
            file.write([piece for _, pieces in members for piece in pieces])
        self._file.write(data)
        self._file.flush()
        sync_data(self._file.fileno())
        if not self._name_is_synced:
            sync_names(self.path.parent)
            self._name_is_synced = True

    async def close(self) -> None:
        """Write the pending records and close the file."""
        if self._writer is not None:
            await self._writer
        try:
            self._file.close()
        except OSError:
            if self._failure is None:
                raise


def read_records(
    path: Path, truncate: bool = True, is_valid: Callable[[Any], bool] = is_record
) -> Iterator[JournalRecord]:
    """Yield the records of a journal file.

    Args:
        path: The file.
        truncate: Remove an incomplete last line, which a crash may leave, from the file. Must be false while another
            process may be writing to the file.
        is_valid: Returns whether a JSON value is a record; that of another kind of file than a journal.

    Raises:
        RunError: if a line before the last one is not a record.
    """
    if path.is_dir():
        raise RunError(f"{path}: expected a journal, found a folder; {DAMAGED}")
    valid_bytes = 0
    with open_unlinked_file(path) as file:
        for number, line in enumerate(file, 1):
            record = _parse_record(line, is_valid)
            if record is None:
                if file.read(1):
                    raise RunError(f"{path}:{number}: expected a journal record, found something else; {DAMAGED}")
                break
            yield record
            valid_bytes += len(line)
    if truncate and valid_bytes < path.stat().st_size:
        truncate_file(path, valid_bytes)


def _parse_record(line: bytes, is_valid: Callable[[Any], bool]) -> JournalRecord | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = loads(line)
    except ValueError:
        return None
    return record if is_valid(record) else None


class JournalState:
    """The state that the records of a journal file amount to: its frames and its Map Runs.

    Attributes:
        runs: The descriptions of the Map Runs that have ended.
        map_runs_to_replace: ARNs of those that a redrive replaces by another Map Run.
    """

    def __init__(self) -> None:
        self._frames: dict[int | None, dict[str, JournalRecord]] = {}
        self._maps: dict[int | None, dict[str, JournalRecord]] = {}
        self.runs: list[JournalRecord] = []
        self.map_runs_to_replace: set[str] = set()
        self._last_attempts: dict[int | None, dict[str, int]] = {}

    def apply(self, record: JournalRecord) -> None:
        """Update the state by the next record of the file."""
        child = record.get("child")
        if "frame" in record:
            self._frames.setdefault(child, {})[record["frame"]] = record
        elif "map" in record:
            self._maps.setdefault(child, {})[record["map"]] = record
        elif "run" in record:
            self.runs.append(record["run"])
            if record.get("anew"):
                self.map_runs_to_replace.add(record["run"]["mapRunArn"])
        elif "end" in record:
            self._frames.pop(record["end"], None)
            self._maps.pop(record["end"], None)

    def frame(self, child: int | None, path: str) -> JournalRecord | None:
        """Return the last record of a frame; None if there is none."""
        return self._frames.get(child, {}).get(path)

    def map_run(self, child: int | None, path: str) -> JournalRecord | None:
        """Return the record of the Map Run that an attempt started; None if there is none."""
        return self._maps.get(child, {}).get(path)

    def last_attempt(self, child: int | None, path: str) -> int:
        """Return the number of the last journaled attempt of a visit; 0 if there is none."""
        if child not in self._last_attempts:
            attempts = self._last_attempts[child] = {}
            for journaled in (*self._frames.get(child, ()), *self._maps.get(child, ())):
                for attempt in _ATTEMPT.finditer(journaled):
                    visit = journaled[: attempt.start()]
                    attempts[visit] = max(attempts.get(visit, 0), int(attempt[1]))
        return self._last_attempts[child].get(path, 0)


class Recorder:
    """The part of a journal file that belongs to one execution.

    Args:
        file: The file.
        state: The state before the interruption.
        child: The execution's index, if it is a child of a Map Run.
    """

    def __init__(self, file: JournalFile, state: JournalState, child: int | None = None) -> None:
        self._file = file
        self._state = state
        self.child = child

    def frame(self, path: str) -> JournalRecord | None:
        """Return the last record of a frame before the interruption; None if there is none."""
        return self._state.frame(self.child, path)

    def map_run(self, path: str) -> JournalRecord | None:
        """Return the record of the Map Run that an attempt started before the interruption; None if there is none."""
        return self._state.map_run(self.child, path)

    def last_attempt(self, path: str) -> int:
        """Return the number of the last attempt of a visit before the interruption; 0 if there is none."""
        return self._state.last_attempt(self.child, path)

    async def append(self, record: JournalRecord) -> None:
        """Append a record and return when it is on disk."""
        await self._file.append(record if self.child is None else {"child": self.child, **record})

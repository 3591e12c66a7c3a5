"""The journal, which survives a crash: append-only files of JSON lines, made durable before anyone relies on them.

A journal is a folder. ``execution.jsonl`` is the execution's own log; each Map Run has ``<uuid>.jsonl``. Lines:

- ``{"begin": {"document", "input", "name", "stateMachine"}, "started"}``: the first line of the execution's log; the
  document and the input are digests.
- ``{"frame": path, "step", "next", "input", "variables", "transitions"}``: the states of that frame (the execution, a
  branch, an iteration) are done up to there. Written after states with effects only; the others are evaluated again.
- ``{"frame": path, "output"}``: the frame is done.
- ``{"map": path, "uuid", "started", "redrives"}``: a Map Run began, when its execution had been redriven so often.
- ``{"run": {…}, "anew"}``: a Map Run ended, and its result files are written; DescribeMapRun's answer, and whether a
  redrive begins another. In the execution's own log, also of a nested one.
- ``{"end": index, "name", "input", "start", "stop", "items", "transitions", "redrives", "redriven", "status", …}``: a
  child of a Map Run ended, with ``"output"``, or ``"error"`` and ``"cause"``; input and output are JSON text.
- ``{"result": {…}, "state": {…}}``: the execution ended; the members of `result.ExecutionResult`, and the state it
  was in, as a frame's line that knows the events of its entry, where a redrive can go on from it.
- ``{"redrive": count, "time"}``: the execution, or the Map Run, goes on with what did not succeed; see `redrive`.

Lines of a child's frames carry ``"child": index``.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import dumps, loads

JournalRecord = dict[str, Any]
_ATTEMPT = re.compile(r"\.(\d+)(?=:|$)")  # in a path: of the visit before it


class JournalFile:
    """One append-only file. Lines that are appended at the same time share one fsync."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        self._lines: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._writer: asyncio.Task[None] | None = None
        self._named = self._file.tell() > 0
        self._failure: RunError | None = None

    async def append(self, *records: JournalRecord) -> None:
        """Return when the records are on disk.

        Raises:
            RunError: if they cannot be written, or others could not: nothing may follow a line that is torn.
        """
        if self._failure is not None:
            raise self._failure
        loop = asyncio.get_running_loop()
        self._lines.extend(dumps(record) + b"\n" for record in records)
        durable = loop.create_future()
        self._waiting.append(durable)
        if self._writer is None:
            self._writer = loop.create_task(self._write_all())
        await durable

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._lines:
                lines, waiting = self._lines, self._waiting
                self._lines, self._waiting = [], []
                await loop.run_in_executor(None, self._write, b"".join(lines))
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

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        os.fdatasync(self._file.fileno())
        if not self._named:
            _sync_folder(self.path.parent)
            self._named = True

    async def close(self) -> None:
        """Write what is left, and close the file."""
        if self._writer is not None:
            await self._writer
        try:
            self._file.close()
        except OSError:
            if self._failure is None:
                raise


def _sync_folder(folder: Path) -> None:
    """Make the names of its files durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def read_records(path: Path, truncate: bool = True) -> Iterator[JournalRecord]:
    """Yield the records of a log.

    Args:
        path: Its file.
        mend: Cut a last line off the file that a crash left torn; not in a log that another process may be writing.

    Raises:
        RunError: for a line before the last that is not a record.
    """
    good = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            record = _record(line)
            if record is None:
                if file.read(1):
                    raise RunError(
                        f"{path}:{number}: expected a journal record, found something else; the file is damaged"
                    )
                break
            yield record
            good += len(line)
    if truncate and good < path.stat().st_size:
        os.truncate(path, good)


def _record(line: bytes) -> JournalRecord | None:
    if not line.endswith(b"\n"):
        return None
    try:
        found = loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


class JournalState:
    """The frames and Map Runs of a log that began and may go on."""

    def __init__(self) -> None:
        self._frames: dict[int | None, dict[str, JournalRecord]] = {}
        self._maps: dict[int | None, dict[str, JournalRecord]] = {}
        self.runs: list[JournalRecord] = []
        self.map_runs_to_replace: set[str] = set()
        self._tries: dict[int | None, dict[str, int]] = {}

    def apply(self, record: JournalRecord) -> None:
        """Take in one record of a log."""
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
        """Return the last record of a frame; None where there is none."""
        return self._frames.get(child, {}).get(path)

    def map_run(self, child: int | None, path: str) -> JournalRecord | None:
        """Return the Map Run that began there."""
        return self._maps.get(child, {}).get(path)

    def last_attempt(self, child: int | None, path: str) -> int:
        """Return the last attempt of a visit of which something is known."""
        if child not in self._tries:
            found = self._tries[child] = {}
            for known in (*self._frames.get(child, ()), *self._maps.get(child, ())):
                for attempt in _ATTEMPT.finditer(known):
                    visit = known[: attempt.start()]
                    found[visit] = max(found.get(visit, 0), int(attempt[1]))
        return self._tries[child].get(path, 0)


class Recorder:
    """A log as one execution sees it: its own frames, under its own number where it is a child."""

    def __init__(self, log: JournalFile, state: JournalState, child: int | None = None) -> None:
        self._log = log
        self._state = state
        self.child = child

    def frame(self, path: str) -> JournalRecord | None:
        """Return the last record of a frame before an interruption; None where there is none."""
        return self._state.frame(self.child, path)

    def map_run(self, path: str) -> JournalRecord | None:
        """Return the Map Run that began there before an interruption."""
        return self._state.map_run(self.child, path)

    def last_attempt(self, path: str) -> int:
        """Return the last attempt of that visit before an interruption."""
        return self._state.last_attempt(self.child, path)

    async def append(self, record: JournalRecord) -> None:
        """Return when the record is on disk."""
        await self._log.append(record if self.child is None else {"child": self.child, **record})

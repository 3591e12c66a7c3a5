"""The journal of a Map Run: the ends of its children are counted in memory and kept on disk."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.journal import JournalFile, JournalState, Recorder, read_records
from genomics_pipeline.engine.redrive import NOT_REDRIVEN, Redrives
from genomics_pipeline.engine.row_file import Framing, RowFile
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.json_text import loads
from genomics_pipeline.stores.open_folder import open_unlinked_file

_END, _REDRIVE, _ROW = b'{"end":', b'{"redrive":', b'"row":'


@dataclass(frozen=True, slots=True)
class EarlierEnd:
    """The end of a child before a redrive, from its journal record.

    Attributes:
        status: Its status then.
        items: The number of items in its input.
        start: Start time in seconds since the epoch.
        transitions: Its state transitions up to then.
        redrives: Its redrives up to then.
    """

    status: str
    items: int
    start: float
    transitions: int
    redrives: Redrives

    @classmethod
    def of(cls, end: Mapping[str, Any]) -> EarlierEnd:
        """Return the end that a journal record describes."""
        redrives = Redrives(end.get("redrives", 0), end.get("redriven"))
        return cls(end["status"], end["items"], end["start"], end["transitions"], redrives)


@dataclass(slots=True)
class ChildEnd:
    """The end of a child.

    Attributes:
        index: Its position among the children of the Map Run.
        record: The other members of its record in the journal.
        row: The pieces of its row in a result file, if it succeeded; otherwise the record has all that there is to say.
        row_bytes: The size of its row.
    """

    index: int
    record: dict[str, Any]
    row: Sequence[bytes] | None = None
    row_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.row_bytes = sum(map(len, self.row or ()))


class MapRunJournal:
    """The journal of a Map Run's children.

    The indexes of ended children are held in memory as a number below which all have ended, plus a set of those above.
    Children start in order, so the set is no larger than the number of concurrent children. Sorting the results takes
    eight bytes for each child. During a redrive, the earlier ends of children that run again are held as well.

    Attributes:
        redrives: The redrives of the Map Run.
        execution_redrive: The number of the execution's redrive to which the last of them belongs.
        redriven: The earlier ends of children that run again and have not ended since, by index.
        children: The number of children that ended, by status.
        items: The number of their items, by status.
        running: The number of items in the input of each running child, by index.
        transitions: Their state transitions.
    """

    def __init__(self, folder: Path, uuid: str, framing: Framing, *, express: bool = False) -> None:
        self.children: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.running: dict[int, int] = {}
        self.transitions = 0
        self.redrives = NOT_REDRIVEN
        self.redriven: dict[int, EarlierEnd] = {}
        self.execution_redrive = 0
        self._path = path = folder / run_layout.map_run_journal(uuid)
        self._folder, self._uuid, self._framing = folder, uuid, framing
        self._express = express
        self._rows_end = 0
        self._last_row = -1
        self._rows_are_in_order = True
        self._state = JournalState()
        self._all_ended_below = 0
        self._ended_above: set[int] = set()
        for number, record in enumerate(read_records(path) if path.exists() else ()):
            if "redrive" in record:
                self._reopen(record, number)
            elif "end" in record:
                self._count(record)
            self._state.apply(record)
        rows = self._row_file(self.redrives.count, self._rows_end)
        rows.check()
        self._rows = {self.redrives.count: rows}
        self._file = JournalFile(path)

    def _row_file(self, redrive: int, size: int) -> RowFile:
        return RowFile(self._folder / run_layout.map_run_rows(self._uuid, redrive), self._framing, size)

    def _reopen(self, record: dict[str, Any], lines: int) -> None:
        """Stop counting children that did not succeed as ended.

        Args:
            record: The record of the redrive.
            lines: The number of lines before that record.
        """
        self.restore_earlier_ends()
        self.redrives, self.execution_redrive = Redrives.of(record), record["of"]
        self._rows_end, self._last_row, self._rows_are_in_order = 0, -1, True
        for line in islice(read_records(self._path, truncate=False), lines):
            if line.get("status") == "SUCCEEDED":
                self.redriven.pop(line["end"], None)
            elif "end" in line:
                self.redriven[line["end"]] = EarlierEnd.of(line)
        for before in self.redriven.values():
            self._add(before, -1)
        self._state = JournalState()
        if not self._express:  # Express children start over
            for line in islice(read_records(self._path, truncate=False), lines):
                if line.get("child") in self.redriven:
                    self._state.apply(line)

    async def redrive(self, execution_redrive: int, now: float) -> None:
        """Start a redrive of the Map Run, in which all children that ended without success run again.

        Args:
            execution_redrive: The number of the execution's redrive.
            now: Its time in seconds since the epoch.
        """
        record = {**self.redrives.next(now).record(), "of": execution_redrive}
        lines = sum(1 for _ in read_records(self._path, truncate=False))
        await self._file.append(record)
        self._reopen(record, lines)
        self._rows[self.redrives.count] = self._row_file(self.redrives.count, 0)

    def restore_earlier_ends(self) -> None:
        """Count children that did not get to run again by their earlier ends, because the Map Run ends."""
        for before in self.redriven.values():
            self._add(before, 1)
        self.redriven.clear()

    def _add(self, child: EarlierEnd, times: int) -> None:
        self.children[child.status] += times
        self.items[child.status] += times * child.items
        self.transitions += times * child.transitions

    def _count(self, end: dict[str, Any]) -> None:
        self.children[end["status"]] += 1
        self.items[end["status"]] += end["items"]
        self.transitions += end["transitions"]
        index = end["end"]
        if "row" in end:
            _, offset, size = end["row"]
            self._rows_end = offset + size
            self._rows_are_in_order = self._rows_are_in_order and index > self._last_row
            self._last_row = index
        self.running.pop(index, None)
        if self.redriven.pop(index, None):
            return
        if index != self._all_ended_below:
            self._ended_above.add(index)
            return
        self._all_ended_below += 1
        while self._all_ended_below in self._ended_above:
            self._ended_above.remove(self._all_ended_below)
            self._all_ended_below += 1

    def has_ended(self, index: int) -> bool:
        """Return whether a child has ended."""
        return (index < self._all_ended_below or index in self._ended_above) and index not in self.redriven

    def recorder(self, index: int) -> Recorder:
        """Return the recorder of a child."""
        return Recorder(self._file, self._state, index)

    async def add(self, ends: Sequence[ChildEnd]) -> None:
        """Write children's ends, and count them once they are on disk."""
        redrive = self.redrives.count
        rows, records, pieces = self._rows[redrive], [], list[bytes]()
        for end in ends:
            index, place = {"end": end.index}, {}
            if end.row is not None:
                offset, before = rows.place(end.row_bytes)
                pieces.append(before)
                pieces += end.row
                place = {"row": (redrive, offset, end.row_bytes)}
            records.append({**index, **place, **end.record})
        if pieces:
            rows.is_in_order = self._rows_are_in_order
            self._file.attach(rows, pieces)
        await self._file.append(*records)
        for record in records:
            self._count(record)

    async def close(self) -> None:
        """Close the files."""
        await self._file.close()
        self.close_rows()

    def close_rows(self) -> None:
        """Close the files of rows, which `row` opens again."""
        for rows in self._rows.values():
            rows.close()

    def row(self, end: Mapping[str, Any]) -> bytes:
        """Return the row of a child that succeeded, given the record of its end."""
        redrive, offset, size = end["row"]
        if redrive not in self._rows:
            self._rows[redrive] = self._row_file(redrive, 0)
        return self._rows[redrive].read(offset, size)

    def finished_rows(self, since: float) -> RowFile | None:
        """Return the file that has just the rows of all children that succeeded since a redrive, in their order.

        Returns:
            None if there is no such file, or no such row.
        """
        has_all = since == self.redrives.count and self._rows_are_in_order
        return self._rows[self.redrives.count] if has_all and self._rows_end else None

    def in_order(self, since: float = 0) -> Iterator[dict[str, Any]]:
        """Yield the record of the last end of each ended child, in the order of their indexes.

        Args:
            since: Leave out children that had succeeded before this redrive.
        """
        offsets = array("q", [-1]) * max(self._all_ended_below, max(self._ended_above, default=-1) + 1)
        with open_unlinked_file(self._path) as file:
            offset = redrives = 0
            for line in file:
                if line.startswith(_END):
                    comma = line.index(b",")
                    left_out = redrives < since and line.startswith(_ROW, comma + 1)
                    offsets[int(line[len(_END) : comma])] = -1 if left_out else offset
                redrives += line.startswith(_REDRIVE)
                offset += len(line)
            position = offset
            for offset in offsets:
                if offset >= 0:
                    if offset != position:  # children mostly end in order, and a seek discards the read buffer
                        file.seek(offset)
                    line = file.readline()
                    position = offset + len(line)
                    yield loads(line)

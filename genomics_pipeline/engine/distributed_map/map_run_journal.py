"""The ends of the children of one Map Run: counted in memory, kept on disk."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.journal import JournalFile, JournalState, Recorder, read_records
from genomics_pipeline.engine.redrive import NOT_REDRIVEN, Redrives
from genomics_pipeline.model.json_text import loads

_END, _REDRIVE, _SUCCEEDED = b'{"end":', b'{"redrive":', b'"status":"SUCCEEDED"'


@dataclass(frozen=True, slots=True)
class EarlierEnd:
    """The former end of a child that runs again, from its journal record."""

    status: str
    items: int
    start: float
    transitions: int
    redrives: Redrives

    @classmethod
    def of(cls, end: Mapping[str, Any]) -> EarlierEnd:
        """Return what the record of a child's end holds."""
        redrives = Redrives(end.get("redrives", 0), end.get("redriven"))
        return cls(end["status"], end["items"], end["start"], end["transitions"], redrives)


class MapRunJournal:
    """The journal of a Map Run's children.

    Memory holds which children have ended as "all below so many, and these": children start in order, so the
    exceptions are no more than run at the same time. Only while results are put in order does each take eight bytes.
    Of a Map Run that is redriven it also holds how the children had ended that run again, until they do.

    Attributes:
        redrives: How often the Map Run was redriven, and when last.
        redriven: The children that run again or are to do so, by their indexes, as they had ended.
        children: How many children ended with each status.
        items: How many items they held.
        running: How many items each child holds that runs, by its index.
        transitions: Their state transitions.
    """

    def __init__(self, path: Path, *, express: bool = False) -> None:
        self.children: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.running: dict[int, int] = {}
        self.transitions = 0
        self.redrives = NOT_REDRIVEN
        self.redriven: dict[int, EarlierEnd] = {}
        self.of = 0  # the execution's redrive that the last one belongs to
        self._path = path
        self._express = express
        self._memory = JournalState()
        self._below = 0
        self._above: set[int] = set()
        for number, record in enumerate(read_records(path) if path.exists() else ()):
            if "redrive" in record:
                self._reopen(record, number)
            elif "end" in record:
                self._count(record)
            self._memory.apply(record)
        self._log = JournalFile(path)

    def _reopen(self, record: dict[str, Any], lines: int) -> None:
        """The children that the first lines say did not succeed are no longer counted as ended."""
        self.settle()
        self.redrives, self.of = Redrives.of(record), record["of"]
        for line in islice(read_records(self._path, truncate=False), lines):
            if line.get("status") == "SUCCEEDED":
                self.redriven.pop(line["end"], None)
            elif "end" in line:
                self.redriven[line["end"]] = EarlierEnd.of(line)
        for before in self.redriven.values():
            self._add(before, -1)
        self._memory = JournalState()
        if not self._express:  # whose children begin again
            for line in islice(read_records(self._path, truncate=False), lines):
                if line.get("child") in self.redriven:
                    self._memory.apply(line)

    async def redrive(self, of: int, now: float) -> None:
        """The Map Run goes on: all children that ended and did not succeed run again.

        Args:
            of: The execution's redrive.
            now: When.
        """
        record = {**self.redrives.next(now).record(), "of": of}
        lines = sum(1 for _ in read_records(self._path, truncate=False))
        await self._log.append(record)
        self._reopen(record, lines)

    def settle(self) -> None:
        """The Map Run ends: children that did not come to run again have ended as they had."""
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
        self.running.pop(index, None)
        if self.redriven.pop(index, None):
            return
        if index != self._below:
            self._above.add(index)
            return
        self._below += 1
        while self._below in self._above:
            self._above.remove(self._below)
            self._below += 1

    def ended(self, index: int) -> bool:
        """Return whether that child has ended."""
        return (index < self._below or index in self._above) and index not in self.redriven

    def recorder(self, index: int) -> Recorder:
        """Return the journal of that child."""
        return Recorder(self._log, self._memory, index)

    async def add(self, ends: Sequence[dict[str, Any]]) -> None:
        """Count children's ends once they are on disk."""
        await self._log.append(*ends)
        for end in ends:
            self._count(end)

    async def close(self) -> None:
        """Close the journal."""
        await self._log.close()

    def in_order(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the last end of every child that has ended, by its index.

        Args:
            since: Leave out children that had succeeded before this redrive.
        """
        offsets = array("q", [-1]) * max(self._below, max(self._above, default=-1) + 1)
        with self._path.open("rb") as file:
            offset = redrives = 0
            for line in file:
                if line.startswith(_END):
                    old = redrives < since and _SUCCEEDED in line and loads(line)["status"] == "SUCCEEDED"
                    offsets[int(line[len(_END) : line.index(b",")])] = -1 if old else offset
                redrives += line.startswith(_REDRIVE)
                offset += len(line)
            place = offset
            for offset in offsets:
                if offset >= 0:
                    if offset != place:
                        file.seek(offset)
                    line = file.readline()
                    place = offset + len(line)
                    yield loads(line)

"""How the children of one Map Run ended: counted in memory, kept on disk."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.journal import Log, Memory, Recorder, read
from genomics_pipeline.engine.json_text import loads

_END = b'{"end":'


class Ends:
    """The journal of a Map Run's children.

    Memory holds which children have ended as "all below so many, and these": children start in order, so the
    exceptions are no more than run at the same time. Only while results are put in order does each take eight bytes.

    Attributes:
        children: How many children ended with each status.
        items: How many items they held.
        running: How many items each child holds that runs, by its index.
        transitions: Their state transitions.
    """

    def __init__(self, path: Path) -> None:
        self.children: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.running: dict[int, int] = {}
        self.transitions = 0
        self._path = path
        self._memory = Memory()
        self._below = 0
        self._above: set[int] = set()
        for record in read(path) if path.exists() else ():
            self._memory.learn(record)
            if "end" in record:
                self._count(record)
        self._log = Log(path)

    def _count(self, end: dict[str, Any]) -> None:
        self.children[end["status"]] += 1
        self.items[end["status"]] += end["items"]
        self.transitions += end["transitions"]
        index = end["end"]
        self.running.pop(index, None)
        if index != self._below:
            self._above.add(index)
            return
        self._below += 1
        while self._below in self._above:
            self._above.remove(self._below)
            self._below += 1

    def ended(self, index: int) -> bool:
        """Whether that child has ended."""
        return index < self._below or index in self._above

    def recorder(self, index: int) -> Recorder:
        """The journal of that child."""
        return Recorder(self._log, self._memory, index)

    async def add(self, ends: Sequence[dict[str, Any]]) -> None:
        """Count children's ends once they are on disk."""
        await self._log.append(*ends)
        for end in ends:
            self._count(end)

    async def close(self) -> None:
        """Close the journal."""
        await self._log.close()

    def in_order(self) -> Iterator[dict[str, Any]]:
        """The end of every child that has ended, by its index."""
        offsets = array("q", [-1]) * max(self._below, max(self._above, default=-1) + 1)
        with self._path.open("rb") as file:
            offset = 0
            for line in file:
                if line.startswith(_END):
                    offsets[int(line[len(_END) : line.index(b",")])] = offset
                offset += len(line)
            place = offset
            for offset in offsets:
                if offset >= 0:
                    if offset != place:
                        file.seek(offset)
                    line = file.readline()
                    place = offset + len(line)
                    yield loads(line)

"""How the children of one Map Run ended: counted in memory, kept on disk."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.journal import Log, Memory, Recorder, read


class Ends:
    """The journal of a Map Run's children. Memory grows by one byte a child."""

    def __init__(self, path: Path) -> None:
        self.memory = Memory()
        self.children: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.transitions = 0
        self._path = path
        self._ended = bytearray()
        for record in read(path) if path.exists() else ():
            self.memory.learn(record)
            if "end" in record:
                self._count(record)
        self._log = Log(path)

    def _count(self, end: dict[str, Any]) -> None:
        index = end["end"]
        if index >= len(self._ended):
            self._ended.extend(bytes(index + 1 - len(self._ended)))
        self._ended[index] = 1
        self.children[end["status"]] += 1
        self.items[end["status"]] += end["items"]
        self.transitions += end["transitions"]

    def ended(self, index: int) -> bool:
        """Whether that child has ended."""
        return index < len(self._ended) and self._ended[index] == 1

    def recorder(self, index: int) -> Recorder:
        """The journal of that child."""
        return Recorder(self._log, self.memory, index)

    async def add(self, end: dict[str, Any]) -> None:
        """Count a child's end once it is on disk."""
        await self._log.append(end)
        self._count(end)

    async def close(self) -> None:
        """Close the journal."""
        await self._log.close()

    def in_order(self) -> Iterator[dict[str, Any]]:
        """The end of every child that has ended, by its index."""
        offsets = array("q", [-1]) * len(self._ended)
        with self._path.open("rb") as file:
            offset = 0
            for line in file:
                if line.startswith(b'{"end":'):
                    offsets[json.loads(line)["end"]] = offset
                offset += len(line)
            for offset in offsets:
                if offset >= 0:
                    file.seek(offset)
                    yield json.loads(file.readline())

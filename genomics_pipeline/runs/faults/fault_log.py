"""The log of the injected faults that have struck, in the run's folder: a run that is killed and resumed counts on."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

from genomics_pipeline.model.faults import Fault


class FaultLog:
    """A file with one JSON line for each time that a fault struck an item of a stage.

    A fault is identified by its place and text in its file: a changed one counts from zero.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._counts = Counter[tuple[str, ...]]()
        text = file.read_text("utf-8") if file.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            self._count(*json.loads(line))

    def add(self, fault: Fault, stage: str, item: str) -> None:
        """Record that a fault strikes an item now, before it does: the fault may kill this process."""
        struck = str(fault), stage, item
        with self._lock:
            with self._file.open("a") as file:
                file.write(json.dumps(struck) + "\n")
            self._count(*struck)

    def count(self, fault: Fault, *place: str) -> int:
        """Return how often a fault has struck an item of a stage; all items of all stages without a place."""
        with self._lock:
            return self._counts[str(fault), *place]

    def _count(self, fault: str, stage: str, item: str) -> None:
        self._counts[fault, stage, item] += 1
        self._counts[(fault,)] += 1

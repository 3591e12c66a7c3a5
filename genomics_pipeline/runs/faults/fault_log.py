"""Which injected faults have struck, kept in the run's folder: a run that is killed and goes on counts on."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

from genomics_pipeline.model.faults import Fault


class FaultLog:
    """A file with one JSON line for each time that a fault struck an item of a stage.

    A fault is known by its place in its file and what it says there: one that is changed counts from the beginning.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._counts = Counter[tuple[str, ...]]()
        text = file.read_text("utf-8") if file.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            self._count(*json.loads(line))

    def add(self, fault: Fault, stage: str, item: str) -> None:
        """It strikes now; whatever happens to this process, that is known from now on."""
        struck = str(fault), stage, item
        with self._lock:
            with self._file.open("a") as file:
                file.write(json.dumps(struck) + "\n")
            self._count(*struck)

    def count(self, fault: Fault, *place: str) -> int:
        """How often it has struck an item of a stage; without them, anything."""
        with self._lock:
            return self._counts[str(fault), *place]

    def _count(self, fault: str, stage: str, item: str) -> None:
        self._counts[fault, stage, item] += 1
        self._counts[(fault,)] += 1

"""The log of the faults that were injected into a run, in its folder: a run that is killed and resumed counts on."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from genomics_pipeline.model.faults import Fault
from genomics_pipeline.stores.publish import open_appending


class FaultLog:
    """A file with one JSON line for each injection of a fault into an item of a stage.

    A fault is identified by its position and its text in the file of faults; a changed fault counts from zero.

    Args:
        file: The file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._counts = Counter[tuple[str, ...]]()
        text = file.read_text("utf-8") if file.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            self._count(*json.loads(line))

    def add(self, fault: Fault, stage: str, item: str) -> None:
        """Record an injection of a fault, before it happens: the fault may kill this process.

        Args:
            fault: The fault.
            stage: The stage.
            item: The item.
        """
        injection = str(fault), stage, item
        with self._lock:
            with open_appending(self._file) as file:
                file.write(json.dumps(injection).encode() + b"\n")
            self._count(*injection)

    def count(self, fault: Fault, *place: str) -> int:
        """Return the number of injections of a fault into `place`, an item of a stage; into all items without it."""
        with self._lock:
            return self._counts[str(fault), *place]

    def _count(self, fault: str, stage: str, item: str) -> None:
        self._counts[fault, stage, item] += 1
        self._counts[(fault,)] += 1


class Injection(NamedTuple):
    """An injection of a fault, as a run has logged it.

    Attributes:
        fault: The fault, in words.
        stage: The stage.
        item: The item of the stage.
    """

    fault: str
    stage: str
    item: str


def logged_injections(file: Path) -> list[Injection]:
    """Return the faults that were injected into a run, oldest first; without lines that are damaged.

    Args:
        file: The log, which need not exist.
    """
    found = []
    with suppress(OSError, UnicodeDecodeError):
        for line in file.read_text("utf-8").splitlines():
            with suppress(ValueError, TypeError):
                found.append(Injection(*map(str, json.loads(line))))
    return found

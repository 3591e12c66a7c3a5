"""The state of an execution, read from its journal while it runs, or after it was interrupted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.journal import read_records
from genomics_pipeline.model import run_layout


@dataclass(frozen=True, slots=True)
class UnfinishedMapRun:
    """A Map Run that has not ended.

    Attributes:
        uuid: Its UUID.
        started: When, in seconds since the epoch.
        items: How many items ended, by the status of their child.
        begun: Children that began and have not ended; only those that got past their first effect are known.
        failures: (input, error, cause) of children that failed.
    """

    uuid: str
    started: float
    items: Counter[str] = field(default_factory=Counter)
    begun: set[int] = field(default_factory=set)
    failures: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExecutionProgress:
    """An execution.

    Attributes:
        ended: Its Map Runs that ended, as DescribeMapRun describes them.
        unfinished: Those that have not.
        result: The members of `engine.result.ExecutionResult`; None where it has not ended.
    """

    ended: list[dict[str, Any]]
    unfinished: list[UnfinishedMapRun]
    result: dict[str, Any] | None = None


def read_progress(journal: Path) -> ExecutionProgress:
    """Return what a journal tells; nothing where there is none yet.

    Args:
        journal: The journal's folder.

    Raises:
        RunError: if it is damaged.
    """
    ended: list[dict[str, Any]] = []
    begun: dict[str, float] = {}
    result: dict[str, Any] | None = None
    for record in _records(journal / run_layout.EXECUTION_JOURNAL):
        if "run" in record:
            ended.append(record["run"])
        elif "result" in record:
            result = record["result"]
        elif "map" in record:
            begun[record["uuid"]] = record["started"]
    for run in ended:
        begun.pop(run["mapRunArn"].rpartition(":")[2], None)
    return ExecutionProgress(ended, [_unfinished(journal, uuid, started) for uuid, started in begun.items()], result)


def _unfinished(journal: Path, uuid: str, started: float) -> UnfinishedMapRun:
    found = UnfinishedMapRun(uuid, started)
    for record in _records(journal / run_layout.map_run_journal(uuid)):
        if "end" in record:
            found.items[record["status"]] += record["items"]
            found.begun.discard(record["end"])
            if record["status"] != "SUCCEEDED":
                found.failures.append((record["input"], record.get("error", ""), record.get("cause", "")))
        elif "child" in record:
            found.begun.add(record["child"])
    return found


def _records(path: Path) -> Any:
    return read_records(path, truncate=False) if path.exists() else ()

"""The progress of an execution, read from its journal while it runs or after it was interrupted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.journal import JournalRecord, read_records
from genomics_pipeline.engine.row_file import Framing, RowFile
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.json_text import loads


@dataclass(frozen=True, slots=True)
class UnfinishedMapRun:
    """A Map Run that has not ended.

    Attributes:
        uuid: Its UUID.
        label: Its Label; empty in journals of older versions.
        started: Start time in seconds since the epoch.
        items: The number of items that have ended, by the status of their child.
        running_children: Indexes of children that have started and not ended. A child is known only once it has passed
            its first state with an effect.
        failures: (input, error, cause) of children that failed.
    """

    uuid: str
    label: str
    started: float
    items: Counter[str] = field(default_factory=Counter)
    running_children: set[int] = field(default_factory=set)
    failures: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExecutionProgress:
    """The progress of an execution.

    Attributes:
        ended: Its Map Runs that have ended, as DescribeMapRun describes them.
        unfinished: Its Map Runs that have not ended.
        result: The members of `engine.result.ExecutionResult`; None if the execution has not ended.
    """

    ended: list[dict[str, Any]]
    unfinished: list[UnfinishedMapRun]
    result: dict[str, Any] | None = None


def read_progress(journal: Path) -> ExecutionProgress:
    """Return the progress of an execution; an empty one if there is no journal yet.

    Args:
        journal: The journal's folder.

    Raises:
        RunError: if the journal is damaged.
    """
    ended: list[dict[str, Any]] = []
    begun: dict[str, tuple[str, float]] = {}
    result: dict[str, Any] | None = None
    for record in _records(journal / run_layout.EXECUTION_JOURNAL):
        if "run" in record:
            ended.append(record["run"])
        elif "result" in record:
            result = record["result"]
        elif "map" in record:
            begun[record["uuid"]] = record.get("label", ""), record["started"]
    for run in ended:
        begun.pop(run["mapRunArn"].rpartition(":")[2], None)
    unfinished = [_read_unfinished(journal, uuid, *start) for uuid, start in begun.items()]
    return ExecutionProgress(ended, unfinished, result)


def succeeded_inputs(journal: Path, uuid: str) -> Iterator[str]:
    """Yield the inputs of the children of a Map Run that succeeded, as JSON text.

    Args:
        journal: The journal's folder.
        uuid: The UUID of the Map Run.

    Raises:
        RunError: if the journal is damaged.
    """
    for record in _records(journal / run_layout.map_run_journal(uuid)):
        if record.get("status") == "SUCCEEDED":
            yield row_of_success(journal, uuid, record)["Input"]


def row_of_success(journal: Path, uuid: str, record: JournalRecord) -> dict[str, Any]:
    """Return ResultWriter's row of a child that succeeded.

    Args:
        journal: The journal's folder.
        uuid: The UUID of the Map Run.
        record: The journal's record of the child's end.

    Raises:
        RunError: if the journal is damaged.
    """
    redrive, offset, size = record["row"]
    path = journal / run_layout.map_run_rows(uuid, redrive)
    with closing(RowFile(path, Framing.of("JSONL"))) as rows:
        row: dict[str, Any] = loads(rows.read(offset, size))
    return row


def _read_unfinished(journal: Path, uuid: str, label: str, started: float) -> UnfinishedMapRun:
    run = UnfinishedMapRun(uuid, label, started)
    for record in _records(journal / run_layout.map_run_journal(uuid)):
        if "end" in record:
            run.items[record["status"]] += record["items"]
            run.running_children.discard(record["end"])
            if record["status"] != "SUCCEEDED":
                run.failures.append((record["input"], record.get("error", ""), record.get("cause", "")))
        elif "child" in record:
            run.running_children.add(record["child"])
    return run


def _records(path: Path) -> Any:
    return read_records(path, truncate=False) if path.exists() else ()

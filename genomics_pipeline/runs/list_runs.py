"""The runs of a stack, the newest first, and those in folders of this machine."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import Deployment, find_deployment, state_machines
from genomics_pipeline.aws.executions import STATUSES, list_executions
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.aws.run_names import run_names, run_of
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.aws_run import AwsRunRecord
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.run import read_record, run_place
from genomics_pipeline.runs.run_folder import RunFolder, is_run
from genomics_pipeline.stores.protocol import MissingObject, Store

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

NO_EXECUTION = "NOT_STARTED"  # none of its name: it was never started, or ended so long ago that AWS forgot it
ALL_STATUSES = (*STATUSES, NO_EXECUTION)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list of runs.

    Attributes:
        run: Its name; of a local run, its folder.
        pipeline: The pipeline's name.
        samples: How many.
        status: One of `ALL_STATUSES`.
        submitted: ISO 8601, UTC.
        seconds: How long it took, or has taken so far; None where that is not known.
    """

    run: str
    pipeline: str
    samples: int | None
    status: str
    submitted: str
    seconds: float | None


def local_runs(folders: Iterable[Path], status: str | None) -> Iterator[RunRow]:
    """Yield the runs in folders and below them, in the order of their paths.

    Args:
        folders: Where to look.
        status: Only runs with it.

    Raises:
        RunError: for a folder that is not there.
    """
    for top in folders:
        if not top.is_dir():
            raise RunError(f"{top}: expected a folder, found none")
        for path, below, _ in os.walk(top):
            below.sort()
            if is_run(Path(path)):
                below.clear()
                row = _local(RunFolder(Path(path)))
                if status in (None, row.status):
                    yield row


def _local(folder: RunFolder) -> RunRow:
    record = folder.record()
    status = folder.status() or NO_EXECUTION
    seconds = record.seconds if record else None
    if record and status == "RUNNING":
        seconds = (datetime.now(UTC) - datetime.fromisoformat(record.started)).total_seconds()
    samples = None
    if folder.manifest.is_file():
        with folder.manifest.open("rb") as lines:
            samples = sum(1 for _ in lines)
    pipeline, started = (record.pipeline, record.started) if record else ("", "")
    return RunRow(str(folder.path), pipeline, samples, status, started, seconds)


def stack_runs(stack: str, status: str | None, adapters: Adapters) -> Iterator[RunRow]:
    """Yield the runs of a stack, the newest first; at the end those that Step Functions has no record of.

    Args:
        stack: Its name.
        status: Only runs with it.
        adapters: Where runs are read.

    Raises:
        RunError: if AWS cannot be asked.
    """
    clients, store = adapters.clients, adapters.store
    deployment = find_deployment(stack, clients)
    known: set[str] = set()
    if status != NO_EXECUTION:
        yield from _executed(deployment, clients, store, status, known)
    if status in (None, NO_EXECUTION):
        if status:
            known |= {
                run_of(one["name"])
                for machine in state_machines(stack, clients)
                for one in list_executions(machine, clients)
            }
        yield from _never_executed(deployment, clients, store, known)


def _executed(
    deployment: Deployment, clients: Clients, store: Store, status: str | None, known: set[str]
) -> Iterator[RunRow]:
    """Yield the runs with an execution; all executions are listed, since a run's status is that of its newest one."""
    listed = [list_executions(one, clients) for one in state_machines(deployment.names.stack, clients)]
    newest_first = heapq.merge(*listed, key=lambda one: one["startDate"], reverse=True)

    def row(execution: ExecutionListItemTypeDef) -> RunRow | None:
        record = _record(run_of(execution["name"]), deployment, store)
        if record is None:  # an execution that somebody else started
            return None
        started = execution["startDate"]
        seconds = (execution.get("stopDate", datetime.now(UTC)) - started).total_seconds()
        return _row(record, execution["status"], started, seconds)

    def newest() -> Iterator[ExecutionListItemTypeDef]:
        for execution in newest_first:
            run = run_of(execution["name"])
            if run not in known and status in (None, execution["status"]):
                yield execution
            known.add(run)

    yield from filter(None, in_parallel(row, newest()))


def _never_executed(deployment: Deployment, clients: Clients, store: Store, known: set[str]) -> Iterator[RunRow]:
    names = (name for name in run_names(deployment, clients) if name not in known)
    records = in_parallel(lambda name: _record(name, deployment, store), names)
    rows = [_row(record, NO_EXECUTION, None, None) for record in records if record]
    yield from sorted(rows, key=lambda row: row.submitted, reverse=True)


def _record(name: str, deployment: Deployment, store: Store) -> AwsRunRecord | None:
    try:
        return read_record(run_place(name, deployment.bucket), store)
    except MissingObject:
        return None


def _row(record: AwsRunRecord, status: str, started: datetime | None, seconds: float | None) -> RunRow:
    submitted = record.submitted if started is None else started.astimezone(UTC).isoformat(timespec="seconds")
    return RunRow(record.run, record.pipeline, record.samples, status, submitted, seconds)

"""Lists of runs: those of a stack, the newest first, and those in folders of this machine."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import Deployment, find_deployment, state_machines
from genomics_pipeline.aws.executions import STATUSES, list_executions
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.aws.run_names import run_names, run_of
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.aws_run import AwsRunRecord
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.run import read_record, run_place
from genomics_pipeline.runs.run_folder import RunFolder, is_run
from genomics_pipeline.stores.protocol import MissingObject, Store

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

NO_EXECUTION = "NOT_STARTED"  # never started, or ended so long ago that AWS no longer lists it
ALL_STATUSES = (*STATUSES, NO_EXECUTION)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list of runs.

    Attributes:
        run: The name of the run; the folder of a run on this machine.
        pipeline: The name of the pipeline.
        samples: The number of samples; None where the run has no manifest yet.
        status: The status of the newest execution, one of `ALL_STATUSES`.
        submitted: The time of the submission or the start, ISO 8601 in UTC.
        seconds: The duration of the newest execution, so far if it is running; None where it is not known.
    """

    run: str
    pipeline: str
    samples: int | None
    status: str
    submitted: str
    seconds: float | None


def local_runs(folders: Iterable[Path], status: str | None) -> Iterator[RunRow]:
    """Yield the runs in folders and their subfolders, in the order of their paths.

    Args:
        folders: The folders to search.
        status: The status of the runs to yield; None for all.

    Raises:
        RunError: for a folder that does not exist.
    """
    for top in folders:
        if not top.is_dir():
            raise RunError(f"{top}: expected a folder, found none")
        for path, below, _ in os.walk(top):
            below.sort()
            if is_run(Path(path)):
                below.clear()
                row = _folder_row(RunFolder(Path(path)))
                if status in (None, row.status):
                    yield row


def _folder_row(folder: RunFolder) -> RunRow:
    folder.refuse_links()
    record = folder.record()
    status = folder.status() or NO_EXECUTION
    seconds = record.seconds if record else None
    if record and status == "RUNNING":
        seconds = (datetime.now(UTC) - datetime.fromisoformat(record.started)).total_seconds()
    samples = None
    with suppress(MissingObject), folder.store.open(folder.uri(run_layout.MANIFEST)) as lines:
        samples = sum(1 for _ in lines)
    pipeline, started = (record.pipeline, record.started) if record else ("", "")
    return RunRow(str(folder.path), pipeline, samples, status, started, seconds)


def stack_runs(stack: str, status: str | None, adapters: Adapters) -> Iterator[RunRow]:
    """Yield the runs of a stack, the newest first; those without an execution in Step Functions come last.

    Args:
        stack: The name of the stack.
        status: The status of the runs to yield; None for all.
        adapters: The clients and the store to read runs with.

    Raises:
        RunError: if AWS cannot be reached.
    """
    clients, store = adapters.clients, adapters.store
    deployment = find_deployment(stack, clients)
    known: set[str] = set()
    if status != NO_EXECUTION:
        yield from _runs_with_execution(deployment, clients, store, status, known)
    if status in (None, NO_EXECUTION):
        if status:
            known |= {
                run_of(one["name"])
                for machine in state_machines(stack, clients)
                for one in list_executions(machine, clients)
            }
        yield from _runs_without_execution(deployment, clients, store, known)


def _runs_with_execution(
    deployment: Deployment, clients: Clients, store: Store, status: str | None, known: set[str]
) -> Iterator[RunRow]:
    """Yield the runs whose newest execution has a status, and add the names of the runs with executions to `known`.

    The executions of all statuses are listed, because the newest one decides.

    Args:
        deployment: The deployed stack.
        clients: The AWS clients.
        store: The store that reads the records of runs.
        status: The status; None for all.
        known: The names of runs, to add to.
    """
    listed = [list_executions(one, clients) for one in state_machines(deployment.names.stack, clients)]
    newest_first = heapq.merge(*listed, key=lambda one: one["startDate"], reverse=True)

    def row(execution: ExecutionListItemTypeDef) -> RunRow | None:
        record = _record(run_of(execution["name"]), deployment, store)
        if record is None:  # an execution that was not started by submit
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


def _runs_without_execution(
    deployment: Deployment, clients: Clients, store: Store, known: set[str]
) -> Iterator[RunRow]:
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

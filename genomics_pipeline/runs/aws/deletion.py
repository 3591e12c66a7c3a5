"""Deletion of a run on AWS: its objects below the bucket of its stack, and their versions where that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from genomics_pipeline.aws.executions import ENDS, find_execution
from genomics_pipeline.aws.objects_below import BatchOfObjects, delete_batch, objects_below
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.aws.run_names import run_names
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.aws.cancel import remaining_jobs
from genomics_pipeline.runs.aws.chain import aws_chain
from genomics_pipeline.runs.aws.run import AwsRun, run_place
from genomics_pipeline.runs.deletion import DeletionRequest, RunContents, refers_to
from genomics_pipeline.stores.protocol import MissingObject

_LAST = (run_layout.DEFINITION, run_layout.RECORD)  # an interrupted deletion is found again, and repeated
_READ_BY_OTHERS = (run_layout.RECORD, run_layout.MANIFEST)  # of other runs: may name files of this one
COMPARED_RUNS = 1000  # runs of the stack that are searched for the URI of this one
COMPARED_BYTES = 1 << 20  # of a manifest of another run


def run_contents(run: AwsRun, request: DeletionRequest) -> RunContents:
    """Return the contents of a run.

    Raises:
        RunError: if an execution or a job of it is running, or AWS cannot be reached.
    """
    status, executions = _ended_status(run)
    files = size_bytes = 0
    for batch in objects_below(run.place.bucket, run.place.prefix, request.versions, run.clients):
        files += len(batch.objects)
        size_bytes += batch.size_bytes
    return RunContents(
        run=run.name,
        place=run.place.uri(""),
        status=status,
        begun=run.record.submitted,
        executions=executions,
        files=files,
        size_bytes=size_bytes,
        referrers=tuple(_referrers(run)),
    )


def delete_run(run: AwsRun, request: DeletionRequest, note: Callable[[str], None]) -> None:
    """Delete the objects of a run; its record is the last.

    Args:
        run: The run.
        request: The request.
        note: Shows a line of progress.

    Raises:
        RunError: see `run_contents`; also if an object cannot be deleted. The deletion can be repeated.
    """
    _ended_status(run)
    bucket, prefix, deleted = run.place.bucket, run.place.prefix, 0
    last = BatchOfObjects()
    for batch in objects_below(bucket, prefix, request.versions, run.clients):
        now, later = batch.divide(frozenset(prefix + key for key in _LAST))
        last += later
        delete_batch(bucket, now, run.clients)
        deleted += len(now.objects)
        note(f"{quantity(deleted, 'object', ',')} deleted")
    for key in _LAST:
        delete_batch(bucket, last.divide(frozenset([prefix + key]))[1], run.clients)


def _ended_status(run: AwsRun) -> tuple[str, int]:
    """Return the status of the newest execution of a run that has ended, and the number of its executions.

    Raises:
        RunError: if an execution or a job is running.
    """
    cancel = command_line("cancel", run.name)
    started = [execution for one in aws_chain(run) if (execution := find_execution(one.arn, run.clients))]
    for execution in started:
        if execution["status"] not in ENDS:
            found = f"expected a run that has ended, found the execution {execution['name']} {execution['status']}"
            raise RunError(f"{run.name}: {found}; wait for it, or end it: {cancel}")
    if job := next(remaining_jobs(run), None):
        raise RunError(f"{run.name}: expected a run that has ended, found its Batch job {job}; end its jobs: {cancel}")
    return (started[-1]["status"], len(started)) if started else ("", 0)


def _referrers(run: AwsRun) -> Iterator[str]:
    """Yield the records of other runs of the stack that name files of this one."""
    names = (name for name in run_names(run.deployment, run.clients) if name != run.name)
    place = (run.place.uri("").rstrip("/").encode(),)

    def named_by(name: str) -> list[str]:
        other = run_place(name, run.place.bucket)
        return [uri for key in _READ_BY_OTHERS if refers_to(_beginning(uri := other.uri(key), run), place)]

    for uris in in_parallel(named_by, islice(names, COMPARED_RUNS)):
        yield from uris


def _beginning(uri: str, run: AwsRun) -> bytes:
    try:
        with run.store.open(uri) as stream:
            return stream.read(COMPARED_BYTES)
    except MissingObject:
        return b""

"""`submit --check-rights`: a small job that uses the inputs of a run as its tasks will, with their role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from genomics_pipeline.aws import logs
from genomics_pipeline.aws.batch import BatchError, BatchJobs
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.container_overrides import OVERRIDES_BUDGET, overrides_length
from genomics_pipeline.model.errors import Problem, RunError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.resource_names import COST_TAG
from genomics_pipeline.model.rights import RIGHTS_VARIABLE, RightsCheck, RightsReport, RightsRequest, find_report
from genomics_pipeline.model.s3_uri import split_object
from genomics_pipeline.reference.index_kinds import INDEX_KINDS
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.reference import indexes_of
from genomics_pipeline.runs.aws.single_job import run_job
from genomics_pipeline.runs.aws.submission import Submission
from genomics_pipeline.runs.given_files import parameter_files, reads
from genomics_pipeline.runs.gvcf_checks import gvcf_files
from genomics_pipeline.stores.protocol import MissingObject, TransferFailed

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

MEMORY_MIB = 512
TIMEOUT_S = 600
LOG_LINES = 50
CANCELLED = "cancelled by `genomics-pipeline submit --check-rights`"
POLICY = "`genomics-pipeline template --caller-policy --check-rights` prints the policy of those who may check rights"
TO_DO = (
    "deploy with the bucket in InputBuckets and its KMS key in InputKeys; a bucket or key of another account must "
    "allow the role, too"
)

ShowLine = Callable[[str], None]


def refuse_missing_rights(submission: Submission, adapters: Adapters, note: ShowLine) -> None:
    """Run a job that reads a byte of each folder of inputs and writes an object below the run, and wait for it.

    Args:
        submission: The run.
        adapters: The store and the clients.
        note: Shows a line of progress.

    Raises:
        RunError: with all rights that are missing, or if the job cannot be run.
    """
    request = _request(submission, note)
    report = _run(request, submission, adapters, note)
    for check in report.checks:
        if check.problem is None:
            note(f"rights: {check.action} {check.uri}: works")
    missing = [_problem(check) for check in report.checks if check.problem is not None]
    if missing:
        raise RunError(missing)


def _problem(check: RightsCheck) -> Problem:
    message = (check.problem or "").removeprefix(f"{check.uri}: ")
    return Problem(f"the job role cannot {check.action} it: {message}; {TO_DO}", check.uri)


def _request(submission: Submission, note: ShowLine) -> RightsRequest:
    """Return an object of each folder of the inputs: first one of each bucket, then as many as fit into a job."""
    report = submission.place.uri(run_layout.RIGHTS)
    folders = {uri.rpartition("/")[0]: uri for uri in reversed(list(_inputs(submission)))}
    buckets = {split_object(uri)[0]: uri for uri in folders.values()}
    ordered = list(dict.fromkeys([*buckets.values(), *reversed(folders.values())]))
    count = len(ordered)
    while overrides_length(_overrides(RightsRequest(tuple(ordered[:count]), report))) > OVERRIDES_BUDGET:
        count -= 1
    if count < len(ordered):
        note(
            f"rights: checked in {quantity(count, 'folder')} of {len(ordered):,}; others of their buckets are like them"
        )
    return RightsRequest(tuple(ordered[:count]), report)


def _inputs(submission: Submission) -> Iterator[str]:
    planned, reference = submission.plan, submission.reference
    of_parameters = (file for file, _ in parameter_files(planned.pipeline, planned.overrides))
    files = [*reads(planned.samples), *gvcf_files(planned.samples), *of_parameters]
    yield from (file.uri for file in files if file.uri.startswith("s3://"))
    if reference.local is None:
        yield reference.uri
        for name in indexes_of(planned.pipeline, planned.overrides):
            yield from INDEX_KINDS[name].beside(reference.uri)


def _overrides(request: RightsRequest) -> dict[str, Any]:
    return {
        "Environment": [{"Name": RIGHTS_VARIABLE, "Value": request.to_text()}],
        "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": str(MEMORY_MIB)}],
    }


def _run(request: RightsRequest, submission: Submission, adapters: Adapters, note: ShowLine) -> RightsReport:
    names, jobs = submission.deployment.names, BatchJobs(adapters.clients)
    step = submission.plan.pipeline.stages[0].step.name
    arguments = {
        "JobName": "check-rights",
        "JobQueue": names.job_queue,
        "JobDefinition": names.job_definition(step),
        "Tags": {COST_TAG: names.stack, "run": submission.place.name},
        "ContainerOverrides": _overrides(request),
        "Timeout": {"AttemptDurationSeconds": TIMEOUT_S},
    }
    try:
        detail = run_job(arguments, jobs, CANCELLED, lambda text: note(f"rights: {text}"))
    except BatchError as error:
        raise RunError(f"cannot check rights: {error}; {POLICY}") from error
    job_id = detail["jobId"]
    report = find_report(_texts(request, detail, submission, adapters), job_id)
    with suppress(TransferFailed):  # who may not delete runs leaves it there
        adapters.store.delete(request.report)
    if report is None:
        failure = classify("States.TaskFailed", compact(jobs.detail(detail)))
        message = f"expected a report of its rights, found none: {failure.failure_class}: {failure.message}"
        raise RunError(f"job {job_id}: {message}; read its log in {names.log_group}")
    return report


def _texts(
    request: RightsRequest, detail: JobDetailTypeDef, submission: Submission, adapters: Adapters
) -> Iterator[str]:
    """Yield the object that the job wrote, and lines of its log, newest first: who may not write leaves no object."""
    with suppress(MissingObject, TransferFailed):
        yield adapters.store.read(request.report).decode("utf-8", "replace")
    stream = detail.get("container", {}).get("logStreamName")
    group = submission.deployment.names.log_group
    lines: Iterable[str] = (stream and logs.last_lines(group, stream, LOG_LINES, adapters.clients)) or ()
    yield from reversed(list(lines))

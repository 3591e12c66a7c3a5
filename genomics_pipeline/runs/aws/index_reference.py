"""The indexes of a reference on S3, built by a job on AWS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from genomics_pipeline.aws import logs
from genomics_pipeline.aws.batch import BatchError, BatchJobs
from genomics_pipeline.aws.deployment import Deployment, find_deployment
from genomics_pipeline.aws.jobs import deployed_job
from genomics_pipeline.aws.registry import has_tag
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import DataError, Problem, RunError, UsageError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.index_order import INDEX_VARIABLE, IndexOrder
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.resource_names import COST_TAG
from genomics_pipeline.model.task import MEMORY_VARIABLE, VCPUS_VARIABLE
from genomics_pipeline.model.web_uri import file_path, is_web
from genomics_pipeline.reference.copies import USUAL_RATIO
from genomics_pipeline.reference.index_kinds import IndexKind
from genomics_pipeline.reference.index_needs import needs
from genomics_pipeline.reference.place_indexes import PlacedIndex, PlacedReference
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.index_hosts import HostNeed, choose_hosts, host_need
from genomics_pipeline.runs.aws.single_job import run_job
from genomics_pipeline.runs.index_reference import chosen_order

VCPUS = 2  # minibwa's sorting uses two
LOG_LINES = 20
CANCELLED = "cancelled by `genomics-pipeline index`"
POLICY = "`genomics-pipeline template --caller-policy --index` prints the policy of those who may build indexes"


@dataclass(frozen=True, slots=True)
class IndexJob:
    """A job that builds indexes.

    Attributes:
        deployment: The stack that it runs in.
        order: The indexes that it builds.
        missing: The kinds that are not there.
        need: Its requirements on the host.
    """

    deployment: Deployment
    order: IndexOrder
    missing: tuple[IndexKind, ...]
    need: HostNeed


def index_on_aws(
    order: IndexOrder, stack: str, adapters: Adapters, note: Callable[[str], None], *, wait: bool = True
) -> list[PlacedIndex]:
    """Build the indexes of a reference by a job on AWS, where they are missing.

    Args:
        order: The reference on S3 or a web server, the named kinds, and the prefix for a copy of the reference.
        stack: The name of the stack.
        adapters: The store and the clients.
        note: Shows a line of progress.
        wait: Wait for the end of the job.

    Returns:
        The indexes in their places; those that the job is to build, if it is not waited for.

    Raises:
        UsageError: for a reference of this machine, or one that needs a prefix of the stack's bucket.
        DataError: if a kind cannot be built or used, or no host of the stack is large enough.
        RunError: if there is no such stack, the job cannot be run, or it failed.
    """
    deployment = find_deployment(stack, adapters.clients)
    _refuse_place(order, deployment)
    reference = PlacedReference(order, adapters.store, adapters.cache)
    if order.out is None and reference.is_compressed:
        raise DataError(
            Problem(f"expected a plain FASTA file, found gzip; {_advice(order, deployment)}", order.reference)
        )
    order = chosen_order(order, adapters, lambda kind: None, note)
    reference = PlacedReference(order, adapters.store, adapters.cache)
    missing = tuple(kind for kind in reference.kinds if not reference.is_complete(kind))
    if missing or (order.out is not None and adapters.store.stat(order.fasta) is None):
        size = reference.info.size_bytes * (USUAL_RATIO if reference.is_compressed else 1)
        job = IndexJob(deployment, order, missing, host_need(missing, size))
        note(f"index: {order.reference}: {needs(missing, size)}")
        choose_hosts(job.need, stack, deployment.architecture, adapters.clients, note)
        _run(job, adapters, note, wait=wait)
        reference = PlacedReference(order, adapters.store, adapters.cache)
    return [PlacedIndex(kind.name, tuple(reference.targets(kind)), built=kind in missing) for kind in reference.kinds]


def _refuse_place(order: IndexOrder, deployment: Deployment) -> None:
    """Refuse a reference or a prefix that the job cannot read or write.

    Raises:
        UsageError: for such an order.
    """
    if not (order.reference.startswith("s3://") or is_web(order.reference)):
        advice = "upload it, or index it on this machine: submit uploads it with its indexes"
        raise UsageError(
            f"{order.reference}: --stack: expected a reference on S3 or a web server, found a path; {advice}"
        )
    own, allowed = f"s3://{deployment.bucket}/", f"s3://{deployment.bucket}/{run_layout.INDEXED}"
    if order.out is not None and not order.out.startswith(allowed):
        raise UsageError(
            f"--out {order.out}: expected a prefix below {allowed}, where the job may write, found another"
        )
    if order.out is None and not order.reference.startswith(own):
        where = "expected a reference in the bucket of the stack, beside which the job may write, found another place"
        raise UsageError(f"{order.reference}: {where}; {_advice(order, deployment)}")


def _advice(order: IndexOrder, deployment: Deployment) -> str:
    stem = PurePosixPath(file_path(order.reference).removesuffix(".gz")).stem
    prefix = f"s3://{deployment.bucket}/{run_layout.INDEXED}{stem}/"
    return f"--out {prefix} gets it, plain, with its indexes"


def _run(job: IndexJob, adapters: Adapters, note: Callable[[str], None], *, wait: bool) -> None:
    names, clients = job.deployment.names, adapters.clients
    _refuse_missing_image(job.deployment, adapters)
    jobs, arguments = BatchJobs(clients), _arguments(job)
    try:
        if not wait:
            job_id = jobs.submit(arguments)["JobId"]
            note(f"index: the job {job_id} was submitted to {names.on_demand_queue}; its log is in {names.log_group}")
            return
        detail = run_job(arguments, jobs, CANCELLED, lambda text: note(f"index: {text}"))
    except BatchError as error:
        raise RunError(f"cannot build indexes: {error}; {POLICY}") from error
    lines = _log_lines(detail, job.deployment, adapters)
    if detail["status"] == "SUCCEEDED":
        for line in lines:
            note(line)
        return
    for line in lines:
        note(f"log: {line}")
    failure = classify("States.TaskFailed", compact(jobs.detail(detail)))
    problem = next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), None)
    message = f"{failure.failure_class}: {problem or failure.message}"
    if failure.failure_class is FailureClass.OUT_OF_MEMORY:
        message += f"; the job had {job.need.memory_mib:,} MiB; leave the kind out (--kind), or report the reference"
    raise RunError(f"job {detail['jobId']}: {message}; its log is in {names.log_group}")


def _refuse_missing_image(deployment: Deployment, adapters: Adapters) -> None:
    name = deployment.names.index_job
    definition = deployed_job(name, adapters.clients)
    if definition is None:
        message = "expected an ACTIVE one, found none; `genomics-pipeline deploy` creates it"
        raise RunError(f"job definition {name}: {message}")
    repository, _, tag = definition.image.partition("/")[2].rpartition(":")
    if not has_tag(repository, tag, adapters.clients):
        advice = "`genomics-pipeline containers push` builds and pushes it"
        raise RunError(f"image {repository}:{tag}: expected it in ECR, found none; {advice}")


def _arguments(job: IndexJob) -> dict[str, Any]:
    names = job.deployment.names
    memory, vcpus = str(job.need.memory_mib), str(VCPUS)
    values = {INDEX_VARIABLE: job.order.to_text(), MEMORY_VARIABLE: memory, VCPUS_VARIABLE: vcpus}
    return {
        "JobName": "index",
        "JobQueue": names.on_demand_queue,  # a lost host would cost an hour
        "JobDefinition": names.index_job,
        "Tags": {COST_TAG: names.stack},
        "ContainerOverrides": {
            "Environment": [{"Name": name, "Value": value} for name, value in values.items()],
            "ResourceRequirements": [
                {"Type": "VCPU", "Value": vcpus},
                {"Type": "MEMORY", "Value": memory},
            ],
        },
    }


def _log_lines(detail: Any, deployment: Deployment, adapters: Adapters) -> Sequence[str]:
    stream = detail.get("container", {}).get("logStreamName")
    return (stream and logs.last_lines(deployment.names.log_group, stream, LOG_LINES, adapters.clients)) or []

"""Job definitions of Batch, and jobs that have not ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from genomics_pipeline.aws.clients import Clients, UnknownOperation, aws_call, known_operation
from genomics_pipeline.aws.patience import ROUNDS, THROTTLED, Pace, in_parallel, pause_s, retry_throttled
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import RunError

if TYPE_CHECKING:
    from mypy_boto3_batch.literals import JobStatusType
    from mypy_boto3_batch.type_defs import JobDefinitionTypeDef, JobDetailTypeDef

ACTIVE: Sequence[JobStatusType] = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
REQUESTS_PER_SECOND = quotas.BATCH_RATE.value * 4 // 5  # the rest is left to the account's other users


@dataclass(frozen=True, slots=True)
class DeployedJob:
    """The newest active revision of a job definition.

    Attributes:
        arn: Its ARN, with the number of the revision.
        image: Its image.
    """

    arn: str
    image: str


def deployed_job(job_definition: str, clients: Clients) -> DeployedJob | None:
    """Return the newest active revision of a job definition; None if there is none.

    Raises:
        RunError: if a call fails.
    """
    newest = max(_revisions(job_definition, clients), key=lambda one: one["revision"], default=None)
    return DeployedJob(newest["jobDefinitionArn"], newest["containerProperties"]["image"]) if newest else None


def deregister_others(newest: str, clients: Clients) -> None:
    """Remove all active revisions of a job definition but one, as Batch does: it keeps them inactive for 180 days.

    Args:
        newest: The ARN of the revision that stays.
        clients: The AWS clients.

    Raises:
        RunError: if a call fails.
    """
    name = newest.rpartition("/")[2].partition(":")[0]
    for one in _revisions(name, clients):
        if one["jobDefinitionArn"] != newest:
            with aws_call(f"deregister the job definition {name}:{one['revision']}"):
                clients.batch.deregister_job_definition(jobDefinition=one["jobDefinitionArn"])


def _revisions(job_definition: str, clients: Clients) -> list[JobDefinitionTypeDef]:
    """Return the active revisions of a job definition."""
    pages = clients.batch.get_paginator("describe_job_definitions").paginate(
        jobDefinitionName=job_definition, status="ACTIVE"
    )
    with aws_call(f"read the job definition {job_definition}"):
        return [one for page in pages for one in page["jobDefinitions"]]


def active_jobs(queue: str, is_wanted: Callable[[str], bool], clients: Clients) -> Iterator[JobDetailTypeDef]:
    """Yield the jobs of a queue that have not ended and whose names are wanted.

    They are listed by status, a thousand with each request. The filter JOB_NAME, which takes the beginning of a name,
    ignores the status: it would list all that ended in the last week too, a hundred with each request (Batch API
    reference, ListJobs).

    Args:
        queue: The name of the queue.
        is_wanted: Returns whether to describe a job with a name.
        clients: The AWS clients.

    Raises:
        RunError: if a call fails.
    """
    pace = Pace(REQUESTS_PER_SECOND)
    job_ids = (identity for status in ACTIVE for identity in _list_job_ids(queue, status, is_wanted, pace, clients))
    while some := list(islice(job_ids, quotas.DESCRIBE_JOBS.value)):
        pace.wait()
        with aws_call("describe jobs"):
            described = retry_throttled(partial(clients.batch.describe_jobs, jobs=some))
        yield from (job for job in described["jobs"] if job["status"] in ACTIVE)


def _list_job_ids(
    queue: str, status: JobStatusType, is_wanted: Callable[[str], bool], pace: Pace, clients: Clients
) -> Iterator[str]:
    token: dict[str, Any] = {}
    while True:
        pace.wait()
        with aws_call(f"list the jobs of the queue {queue}"):
            page = retry_throttled(partial(clients.batch.list_jobs, jobQueue=queue, jobStatus=status, **token))
        yield from (job["jobId"] for job in page["jobSummaryList"] if is_wanted(job["jobName"]))
        if "nextToken" not in page:
            return
        token = {"nextToken": page["nextToken"]}


def terminate(jobs: Sequence[str], reason: str, clients: Clients, pause: Callable[[float], None] = time.sleep) -> None:
    """Terminate jobs in any state: fifty with each request, or one by one where TerminateJobs is unknown.

    Args:
        jobs: The ids of the jobs.
        reason: The reason, which becomes their status reason.
        clients: The AWS clients.
        pause: Waits for the given number of seconds.

    Raises:
        RunError: if AWS refuses.
    """
    pace = Pace(REQUESTS_PER_SECOND)
    most = quotas.TERMINATE_JOBS.value
    batches = [jobs[start : start + most] for start in range(0, len(jobs), most)]
    batch = clients.batch
    with suppress(UnknownOperation):
        for round_ in range(ROUNDS if hasattr(batch, "terminate_jobs") else 0):
            batches = _terminate_many(batches, reason, pace, clients)
            if not batches:
                return
            pause(pause_s(round_))

    def end(job: str) -> None:
        pace.wait()
        with aws_call(f"terminate the job {job}"):
            retry_throttled(partial(batch.terminate_job, jobId=job, reason=reason))

    for _ in in_parallel(end, (job for some in batches for job in some)):
        pass


def _terminate_many(batches: Sequence[Sequence[str]], reason: str, pace: Pace, clients: Clients) -> list[Sequence[str]]:
    """Terminate batches of jobs, and return those whose termination was throttled.

    Args:
        batches: The ids of the jobs, as many in a batch as a request may have.
        reason: The reason.
        pace: The limit of requests.
        clients: The AWS clients.

    Raises:
        UnknownOperation: if the service does not know TerminateJobs; no job was terminated by that request.
        RunError: if AWS refuses a request, or a job for another reason than throttling.
    """
    client = clients.batch

    def end(jobs: Sequence[str]) -> list[str]:
        pace.wait()
        with aws_call("terminate jobs"), known_operation():
            answer = retry_throttled(partial(client.terminate_jobs, jobs=list(jobs), reason=reason))
        refused = [error for error in answer["errors"] if error["code"] not in THROTTLED]
        if refused:
            raise RunError(f"cannot terminate the job {refused[0]['job']}: {refused[0]['message']}")
        return [error["job"] for error in answer["errors"]]

    return [left for left in in_parallel(end, batches) if left]

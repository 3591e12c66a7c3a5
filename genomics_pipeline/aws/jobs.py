"""Job definitions of Batch, and jobs that have not ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.patience import Pace, in_parallel, retry_throttled
from genomics_pipeline.model import quotas

if TYPE_CHECKING:
    from mypy_boto3_batch.literals import JobStatusType
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

ACTIVE: Sequence[JobStatusType] = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
REQUESTS_PER_SECOND = quotas.BATCH_RATE.value * 4 // 5  # the rest is left to the account's other users


def image(job_definition: str, clients: Clients) -> str | None:
    """Return the image of the newest active revision of a job definition; None if there is none.

    Raises:
        RunError: if a call fails.
    """
    pages = clients.batch.get_paginator("describe_job_definitions").paginate(
        jobDefinitionName=job_definition, status="ACTIVE"
    )
    with aws_call(f"read the job definition {job_definition}"):
        definitions = [one for page in pages for one in page["jobDefinitions"]]
    newest = max(definitions, key=lambda one: one["revision"], default=None)
    return newest["containerProperties"]["image"] if newest else None


def active_jobs(queue: str, names: Collection[str], clients: Clients) -> Iterator[JobDetailTypeDef]:
    """Yield the jobs of a queue with one of the names that have not ended.

    They are listed by status: a filter by name would also list all that ended in the last week.

    Raises:
        RunError: if a call fails.
    """
    pace = Pace(REQUESTS_PER_SECOND)
    job_ids = (identity for status in ACTIVE for identity in _list_job_ids(queue, status, names, pace, clients))
    while some := list(islice(job_ids, quotas.DESCRIBE_JOBS.value)):
        pace.wait()
        with aws_call("describe jobs"):
            described = retry_throttled(partial(clients.batch.describe_jobs, jobs=some))
        yield from (job for job in described["jobs"] if job["status"] in ACTIVE)


def _list_job_ids(
    queue: str, status: JobStatusType, names: Collection[str], pace: Pace, clients: Clients
) -> Iterator[str]:
    token: dict[str, Any] = {}
    while True:
        pace.wait()
        with aws_call(f"list the jobs of the queue {queue}"):
            page = retry_throttled(partial(clients.batch.list_jobs, jobQueue=queue, jobStatus=status, **token))
        yield from (job["jobId"] for job in page["jobSummaryList"] if job["jobName"] in names)
        if "nextToken" not in page:
            return
        token = {"nextToken": page["nextToken"]}


def terminate(jobs: Sequence[str], reason: str, clients: Clients) -> None:
    """Terminate jobs in any state.

    Raises:
        RunError: if AWS refuses.
    """
    pace = Pace(REQUESTS_PER_SECOND)
    batch = clients.batch

    def end(job: str) -> None:
        pace.wait()
        with aws_call(f"terminate the job {job}"):
            retry_throttled(partial(batch.terminate_job, jobId=job, reason=reason))

    for _ in in_parallel(end, jobs):
        pass

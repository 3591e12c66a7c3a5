"""The jobs at the front of a queue of AWS Batch, in the order in which they will start.

Source: AWS Batch API reference, GetJobQueueSnapshot: the first 100 RUNNABLE jobs; of a queue without a scheduling
policy (FIFO), as ours are, in the order of their submission. Why the first one cannot start is in its status reason:
Batch user guide, "Jobs stuck in a RUNNABLE status".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomics_pipeline.aws.clients import Clients, aws_call

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that waits for a host.

    Attributes:
        detail: The answer of DescribeJobs.
        since: The time since which it is at its place, in seconds since the epoch.
    """

    detail: JobDetailTypeDef
    since: float


def front_of_queue(queue: str, clients: Clients) -> list[QueuedJob]:
    """Return the jobs at the front of a queue that still wait, with two requests, or one if there are none.

    Raises:
        RunError: if a call fails.
    """
    with aws_call(f"read the front of the queue {queue}"):
        jobs = clients.batch.get_job_queue_snapshot(jobQueue=queue).get("frontOfQueue", {}).get("jobs", ())
        times = {one["jobArn"].rpartition("/")[2]: one["earliestTimeAtPosition"] for one in jobs}
        details = clients.batch.describe_jobs(jobs=list(times))["jobs"] if times else []
    waiting = {one["jobId"]: one for one in details if one["status"] == "RUNNABLE"}
    return [
        QueuedJob(waiting[job_id], milliseconds / 1000) for job_id, milliseconds in times.items() if job_id in waiting
    ]

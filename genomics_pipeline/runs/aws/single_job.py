"""One job of a stack that a command submits itself, and waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from genomics_pipeline.aws.batch import ENDED, BatchJobs

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

POLL_S = 10.0


def run_job(
    arguments: Mapping[str, Any],
    jobs: BatchJobs,
    reason: str,
    note: Callable[[str], None],
    pause: Callable[[float], object] = time.sleep,
) -> JobDetailTypeDef:
    """Submit a job, wait for its end, and return its detail; where this is interrupted, the job is terminated.

    Args:
        arguments: The arguments of SubmitJob, in PascalCase.
        jobs: The jobs of the account.
        reason: The reason with which the job is terminated.
        note: Shows a line of progress.
        pause: Waits for the given number of seconds.

    Raises:
        BatchError: if Batch refuses.
    """
    job_id = jobs.submit(arguments)["JobId"]
    try:
        return _wait(jobs, job_id, note, pause)
    except BaseException:
        jobs.terminate(job_id, reason)
        raise


def _wait(
    jobs: BatchJobs, job_id: str, note: Callable[[str], None], pause: Callable[[float], object]
) -> JobDetailTypeDef:
    status, pause_s = "", 0.1
    while True:
        for detail in jobs.describe([job_id]):  # none at first
            if detail["status"] in ENDED:
                return detail
            if detail["status"] != status:
                status = detail["status"]
                waits = " (Batch starts a host, which takes minutes)" if status == "RUNNABLE" else ""
                note(f"the job {job_id} is {status}{waits}")
        pause(pause_s)
        pause_s = min(2 * pause_s, POLL_S)

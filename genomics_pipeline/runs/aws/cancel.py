"""Cancellation of a run on AWS: its execution is stopped, and its remaining jobs are terminated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from genomics_pipeline.aws.executions import find_execution, stop_execution
from genomics_pipeline.aws.jobs import active_jobs, terminate
from genomics_pipeline.model.job_name import may_be_job_of
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.runs.aws.chain import started_chain
from genomics_pipeline.runs.aws.own_jobs import is_job_of
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.backend import CancelledRun

CAUSE = "cancelled by `genomics-pipeline cancel`"
SWEEPS = 10  # at most; child executions that are not stopped yet may submit further jobs
PAUSE_S = 2.0


def cancel(run: AwsRun, note: Callable[[str], None], pause: Callable[[float], None] | None = None) -> CancelledRun:
    """Stop the newest execution and terminate its jobs.

    Args:
        run: The run.
        note: Shows a line of progress.
        pause: Waits for the given number of seconds; `time.sleep` where it is None.

    Raises:
        RunError: if AWS cannot be reached, or refuses.
    """
    arn = started_chain(run)[-1].arn
    execution = find_execution(arn, run.clients)
    status = "NOT_STARTED" if execution is None else execution["status"]
    if status == "RUNNING":
        note("stopping the execution")
        stop_execution(arn, CAUSE, run.clients)
        status = "ABORTED"
    jobs_ended = 0 if status == "SUCCEEDED" else _end_jobs(run, note, pause or time.sleep)
    return CancelledRun(run.name, status, jobs_ended)


def _end_jobs(run: AwsRun, note: Callable[[str], None], pause: Callable[[float], None]) -> int:
    """Terminate the remaining jobs, and return their number: Step Functions stops jobs on a best-effort basis only.

    Args:
        run: The run.
        note: Shows a line of progress.
        pause: Waits for the given number of seconds.
    """
    terminated: set[str] = set()
    for sweep in range(SWEEPS):
        remaining = [job for job in remaining_jobs(run) if job not in terminated]
        if not remaining and sweep:
            break
        if remaining:
            note(f"terminating {quantity(len(remaining), 'job')}")
            terminate(remaining, CAUSE, run.clients)
            terminated.update(remaining)
        pause(PAUSE_S)
    return len(terminated)


def remaining_jobs(run: AwsRun) -> Iterator[str]:
    """Yield the IDs of the active jobs of a run, except for those that were terminated.

    Raises:
        RunError: if AWS cannot be reached.
    """
    names = run.names
    for queue in (names.job_queue, names.on_demand_queue):
        for job in active_jobs(queue, partial(may_be_job_of, run.name), run.clients):
            if is_job_of(run.place, job) and not job.get("isTerminated"):
                yield job["jobId"]

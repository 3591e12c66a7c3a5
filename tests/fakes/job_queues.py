"""Job queues of the fake Batch: a job that no host takes waits at the head of its queue and blocks those behind it.

As in the Batch user guide, "Jobs stuck in a RUNNABLE status", "Job queue blocked events" and "Automatic remediation
with jobStateTimeLimitActions". A test lets time pass with `JobQueues.pass_time`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.engine.tasks.job import Job

# The status reasons of jobs at the head of a queue, in the words of the user guide.
NO_CAPACITY = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for instance type "
    "[r6id.32xlarge]"
)
TOO_MANY_VCPUS = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue cannot meet the CPU "
    "requirement of the job."
)
TOO_LARGE = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is higher than that "
    "can be met by the CE(s) attached to the job queue."
)
CANCELED = "Canceled by JobStateTimeLimit action due to reason: "  # followed by the part before the hyphen

TimeLimits = Callable[[str], Sequence[Mapping[str, Any]]]


@dataclass
class WaitingJob:
    """A job in a queue.

    Attributes:
        job: The job.
        since: The time at which it came to its position, in seconds since the epoch.
        reason: Why it is stuck at the head of its queue; empty behind another job.
        started: Resolved with an empty text when the job starts, else with the status reason of its end.
    """

    job: Job
    since: float = field(default_factory=time.time)
    reason: str = ""
    started: Future[str] = field(default_factory=Future)


class JobQueues:
    """All job queues of an account.

    Args:
        time_limits: Returns the ``JobStateTimeLimitActions`` of a queue, by its name.
        on_blocked: Called with each job that begins to block its queue.
        changed: Held during changes, and notified of them.

    Attributes:
        block: Returns the status reason of a job that no host takes now; an empty text for one that can start.
    """

    def __init__(
        self, time_limits: TimeLimits, on_blocked: Callable[[WaitingJob], None], changed: threading.Condition
    ) -> None:
        self.block: Callable[[Job], str] = lambda job: ""
        self._time_limits = time_limits
        self._on_blocked = on_blocked
        self._waiting: dict[str, list[WaitingJob]] = {}
        self._changed = changed

    def enter(self, job: Job) -> WaitingJob:
        """Put a job at the end of its queue; see `WaitingJob.started`."""
        waiting = WaitingJob(job)
        with self._changed:
            self._waiting.setdefault(queue_name(job.queue), []).append(waiting)
            self.review()
        return waiting

    def leave(self, job_id: str, reason: str) -> bool:
        """End a job that waits, and return whether it did."""
        with self._changed:
            waiting = next((one for one in self.waiting() if one.job.job_id == job_id), None)
            if waiting is not None:
                self._remove(waiting, reason)
                self.review()
        return waiting is not None

    def review(self) -> None:
        """Start the jobs at the heads of the queues that are not blocked, such as after capacity has come."""
        with self._changed:
            for waiting in list(self._waiting.values()):
                while waiting and not (reason := self.block(waiting[0].job)):
                    self._remove(waiting[0], "")
                if waiting and waiting[0].reason != reason:
                    waiting[0].reason, waiting[0].since = reason, time.time()
                    self._on_blocked(waiting[0])
            self._changed.notify_all()

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the jobs that wait, and cancel those at the heads that have waited for too long."""
        with self._changed:
            for one in self.waiting():
                one.since -= seconds
            for name, queue in self._waiting.items():
                if queue and (due := self._due(name, queue[0])):
                    self._remove(queue[0], CANCELED + due)
            self.review()

    def waiting(self, queue: str | None = None) -> list[WaitingJob]:
        """Return the jobs that wait, in the order of their queue; of all queues, if none is named."""
        with self._changed:
            names = list(self._waiting) if queue is None else [queue_name(queue)]
            return [one for name in names for one in self._waiting.get(name, ())]

    def _due(self, queue: str, waiting: WaitingJob) -> str:
        """Return the reason of the action of a queue that is due for its first job; an empty text if none is."""
        waited = time.time() - waiting.since
        reasons = [
            str(action["Reason"])
            for action in self._time_limits(queue)
            if waiting.reason.partition(" - ")[0] == action["Reason"] and waited >= action["MaxTimeSeconds"]
        ]
        return reasons[0] if reasons else ""

    def _remove(self, waiting: WaitingJob, reason: str) -> None:
        self._waiting[queue_name(waiting.job.queue)].remove(waiting)
        waiting.started.set_result(reason)


def queue_name(name_or_arn: str) -> str:
    """Return the name of a queue, which requests give by its name or ARN."""
    return name_or_arn.rsplit("/", 1)[-1]

"""Jobs of the fake Batch as its API describes them, and the job definitions of tests."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd
from genomics_pipeline.model.batch_retry import ONCE, RetryStrategy
from tests.fakes.job_queues import WaitingJob

ARN = "arn:aws:batch:us-east-1:000000000000"


class AnyDefinition(dict[str, JobDefinition]):
    """A mapping of every name to a job definition with one core and enough memory for the shipped steps.

    Args:
        retry: Its retry strategy.
    """

    def __init__(self, retry: RetryStrategy = ONCE) -> None:
        super().__init__()
        self._retry = retry

    def get(self, key: str, default: Any = None) -> Any:
        """Return the job definition of any name."""
        return super().get(key, JobDefinition(vcpus=1, memory_mib=2048, retry=self._retry))


@dataclass
class BatchJob:
    """A job and its state.

    Attributes:
        job: Its newest attempt.
        created: The time of its submission, in seconds since the epoch.
        waiting: Its place in its queue, if it never left it to start.
        started: The time of the start of its newest attempt.
        stopped: The time of its end.
        end: Its end.
        terminated: The reason with which its end was requested.
        lines: Its output.
    """

    job: Job
    created: float = field(default_factory=time.time)
    waiting: WaitingJob | None = None
    started: float = field(default_factory=time.time)
    stopped: float | None = None
    end: JobEnd | None = None
    terminated: str | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """``RUNNABLE``, ``RUNNING``, ``SUCCEEDED`` or ``FAILED``."""
        if self.end is None:
            return "RUNNING" if self.waiting is None else "RUNNABLE"
        return "FAILED" if self.end.exit_code != 0 or self.job.cancelled.is_set() else "SUCCEEDED"

    @property
    def status_reason(self) -> str:
        """The status reason; an empty text if it has none."""
        if self.end is not None:
            return self.terminated or self.end.status_reason
        return "" if self.waiting is None else self.waiting.reason

    @property
    def stream(self) -> str:
        """The name of its log stream: job definition, ``default``, and the id of the ECS task."""
        return f"{self.job.definition}/default/{self.job.job_id.replace('-', '')}"

    def detail(self) -> dict[str, Any]:
        """Return the job as DescribeJobs does, with times in milliseconds."""
        is_started = self.waiting is None
        times = {"startedAt": int(self.started * 1000)} if is_started else {}
        if self.stopped is not None:
            times["stoppedAt"] = int(self.stopped * 1000)
        container: dict[str, Any] = {"logStreamName": self.stream} if is_started else {}
        if self.end is not None:
            container |= {} if self.end.exit_code is None else {"exitCode": self.end.exit_code}
            container |= {"reason": self.end.reason} if self.end.reason else {}
        reason = {"statusReason": self.status_reason} if self.status_reason else {}
        return {
            "jobArn": f"{ARN}:job/{self.job.job_id}",
            "jobName": self.job.name,
            "jobId": self.job.job_id,
            "jobQueue": f"{ARN}:job-queue/{self.job.queue.rsplit('/', 1)[-1]}",
            "jobDefinition": f"{ARN}:job-definition/{self.job.definition}:1",
            "status": self.status,
            "createdAt": int(self.created * 1000),
            **times,
            **reason,
            "attempts": [{"container": dict(container), **times, **reason}] if self.end and is_started else [],
            "container": {
                **container,
                "vcpus": self.job.vcpus,
                "memory": self.job.memory_mib,
                "resourceRequirements": [
                    {"type": "VCPU", "value": str(self.job.vcpus)},
                    {"type": "MEMORY", "value": str(self.job.memory_mib)},
                ],
                "environment": [{"name": name, "value": value} for name, value in self.job.environment.items()],
            },
            "isTerminated": self.terminated is not None,
            "isCancelled": False,
        }

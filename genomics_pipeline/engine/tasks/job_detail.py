"""A job as DescribeJobs gives it, in PascalCase: what Step Functions hands on of ``batch:submitJob.sync``.

The members, and their places, as recorded of AWS: Step Functions' causes of 2020 in NASA-IMPACT/hls-orchestration,
layers/hls_lambda_layer/python/hls_lambda_layer/batch_test_events.py; Batch's events of 2021 in spacetelescope/calcloud,
tests/artifacts/events/batch-event-*.json: what a job definition asks for by ``resourceRequirements``, as ours do, is
told there, and ``Memory`` and ``Vcpus`` are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genomics_pipeline.language.errors import MAX_CAUSE
from genomics_pipeline.language.json_text import compact

if TYPE_CHECKING:
    from genomics_pipeline.engine.tasks.batch import JobSubmission


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """How one attempt of a job ended.

    Attributes:
        started: When, in seconds since the epoch.
        stopped: Likewise.
        exit_code: 0 for success; None where the container never ended by itself.
        status_reason: Why Batch says that it ended: ``StatusReason``.
        reason: Why the container did: ``Container.Reason``.
        log_stream: Where its log lies: ``Container.LogStreamName``.
    """

    started: float
    stopped: float
    exit_code: int | None
    status_reason: str
    reason: str | None
    log_stream: str | None

    @property
    def failed(self) -> bool:
        """Whether it did not succeed."""
        return self.exit_code != 0

    def container(self) -> dict[str, Any]:
        """What is told of its container: only what there is."""
        told = {"ExitCode": self.exit_code, "Reason": self.reason, "LogStreamName": self.log_stream}
        return {name: value for name, value in told.items() if value is not None}


def detail(submission: JobSubmission, job_id: str, created: float, attempts: Sequence[JobAttempt]) -> dict[str, Any]:
    """The job after its last attempt."""
    last = attempts[-1]
    asked = {"VCPU": submission.declared.vcpus, "MEMORY": submission.declared.memory_mib}
    timeout = {"AttemptDurationSeconds": submission.declared.timeout_s}
    return {
        "JobName": submission.name,
        "JobId": job_id,
        "JobQueue": submission.queue,
        "JobDefinition": submission.definition,
        "Status": "FAILED" if last.failed else "SUCCEEDED",
        "StatusReason": last.status_reason,
        "CreatedAt": _milliseconds(created),
        "StartedAt": _milliseconds(last.started),
        "StoppedAt": _milliseconds(last.stopped),
        "RetryStrategy": submission.declared.retry.to_json(),
        "Attempts": [
            {
                "Container": attempt.container(),
                "StartedAt": _milliseconds(attempt.started),
                "StoppedAt": _milliseconds(attempt.stopped),
                "StatusReason": attempt.status_reason,
            }
            for attempt in attempts
        ],
        "Container": {
            **last.container(),
            "ResourceRequirements": [{"Type": kind, "Value": str(value)} for kind, value in asked.items()],
            "Environment": [{"Name": name, "Value": value} for name, value in submission.environment.items()],
        },
        **({"Timeout": timeout} if submission.declared.timeout_s else {}),
    }


def cause_of(found: dict[str, Any]) -> str:
    """The detail as a cause: what was submitted is left out where it would push the reason past AWS's limit."""
    text = compact(found)
    if len(text) > MAX_CAUSE:
        found["Container"].pop("Environment")
        text = compact(found)
    return text


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)

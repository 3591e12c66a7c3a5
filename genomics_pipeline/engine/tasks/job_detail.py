"""The detail of a job as DescribeJobs describes it, in PascalCase: the output of ``batch:submitJob.sync``.

Members and their places as recorded on AWS: causes of Step Functions of 2020 in NASA-IMPACT/hls-orchestration,
layers/hls_lambda_layer/python/hls_lambda_layer/batch_test_events.py; Batch's events of 2021 in spacetelescope/calcloud,
tests/artifacts/events/batch-event-*.json. The job definitions of the latter declare ``resourceRequirements`` as ours
do, so their details have that member, and neither ``Memory`` nor ``Vcpus``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.tasks.job import JobSubmission
from genomics_pipeline.engine.tasks.job_runner import JobDetail
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """An attempt of a job that has ended.

    Attributes:
        started: Start time in seconds since the epoch.
        stopped: End time, likewise.
        exit_code: 0 for success; None if the container did not end by itself.
        status_reason: ``StatusReason``.
        reason: ``Container.Reason``.
        log_stream: ``Container.LogStreamName``.
        is_stopped: Whether it was terminated or timed out, so that no other attempt follows.
    """

    started: float
    stopped: float
    exit_code: int | None
    status_reason: str
    reason: str | None
    log_stream: str | None
    is_stopped: bool = False

    @property
    def failed(self) -> bool:
        """True if the attempt failed."""
        return self.exit_code != 0

    def container(self) -> dict[str, Any]:
        """Return the members of ``Container`` that have a value."""
        members = {"ExitCode": self.exit_code, "Reason": self.reason, "LogStreamName": self.log_stream}
        return {name: value for name, value in members.items() if value is not None}


def job_detail(submission: JobSubmission, job_id: str, created: float, attempts: Sequence[JobAttempt]) -> JobDetail:
    """Return the detail of a job after its last attempt.

    Args:
        submission: The job's submission.
        job_id: The job's ID.
        created: Time of the submission in seconds since the epoch.
        attempts: All attempts.
    """
    last = attempts[-1]
    ends = [
        {
            "Container": attempt.container(),
            "StartedAt": _milliseconds(attempt.started),
            "StoppedAt": _milliseconds(attempt.stopped),
            "StatusReason": attempt.status_reason,
        }
        for attempt in attempts
    ]
    times = {"StartedAt": _milliseconds(last.started), "StoppedAt": _milliseconds(last.stopped)}
    status = "FAILED" if last.failed else "SUCCEEDED"
    return _detail(submission, job_id, created, status, last.status_reason, times, ends, last.container())


def unstarted_job_detail(submission: JobSubmission, job_id: str, created: float, reason: str) -> JobDetail:
    """Return the detail of a job that failed before it had an attempt.

    Args:
        submission: The job's submission.
        job_id: The job's ID.
        created: Time of the submission in seconds since the epoch.
        reason: ``StatusReason``.
    """
    times = {"StoppedAt": _milliseconds(created)}
    return _detail(submission, job_id, created, "FAILED", reason, times, [], {})


def _detail(
    submission: JobSubmission,
    job_id: str,
    created: float,
    status: str,
    reason: str,
    times: dict[str, int],
    attempts: list[dict[str, Any]],
    container: dict[str, Any],
) -> JobDetail:
    requirements = {"VCPU": submission.declared.vcpus, "MEMORY": submission.declared.memory_mib}
    timeout = {"AttemptDurationSeconds": submission.declared.timeout_s}
    return {
        "JobName": submission.name,
        "JobId": job_id,
        "JobQueue": submission.queue,
        "JobDefinition": submission.definition,
        "Status": status,
        "StatusReason": reason,
        "CreatedAt": _milliseconds(created),
        **times,
        "RetryStrategy": submission.declared.retry.to_json(),
        "Attempts": attempts,
        "Container": {
            **container,
            "ResourceRequirements": [{"Type": kind, "Value": str(value)} for kind, value in requirements.items()],
            "Environment": [{"Name": name, "Value": value} for name, value in submission.environment.items()],
        },
        **({"Timeout": timeout} if submission.declared.timeout_s else {}),
    }


def cause_of(detail: JobDetail) -> str:
    """Return a detail as the text of a cause, without the environment if the text would exceed AWS's limit."""
    text = compact(detail)
    if len(text) <= quotas.CAUSE.value:
        return text
    container = {name: value for name, value in detail["Container"].items() if name != "Environment"}
    return compact({**detail, "Container": container})


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)

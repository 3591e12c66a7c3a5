"""Causes as AWS and our own worker give them, and the class of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.failure import FailureClass

EXITED = "Essential container in task exited"


def job(status_reason: str = EXITED, code: int | None = None, reason: str | None = None, **more: Any) -> str:
    """A job's detail as ``batch:submitJob.sync`` gives it; with the retry strategy that must not be searched."""
    container = {"LogStreamName": "a/default/2"}
    container |= {"ExitCode": code} if code is not None else {}  # type: ignore[dict-item]
    container |= {"Reason": reason} if reason else {}
    return json.dumps(
        {
            "JobId": "j1",
            "Status": "FAILED",
            "StatusReason": status_reason,
            "Attempts": [{"Container": {"LogStreamName": "a/default/1"}, "StatusReason": "Host EC2 (i-1) terminated."}],
            "Container": container,
            "RetryStrategy": {"EvaluateOnExit": [{"OnReason": "OutOfMemoryError*"}, {"OnStatusReason": "Host EC2*"}]},
            **more,
        }
    )


# (error, cause) -> class; the words are AWS's: Batch user guide ("Automated job retries", "Job timeouts"), the CDK's
# Reason class, recorded causes of terraform-aws-batch and BayerCLAW.
CAUSES = {
    "spot": (("", job("Host EC2 (instance i-0f5) terminated.")), FailureClass.HOST_LOST),
    "fargate spot, exit 137": (("", job("Your Spot Task was interrupted.", 137)), FailureClass.HOST_LOST),
    "memory": (
        ("", job(code=137, reason="OutOfMemoryError: Container killed due to memory usage")),
        FailureClass.OUT_OF_MEMORY,
    ),
    "memory, lower case": (("", job(code=137, reason="outOfMemoryError: …")), FailureClass.OUT_OF_MEMORY),
    "memory, of the step's program": (("", job(code=137)), FailureClass.OUT_OF_MEMORY),
    "image": (("", job("Task failed to start", reason="CannotPullContainerError: not found")), FailureClass.IMAGE),
    "agent": (("", job(reason="DockerTimeoutError: Could not transition to created")), FailureClass.IMAGE),
    # github.com/nextflow-io/nextflow/issues/3091, aws/amazon-ecs-agent/issues/2312
    "agent, after the program": (
        (
            "",
            job(reason="CannotInspectContainerError: Could not transition to inspecting; timed out"),
        ),
        FailureClass.IMAGE,
    ),
    # github.com/nextflow-io/nextflow/issues/5099: the host's disk, not the task's; another host may hold the image
    "image, no room for it": (
        (
            "",
            job(
                "Task failed to start",
                reason="CannotPullContainerError: write /usr/local/bin/ripples-fast: no space left on device",
            ),
        ),
        FailureClass.IMAGE,
    ),
    # aws/amazon-ecs-agent/issues/1434
    "image, in the status reason": (
        ("", job("CannotPullContainerError: failed to register")),
        FailureClass.IMAGE,
    ),
    # cirrus-geo's test of a failed Batch task: only the attempts tell the reason
    "agent, of the last attempt": (
        (
            "",
            job(
                "Task failed to start",
                Attempts=[{"Container": {"Reason": "DockerTimeoutError: Could not transition to created"}}],
            ),
        ),
        FailureClass.IMAGE,
    ),
    # github.com/RafalWilinski/deploy-with-serverless/issues/11: the status reason is the generic one
    "image, although it exited": (
        ("", job(reason="CannotPullContainerError: API error (404): repository x not found")),
        FailureClass.IMAGE,
    ),
    "timeout of the job": (("", job("Job attempt duration exceeded timeout", 137)), FailureClass.TIMEOUT),
    "timeout of the state": (("States.Timeout", "State timed out"), FailureClass.TIMEOUT),
    "bad input": (("", job(code=65, reason="a.fq: record 3: …")), FailureClass.BAD_INPUT),
    "tool": (("", job(code=1)), FailureClass.TOOL_ERROR),
    "told to end": (("", job(code=143)), FailureClass.CANCELLED),
    "throttled": (("Batch.AWSBatchException", "Too Many Requests (Status Code: 429)"), FailureClass.THROTTLED),
    "payload": (("States.DataLimitExceeded", "The state/task 'x' returned a result …"), FailureClass.AWS_LIMIT),
    "no job definition": (("Batch.ClientException", "JobDefinition not found"), FailureClass.UNKNOWN),
    "aborted": (("", ""), FailureClass.CANCELLED),
    "cancelled": (("", job("cancelled by `genomics-pipeline cancel`", 143)), FailureClass.CANCELLED),
    "cut JSON": (("States.TaskFailed", job()[:100]), FailureClass.UNKNOWN),
    "never started": (("States.TaskFailed", job("Task was stopped")), FailureClass.UNKNOWN),
}


@pytest.mark.parametrize("name", CAUSES)
def test_class(name: str) -> None:
    (error, cause), expected = CAUSES[name]
    assert classify(error, cause).failure_class == expected
    within = json.dumps({"stage": "alignment", "error": error, "cause": cause})
    failure = classify("alignment", within)
    assert (failure.failure_class, failure.stage) == (expected, "alignment")


def test_what_else_a_job_tells() -> None:
    assert classify("States.TaskFailed", job(code=65, reason="a.fq: record 3: expected '@'")) == Failure(
        failure_class=FailureClass.BAD_INPUT,
        message="a.fq: record 3: expected '@'",
        exit_code=65,
        job_id="j1",
        log_streams=("a/default/1", "a/default/2"),
        attempts=1,
    )
    before_it_began = job(code=1, Attempts=[{"Container": {}}, {"Container": {"LogStreamName": "a/default/2"}}])
    assert classify("", before_it_began).log_streams == (None, "a/default/2")
    assert classify("", "").message == "aborted before it ended"

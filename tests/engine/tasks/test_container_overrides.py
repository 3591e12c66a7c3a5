"""Requests of SubmitJob that are too large: more than 30 KiB for Batch, or overrides of more than 8,192 characters."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from genomics_pipeline.engine.events import JobEnded, JobStarted
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.container_overrides import overrides_length
from genomics_pipeline.model.failure import FailureClass
from tests.engine.tasks.batch_jobs import DEFINITIONS, job_with_ends, run, submit


def overrides_of(length: int, character: str = "x") -> dict[str, Any]:
    """Return container overrides of a number of characters as JSON text; a quote counts as two."""
    empty = overrides_length({"Environment": [{"Name": "A", "Value": ""}]})
    width = overrides_length({"a": character}) - overrides_length({"a": ""})
    value = character * ((length - empty) // width) + "x" * ((length - empty) % width)
    return {"Environment": [{"Name": "A", "Value": value}]}


@pytest.mark.parametrize("character", ["x", '"', "é"])
def test_overrides_of_8192_characters_are_the_most(harness: Any, character: str) -> None:
    ended = run(harness, submit(ContainerOverrides=overrides_of(8192, character)), lambda job: JobEnd(0))
    assert ended.status == "SUCCEEDED"


@pytest.mark.parametrize("character", ["x", '"', "é"])
def test_a_job_with_longer_overrides_fails_before_its_first_attempt(harness: Any, character: str) -> None:
    ended = run(harness, submit(ContainerOverrides=overrides_of(8193, character)), lambda job: JobEnd(0))
    assert (ended.status, ended.error) == ("FAILED", "States.TaskFailed")
    detail = json.loads(ended.cause)
    assert (detail["Status"], detail["StatusReason"]) == ("FAILED", "Container Overrides length must be at most 8192")
    assert (detail["Attempts"], "StartedAt" in detail, "ExitCode" in detail["Container"]) == ([], False, False)
    assert harness.seen(JobStarted) == harness.seen(JobEnded) == []
    failure = classify(ended.error, ended.cause)
    assert (failure.failure_class, failure.attempts) == (FailureClass.AWS_LIMIT, 0)


def test_a_request_above_30_kib_is_refused(harness: Any) -> None:
    ended = run(harness, submit(ContainerOverrides=overrides_of(31_000)), lambda job: JobEnd(0))
    assert ended.error == "Batch.ClientException"
    words = "Error executing request, Exception : Job size must be less than 30 KiB, got 30 KiB, RequestId: "
    assert ended.cause.startswith(words)


def test_a_job_that_is_not_waited_for_is_submitted_and_fails_unseen(task: Any) -> None:
    started: list[Job] = []
    tasks = BatchTasks(MachineJobs(DEFINITIONS, job_with_ends(JobEnd(0), seen=started), cores=2, memory_mib=4000))
    arguments = {"JobName": "job", "JobDefinition": "align", "JobQueue": "q", "ContainerOverrides": overrides_of(9000)}
    assert set(asyncio.run(tasks.submit(arguments, task()))) == {"JobArn", "JobId", "JobName"}
    assert started == []

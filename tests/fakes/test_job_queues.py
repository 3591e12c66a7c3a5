"""The queues of the fake Batch, used through unmodified boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.engine.tasks.job import Job
from tests.fakes.job_queues import CANCELED, NO_CAPACITY, TOO_LARGE

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

QUEUE, ON_DEMAND = "genomics-pipeline", "genomics-pipeline-on-demand"
Submit = Callable[..., dict[str, Any]]


def no_host(reason: str, *names: str) -> Callable[[Job], str]:
    """Return a function for `JobQueues.block` that holds the jobs with one of the names."""
    return lambda job: reason if job.name in names else ""


@pytest.fixture
def submit(step_functions: FakeAws) -> Submit:
    """Return `submit(name, queue)`, which submits a job and returns how it is described at once."""
    batch = boto3.client("batch")

    def call(name: str, queue: str = QUEUE) -> dict[str, Any]:
        identity = batch.submit_job(jobName=name, jobQueue=queue, jobDefinition="step")["jobId"]
        return dict(batch.describe_jobs(jobs=[identity])["jobs"][0])

    return call


def ended(fake: FakeAws, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a job and return its description."""
    fake.batch.wait(lambda batch: batch.jobs[job["jobId"]].end is not None)
    return dict(boto3.client("batch").describe_jobs(jobs=[job["jobId"]])["jobs"][0])


def test_a_job_blocks_those_behind_it_until_the_queue_cancels_it(step_functions: FakeAws, submit: Submit) -> None:
    fake, batch = step_functions.batch, boto3.client("batch")
    fake.queues.block = no_host(TOO_LARGE, "large")
    large, behind, other = submit("large"), submit("behind"), submit("other", ON_DEMAND)
    assert (large["status"], large["statusReason"], "startedAt" in large) == ("RUNNABLE", TOO_LARGE, False)
    assert (behind["status"], "statusReason" in behind) == ("RUNNABLE", False)
    assert ended(step_functions, other)["status"] == "SUCCEEDED"

    front = batch.get_job_queue_snapshot(jobQueue=QUEUE)["frontOfQueue"]
    assert [one["jobArn"] for one in front["jobs"]] == [large["jobArn"], behind["jobArn"]]
    listed = batch.list_jobs(jobQueue=QUEUE, jobStatus="RUNNABLE")["jobSummaryList"]
    assert {one["jobName"] for one in listed} == {"large", "behind"}
    (event,) = fake.events
    assert (event["detail-type"], event["detail"]["statusReason"]) == ("Batch Job Queue Blocked", TOO_LARGE)

    fake.pass_time(300)
    (waiting, _) = batch.get_job_queue_snapshot(jobQueue=QUEUE)["frontOfQueue"]["jobs"]
    assert waiting["earliestTimeAtPosition"] <= front["jobs"][0]["earliestTimeAtPosition"] - 300_000
    assert len(fake.blocked()) == 1
    fake.pass_time(300)
    end = ended(step_functions, large)
    assert (end["status"], end["attempts"]) == ("FAILED", [])
    assert end["statusReason"] == f"{CANCELED}MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
    assert ended(step_functions, behind)["status"] == "SUCCEEDED"


def test_a_job_waits_for_capacity(step_functions: FakeAws, submit: Submit) -> None:
    fake = step_functions.batch
    fake.queues.block = no_host(NO_CAPACITY, "first", "second")
    first, second = submit("first"), submit("second")
    fake.pass_time(80_000)  # less than the limit of a day
    fake.queues.block = no_host(NO_CAPACITY, "second")
    fake.queues.review()
    end = ended(step_functions, first)
    assert end["status"] == "SUCCEEDED"
    assert end["startedAt"] - end["createdAt"] >= 80_000_000
    fake.pass_time(80_000)
    assert [one.job.job_id for one in fake.blocked()] == [second["jobId"]]  # its time at the head counts
    boto3.client("batch").terminate_job(jobId=second["jobId"], reason="no more")
    end = ended(step_functions, second)
    assert (end["status"], end["statusReason"], "startedAt" in end) == ("FAILED", "no more", False)
    assert len(fake.events) == 2


def test_a_job_of_a_stopped_execution_leaves_its_queue(step_functions: FakeAws) -> None:
    from tests.fakes.test_step_functions import document

    states, fake = boto3.client("stepfunctions"), step_functions.batch
    boto3.client("s3").create_bucket(Bucket="runs")
    fake.queues.block = no_host(NO_CAPACITY, "a")
    machine = states.create_state_machine(name="m", definition=document(), roleArn="arn:aws:iam::000000000000:role/r")
    arn = states.start_execution(stateMachineArn=machine["stateMachineArn"], input='{"items":[{"name":"a"}]}')
    fake.wait(lambda batch: len(batch.blocked()) == 1)
    states.stop_execution(executionArn=arn["executionArn"])
    step_functions.execution(arn["executionArn"]).wait()
    assert fake.queues.waiting() == []
    (job,) = fake.jobs.values()
    assert (job.status, job.status_reason) == ("FAILED", "Ended with its Task")

"""`status` of a run on AWS whose jobs wait in a queue: its place, who stands before it, and what blocks the queue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.model.block_reasons import UNKNOWN_REASON
from genomics_pipeline.report.block_advice import BLOCK_ADVICE
from genomics_pipeline.report.queue_state import QUIET_S, QueueState
from tests.fakes.faults import ApiError
from tests.fakes.job_queues import TOO_LARGE, TOO_MANY_VCPUS
from tests.runs.test_follow_on_aws import BUCKET, RUN, Command, command, ended_run, started_run

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["command", "ended_run", "started_run"]

QUEUE, OTHER = "genomics-pipeline", "job-of-another-run"
NOW = 10_000.0


@pytest.fixture
def block(ended_run: FakeAws) -> Iterator[Callable[[str], FakeAws]]:
    """Yield `block(reason)`, which starts the run again in a queue that a job of another run blocks for the reason."""
    fake, s3, key = ended_run, boto3.client("s3"), f"runs/{RUN}/run.json"
    record = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    given = s3.get_object(Bucket=BUCKET, Key=f"runs/{RUN}/input.json")["Body"].read().decode()

    def call(reason: str) -> FakeAws:
        fake.batch.queues.block = lambda job: reason
        boto3.client("batch").submit_job(jobName=OTHER, jobQueue=QUEUE, jobDefinition="step")
        arn = boto3.client("stepfunctions").start_execution(
            stateMachineArn=record["state_machine_arn"], name="waiting", input=given
        )["executionArn"]
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({**record, "execution_arn": arn}).encode())
        fake.batch.wait(lambda batch: len(batch.queues.waiting()) == 4)
        return fake

    yield call
    for job in fake.batch.queues.waiting(QUEUE):
        if job.job.name == OTHER:
            boto3.client("batch").terminate_job(jobId=job.job.job_id, reason="the test is over")
    fake.batch.queues.block = lambda job: ""
    fake.batch.queues.review()
    fake.execution("waiting").wait()


def queues(command: Command) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(command("status", RUN, "--json").output)["queues"]
    return found


def test_a_job_of_another_run_blocks_the_queue(block: Callable[[str], FakeAws], command: Command) -> None:
    fake = block(TOO_MANY_VCPUS)
    fake.batch.pass_time(299)
    (queue,) = queues(command)
    seconds = queue["head"].pop("seconds")
    assert seconds >= 299
    (head,) = (job.job.job_id for job in fake.batch.queues.waiting(QUEUE) if job.job.name == OTHER)
    link = f"https://console.aws.amazon.com/batch/home?region=us-east-1#jobs/detail/{head}"
    assert queue == {
        "queue": QUEUE,
        "waiting": 4,
        "of_this_run": 3,
        "first_place": 2,
        "head": {
            "job_name": OTHER,
            "of_this_run": False,
            "reason": "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
            "status_reason": TOO_MANY_VCPUS,
            "console": link,
        },
    }
    shown = command("status", RUN)
    assert shown.exit_code == 0
    assert "queue genomics-pipeline: 3 of the 4 waiting jobs are of this run, the first at place 2 behind 1 job\n" in (
        shown.output
    )
    head = rf"  the job at its head, of another run, waits for \d+ min \d\d s: {re.escape(TOO_MANY_VCPUS)}\n"
    assert re.search(head, shown.output)
    assert "  blocked: the job has more vCPUs than MaxVcpus allows for all hosts together\n" in shown.output
    limit = "; the queue cancels the job after 10 minutes at its head"
    assert f"  to do: deploy with a larger MaxVcpus{limit}\n" in shown.output
    assert f"  that job in the console: {link}\n" in shown.output


def test_the_run_itself_blocks_the_queue_once_the_other_job_is_cancelled(
    block: Callable[[str], FakeAws], command: Command
) -> None:
    fake = block(TOO_LARGE)
    fake.batch.pass_time(600)
    (queue,) = queues(command)
    assert (queue["waiting"], queue["of_this_run"], queue["first_place"]) == (3, 3, 1)
    assert (queue["head"]["of_this_run"], queue["head"]["status_reason"]) == (True, TOO_LARGE)
    assert queue["head"]["seconds"] < 600


def test_jobs_that_started_since_the_snapshot_do_not_count(
    block: Callable[[str], FakeAws], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch's snapshot is taken from time to time; jobs that ended long ago are not described any more."""
    fake = block(TOO_LARGE)
    ended = next(job for job in fake.batch.jobs.values() if job.status == "SUCCEEDED").detail()["jobArn"]
    snapshot = fake.batch.get_job_queue_snapshot(QUEUE)
    gone = [{"jobArn": arn, "earliestTimeAtPosition": 1} for arn in (ended, f"{ended}0")]
    snapshot["frontOfQueue"]["jobs"][:0] = gone
    monkeypatch.setattr(fake.batch, "get_job_queue_snapshot", lambda jobQueue: snapshot)  # noqa: N803
    queue = queues(command)[0]
    assert (queue["waiting"], queue["of_this_run"], queue["first_place"]) == (4, 3, 2)
    assert queue["head"]["status_reason"] == TOO_LARGE


def test_a_status_costs_two_requests_for_a_queue_with_jobs_and_one_for_another(
    block: Callable[[str], FakeAws], command: Command
) -> None:
    fake = block(TOO_LARGE)
    before = len(fake.batch.calls)
    command("status", RUN)
    assert [name for name, _ in fake.batch.calls[before:]] == [
        "GetJobQueueSnapshot",
        "DescribeJobs",
        "GetJobQueueSnapshot",
    ]


def test_without_the_right_the_rest_of_the_status_is_shown(block: Callable[[str], FakeAws], command: Command) -> None:
    fake = block(TOO_LARGE)
    right = "batch:GetJobQueueSnapshot"
    text = f"User: arn:aws:iam::1:user/ann is not authorized to perform: {right} on resource: arn:aws:batch:r:1:q"
    fake.batch.gate.fail("GetJobQueueSnapshot", ApiError("AccessDeniedException", text, 403), 2)
    shown = command("status", RUN)
    assert shown.exit_code == 0
    assert "Sample    0 of 3 done, 3 running\n" in shown.output
    (line,) = (line for line in shown.output.splitlines() if right in line)
    assert line.startswith(
        f"queues: cannot read the front of the queue {QUEUE}: access denied: the user ann lacks the right {right}"
    )
    assert "template --caller-policy" in line
    answer = json.loads(command("status", RUN, "--json").output)
    assert right in answer["queues_problem"]
    assert "queues" not in answer


def test_a_run_that_ended_asks_for_no_queue(ended_run: FakeAws, command: Command) -> None:
    command("status", RUN)
    assert ended_run.batch.calls.of("GetJobQueueSnapshot") == []


# Pure: what people read.

WAITING = QueueState("q", 3, 2, 1, "job", NOW - 60)


@pytest.mark.parametrize("reason", BLOCK_ADVICE)
def test_every_documented_reason_has_words_and_advice(reason: str) -> None:
    lines = list(replace(WAITING, status_reason=f"{reason} - in Batch's words").lines(NOW))
    assert lines[1] == f"  the job at its head waits for 1 min 00 s: {reason} - in Batch's words"
    assert [line.partition(":")[0] for line in lines[2:]] == ["  blocked", "  to do"]


def test_a_reason_that_is_not_documented_is_shown_as_it_is() -> None:
    lines = list(replace(WAITING, status_reason="CAPACITY:NEW - words", since=NOW - QUIET_S).lines(NOW))
    assert lines[1:] == ["  the job at its head waits for 10 min 00 s: CAPACITY:NEW - words"]
    assert UNKNOWN_REASON not in str(lines)


def test_a_job_that_waits_for_long_without_a_reason_gets_advice() -> None:
    assert len(list(replace(WAITING, since=NOW - QUIET_S + 1).lines(NOW))) == 2
    assert "vCPU quota" in list(replace(WAITING, since=NOW - QUIET_S).lines(NOW))[-1]


def test_a_queue_of_other_runs_is_shown_only_if_the_run_may_stand_behind_them() -> None:
    others = QueueState("q", 99, 0, None, "job", NOW)
    assert list(others.lines(NOW)) == []
    assert list(replace(others, waiting=100).lines(NOW)) == [
        "queue q: 0 of the first 100 waiting jobs are of this run",
        "  the job at its head, of another run, waits for 0 s",
    ]

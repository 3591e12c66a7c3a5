"""``batch:submitJob`` and ``batch:submitJob.sync`` on this machine: shares, details, cancellation."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from genomics_pipeline.engine.events import JobEnded, JobStarted, Note
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.failure import FailureClass
from tests.engine.tasks.batch_jobs import DEFINITIONS, REQUIREMENTS, SUBMIT, each, job_with_ends, run, submit
from tests.patience import PATIENCE_S


def test_a_job_receives_its_environment_and_its_share(harness: Any) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        return JobEnd(0, log_stream="steps/a/log.txt")

    state = submit(
        ContainerOverrides={"Environment": [{"Name": "A", "Value": "é"}, {"Name": "B", "Value": ""}]},
        Timeout={"AttemptDurationSeconds": 120},
    )
    result = run(harness, state, job)
    (received,) = seen
    assert (received.name, received.definition, received.environment) == ("job", "align", {"A": "é", "B": ""})
    assert (received.vcpus, received.memory_mib, received.timeout_s) == (2, 1000, 120)
    assert not received.cancelled.is_set()
    detail = result.output
    times = {name: detail.pop(name) for name in ("CreatedAt", "StartedAt", "StoppedAt")}
    assert all(isinstance(time, int) and time > 1_700_000_000_000 for time in times.values())
    (attempt,) = detail.pop("Attempts")
    assert attempt == {
        "Container": {"ExitCode": 0, "LogStreamName": "steps/a/log.txt"},
        "StartedAt": times["StartedAt"],
        "StoppedAt": times["StoppedAt"],
        "StatusReason": "Essential container in task exited",
    }
    assert detail == {
        "JobName": "job",
        "JobId": received.job_id,
        "JobQueue": "queue",
        "JobDefinition": "align",
        "Status": "SUCCEEDED",
        "StatusReason": "Essential container in task exited",
        "RetryStrategy": {"Attempts": 1},
        "Timeout": {"AttemptDurationSeconds": 120},
        "Container": {
            "ExitCode": 0,
            "LogStreamName": "steps/a/log.txt",
            "ResourceRequirements": REQUIREMENTS,
            "Environment": [{"Name": "A", "Value": "é"}, {"Name": "B", "Value": ""}],
        },
    }
    (started,), (ended,) = harness.seen(JobStarted), harness.seen(JobEnded)
    assert (started.job_id, started.state, started.label, started.index) == (received.job_id, "T", None, None)
    assert (ended.job_id, ended.exit_code, ended.reason) == (received.job_id, 0, None)


@pytest.mark.parametrize(
    ("definition", "overrides", "expected"),
    [
        ("align", {}, (2, 1000, 3600)),
        ("align:7", {}, (2, 1000, 3600)),
        ("arn:aws:batch:us-east-1:1:job-definition/align:7", {}, (2, 1000, 3600)),
        ("small", {}, (1, 10, None)),
        (
            "small",
            {"ResourceRequirements": [{"Type": "VCPU", "Value": "3"}, {"Type": "MEMORY", "Value": "20"}]},
            (3, 20, None),
        ),
    ],
)
def test_a_job_has_its_definitions_resources_unless_they_are_overridden(
    harness: Any, definition: str, overrides: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        return JobEnd(0)

    result = run(harness, submit(JobDefinition=definition, ContainerOverrides=overrides), job)
    assert result.status == "SUCCEEDED"
    assert (seen[0].vcpus, seen[0].memory_mib, seen[0].timeout_s) == expected


def test_an_unknown_job_definition_is_refused(harness: Any) -> None:
    result = run(harness, submit(JobDefinition="no:3"), lambda job: JobEnd(0))
    assert (result.error, result.cause) == ("Batch.ClientException", "JobDefinition not found: no:3")
    assert harness.seen(JobStarted) == []


@pytest.mark.parametrize(
    ("end", "container"),
    [
        (JobEnd(1), {"ExitCode": 1}),
        (JobEnd(65, "R2 is short"), {"ExitCode": 65, "Reason": "R2 is short"}),
        (JobEnd(137, "killed", "log"), {"ExitCode": 137, "Reason": "killed", "LogStreamName": "log"}),
    ],
)
def test_a_failed_job_fails_the_task_with_its_detail_as_the_cause(
    harness: Any, end: JobEnd, container: dict[str, Any]
) -> None:
    result = run(harness, submit(), lambda job: end)
    assert result.error == "States.TaskFailed"
    cause = json.loads(result.cause)
    assert (cause["Status"], cause["StatusReason"]) == ("FAILED", "Essential container in task exited")
    assert cause["Container"] == {**container, "ResourceRequirements": REQUIREMENTS, "Environment": []}
    assert cause["Attempts"][0]["Container"] == container
    (ended,) = harness.seen(JobEnded)
    assert (ended.exit_code, ended.reason) == (end.exit_code, end.reason)


def test_a_large_environment_is_left_out_of_the_cause(harness: Any) -> None:
    environment = [{"Name": "A", "Value": "x" * 8_000}]
    result = run(
        harness, submit(ContainerOverrides={"Environment": environment}), lambda job: JobEnd(1, "why " + "y" * 13_000)
    )
    cause = json.loads(result.cause)
    assert cause["Container"]["Reason"].startswith("why ")
    assert "Environment" not in cause["Container"]


def test_the_timeout_is_longer_in_proportion_to_missing_cores_and_says_so(harness: Any) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        assert job.cancelled.wait(PATIENCE_S)
        return JobEnd(143)

    machine = MachineJobs({"align": JobDefinition(8, 100, 3600)}, job, cores=2, memory_mib=4000)
    state = submit(Timeout={"AttemptDurationSeconds": 0.2})
    result = harness.run({"T": state}, tasks={SUBMIT: BatchTasks(machine).run})
    cause = json.loads(result.cause)
    assert [job.timeout_s for job in seen] == [1]  # 0.2 s, times 8 / 2, in whole seconds
    assert cause["StatusReason"] == "Job attempt duration exceeded timeout"
    reason = "timed out after 1 s: the timeout of 0.2 s for 8 cores, longer in proportion since it had 2"
    assert cause["Container"]["Reason"] == reason
    failure = classify(result.error, result.cause)
    assert (failure.failure_class, failure.message) == (FailureClass.TIMEOUT, reason)


@pytest.mark.parametrize(("end", "code"), [(JobEnd(0), 137), (JobEnd(143, "ended"), 143)])
def test_a_job_that_times_out_is_cancelled_and_awaited(harness: Any, end: JobEnd, code: int) -> None:
    cancelled = threading.Event()

    def job(job: Job) -> JobEnd:
        assert job.cancelled.wait(PATIENCE_S)
        cancelled.set()
        return end

    result = run(harness, submit(Timeout={"AttemptDurationSeconds": 0.01}), job)
    assert cancelled.is_set()
    assert result.error == "States.TaskFailed"
    cause = json.loads(result.cause)
    assert (cause["Status"], cause["StatusReason"]) == ("FAILED", "Job attempt duration exceeded timeout")
    assert cause["Container"] == {"ExitCode": code, "ResourceRequirements": REQUIREMENTS, "Environment": []}
    (ended,) = harness.seen(JobEnded)
    assert ended.reason == "Job attempt duration exceeded timeout"


def test_a_job_knows_its_declared_memory_and_its_share(harness: Any) -> None:
    seen: list[Job] = []
    state = submit(
        JobDefinition="small", ContainerOverrides={"ResourceRequirements": [{"Type": "MEMORY", "Value": "9000"}]}
    )
    result = run(harness, state, job_with_ends(JobEnd(0), seen=seen))
    assert [(job.asked_mib, job.memory_mib) for job in seen] == [(9000, 4000)]
    assert result.output["Container"]["ResourceRequirements"][1] == {"Type": "MEMORY", "Value": "9000"}


def test_a_cancelled_task_waits_for_its_job(harness: Any) -> None:
    running, ended = threading.Event(), threading.Event()

    def job(job: Job) -> JobEnd:
        running.set()
        assert job.cancelled.wait(PATIENCE_S)
        ended.set()
        return JobEnd(143)

    async def fails(arguments: Any, context: Any) -> None:

        while not running.is_set():
            await asyncio.sleep(0.001)
        raise RuntimeError("stop")

    fail = {"StartAt": "F", "States": {"F": {"Type": "Task", "Resource": "fails", "End": True}}}
    parallel = {"Type": "Parallel", "Branches": [{"StartAt": "J", "States": {"J": submit()}}, fail], "End": True}
    tasks = BatchTasks(MachineJobs(DEFINITIONS, job, cores=2, memory_mib=4000))
    with pytest.raises(RuntimeError, match="stop"):
        harness.run({"P": parallel}, tasks={SUBMIT: tasks.run, "fails": fails})
    assert ended.is_set()
    (event,) = harness.seen(JobEnded)
    assert (event.exit_code, event.reason) == (None, "cancelled")


def test_concurrent_jobs_use_the_whole_machine_and_never_more(harness: Any) -> None:
    lock, four_jobs = threading.Lock(), threading.Barrier(4)
    held, most = [0, 0], [0, 0]

    def job(job: Job) -> JobEnd:
        with lock:
            held[0] += job.vcpus
            held[1] += job.memory_mib
            most[:] = [max(most[0], held[0]), max(most[1], held[1])]
        four_jobs.wait(PATIENCE_S)  # fails unless four jobs of one core run concurrently
        with lock:
            held[0] -= job.vcpus
            held[1] -= job.memory_mib
        return JobEnd(0)

    result = run(harness, each(submit(), 12), job)
    assert result.status == "SUCCEEDED"
    assert most == [4, 4000]
    assert {(event.vcpus, event.memory_mib) for event in harness.seen(JobStarted)} == {(1, 1000)}


def test_scaling_down_is_noted_once_for_each_definition(harness: Any) -> None:
    result = run(harness, each(submit(JobDefinition="huge"), 3), lambda job: JobEnd(0), cores=3)
    assert result.status == "SUCCEEDED"
    assert harness.seen(Note) == [
        Note("huge: declares 64 vCPUs and 500000 MiB, scaled down to 3 and 4000 MiB to fit this machine", True)
    ]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("a bug"), "RuntimeError: a bug"),
        (ValueError("two\nlines"), "ValueError: two lines"),
        (OSError(24, "Too many open files", "log"), "OSError: [Errno 24] Too many open files: 'log'"),
        (MemoryError(), "MemoryError:"),
        (StopIteration(), "StopIteration:"),
    ],
)
def test_a_job_that_raises_fails_by_itself(harness: Any, error: Exception, message: str) -> None:
    def job(job: Job) -> JobEnd:
        raise error

    result = run(harness, submit(), job)
    assert (result.status, result.error) == ("FAILED", "States.TaskFailed")
    assert json.loads(result.cause)["Attempts"][0]["Container"] == {"ExitCode": 1, "Reason": message}


class BrokenRunner(MachineJobs):
    """A runner that raises when it is called for a job."""

    async def run(self, arguments: Any, context: Any) -> Any:
        raise ZeroDivisionError("of the runner")

    submit = run


@pytest.mark.parametrize("call", ["run", "submit"])
def test_a_runner_that_raises_fails_its_task(call: str, task: Any) -> None:
    tasks = BatchTasks(BrokenRunner(DEFINITIONS, lambda job: JobEnd(0), cores=1, memory_mib=100))
    with pytest.raises(StatesError) as raised:
        asyncio.run(getattr(tasks, call)(SUBMIT, task()))
    assert (raised.value.error, raised.value.cause) == ("States.TaskFailed", "ZeroDivisionError: of the runner")

"""``batch:submitJob`` and ``batch:submitJob.sync`` on this machine: shares, retries, details, cancellation."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.events import JobEnded, JobStarted, Note
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.job import EXITED, Job, JobDefinition, JobEnd
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY, TIMED_OUT

SUBMIT = "arn:aws:states:::batch:submitJob.sync"
DEFINITIONS = {
    "align": JobDefinition(2, 1000, 3600),
    "huge": JobDefinition(64, 500_000),
    "small": JobDefinition(1, 10),
    "ours": JobDefinition(1, 10, None, STACK_RETRY_STRATEGY),
}
# In a job's detail, as recorded: spacetelescope/calcloud, tests/artifacts/events/batch-event-timeout-error.json.
REQUIREMENTS = [{"Type": "VCPU", "Value": "2"}, {"Type": "MEMORY", "Value": "1000"}]


def submit(**arguments: Any) -> dict[str, Any]:
    arguments = {"JobName": "job", "JobDefinition": "align", "JobQueue": "queue", **arguments}
    return {"Type": "Task", "Resource": SUBMIT, "Arguments": arguments, "End": True}


def run(harness: Any, state: dict[str, Any], job: Callable[[Job], JobEnd], cores: int = 4, **others: Any) -> Any:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, job, cores=cores, memory_mib=4000))
    return harness.run({"T": state, **others}, tasks={SUBMIT: tasks.run})


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
    environment = [{"Name": "A", "Value": "x" * 30_000}]
    result = run(
        harness, submit(ContainerOverrides={"Environment": environment}), lambda job: JobEnd(1, "why " + "y" * 4000)
    )
    cause = json.loads(result.cause)
    assert cause["Container"]["Reason"].startswith("why ")
    assert "Environment" not in cause["Container"]


@pytest.mark.parametrize(("end", "code"), [(JobEnd(0), 137), (JobEnd(143, "ended"), 143)])
def test_a_job_that_times_out_is_cancelled_and_awaited(harness: Any, end: JobEnd, code: int) -> None:
    cancelled = threading.Event()

    def job(job: Job) -> JobEnd:
        assert job.cancelled.wait(10)
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


HOST = JobEnd(None, status_reason="Host EC2 (instance i-0123456789abcdef0) terminated.")
PULL = JobEnd(None, "CannotPullContainerError: pull image manifest has been retried", None, "Task failed to start")


def job_with_ends(*ends: JobEnd, seen: list[Job] | None = None) -> Callable[[Job], JobEnd]:
    """Return a job whose attempts end with each of the ends in turn."""

    def job(job: Job) -> JobEnd:
        if seen is not None:
            seen.append(job)
        return ends[job.attempt - 1]

    return job


def test_transient_failures_are_retried_and_every_attempt_is_reported(harness: Any) -> None:
    seen: list[Job] = []
    job = job_with_ends(HOST, PULL, JobEnd(0, log_stream="log"), seen=seen)
    result = run(harness, submit(JobDefinition="ours"), job)
    assert [(job.job_id, job.attempt) for job in seen] == [
        (seen[0].job_id, 1),
        (seen[0].job_id, 2),
        (seen[0].job_id, 3),
    ]
    detail = result.output
    assert (detail["Status"], detail["StatusReason"]) == ("SUCCEEDED", EXITED)
    assert [(attempt["StatusReason"], attempt["Container"]) for attempt in detail["Attempts"]] == [
        ("Host EC2 (instance i-0123456789abcdef0) terminated.", {}),
        ("Task failed to start", {"Reason": "CannotPullContainerError: pull image manifest has been retried"}),
        (EXITED, {"ExitCode": 0, "LogStreamName": "log"}),
    ]
    assert detail["StartedAt"] == detail["Attempts"][2]["StartedAt"]  # that of the last attempt, as on AWS
    assert {key: detail["Container"][key] for key in ("ExitCode", "LogStreamName")} == {
        "ExitCode": 0,
        "LogStreamName": "log",
    }
    assert detail["RetryStrategy"] == STACK_RETRY_STRATEGY.to_json()
    assert [(event.exit_code, event.reason, event.again) for event in harness.seen(JobEnded)] == [
        (None, "Host EC2 (instance i-0123456789abcdef0) terminated.", True),
        (None, "CannotPullContainerError: pull image manifest has been retried", True),
        (0, None, False),
    ]


@pytest.mark.parametrize(
    ("attempts", "count"),
    [
        ([HOST] * 9, 5),  # the limit
        ([JobEnd(1, "wrong")], 1),
        ([JobEnd(137, "OutOfMemoryError: Container killed due to memory usage")], 1),
        ([HOST, JobEnd(65, "R2 is short")], 2),
        ([JobEnd(137, status_reason=TIMED_OUT)], 1),
    ],
)
def test_only_transient_failures_are_retried(harness: Any, attempts: list[JobEnd], count: int) -> None:
    result = run(harness, submit(JobDefinition="ours"), job_with_ends(*attempts))
    cause = json.loads(result.cause)
    last = attempts[count - 1]
    assert (result.error, cause["Status"], cause["StatusReason"]) == ("States.TaskFailed", "FAILED", last.status_reason)
    assert len(cause["Attempts"]) == count
    assert cause["Container"].get("ExitCode") == last.exit_code
    assert [event.again for event in harness.seen(JobEnded)] == [True] * (count - 1) + [False]


def test_the_submissions_retry_strategy_overrides_the_definitions(harness: Any) -> None:
    # Batch user guide, "Automated job retries": failures that match no entry are retried.
    strategy = {"Attempts": 3, "EvaluateOnExit": [{"OnExitCode": "6*", "Action": "exit"}]}
    state = submit(JobDefinition="ours", RetryStrategy=strategy)
    cause = json.loads(run(harness, state, job_with_ends(JobEnd(1), JobEnd(65), JobEnd(0))).cause)
    assert [attempt["Container"]["ExitCode"] for attempt in cause["Attempts"]] == [1, 65]
    assert cause["RetryStrategy"] == {"Attempts": 3, "EvaluateOnExit": [{"OnExitCode": "6*", "Action": "exit"}]}


def test_a_job_that_timed_out_is_not_retried(harness: Any) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        assert job.cancelled.wait(10)
        return JobEnd(143)

    state = submit(RetryStrategy={"Attempts": 3}, Timeout={"AttemptDurationSeconds": 0.01})
    cause = json.loads(run(harness, state, job).cause)
    assert (len(seen), cause["StatusReason"], len(cause["Attempts"])) == (1, TIMED_OUT, 1)


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
        assert job.cancelled.wait(10)
        ended.set()
        return JobEnd(143)

    async def fails(arguments: Any, context: Any) -> None:
        import asyncio

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


def each(state: dict[str, Any], count: int, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Map",
        "Label": "Each",
        "Items": list(range(count)),
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "J",
            "States": {"J": state},
        },
        "Output": "{% $states.input %}",
        "End": True,
        **fields,
    }


def test_concurrent_jobs_use_the_whole_machine_and_never_more(harness: Any) -> None:
    lock, four_jobs = threading.Lock(), threading.Barrier(4)
    held, most = [0, 0], [0, 0]

    def job(job: Job) -> JobEnd:
        with lock:
            held[0] += job.vcpus
            held[1] += job.memory_mib
            most[:] = [max(most[0], held[0]), max(most[1], held[1])]
        four_jobs.wait(10)  # fails unless four jobs of one core run concurrently
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
        Note("huge: declares 64 vCPUs and 500000 MiB, scaled down to 1 and 1333 MiB to fit this machine")
    ]


def test_a_job_that_raises_ends_the_execution_with_its_exception(harness: Any) -> None:
    def job(job: Job) -> JobEnd:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run(harness, submit(), job)


INTERRUPTED = """
import json, sys, threading
from pathlib import Path
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.tasks.job import JobDefinition, JobEnd
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.engine.tasks.handlers import Handlers

folder, states, first = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3] == "first"
both, ended, ran = threading.Barrier(2), [], []

def job(job):
    item = int(job.environment["ITEM"])
    ran.append(item)
    if not first or item < 2:
        return JobEnd(0)
    if both.wait(20) == 0:
        print("interrupt me", flush=True)
    assert job.cancelled.wait(20)
    ended.append(item)
    return JobEnd(143)

tasks = BatchTasks(MachineJobs({"small": JobDefinition(1, 1)}, job, cores=2, memory_mib=100))
document = {"QueryLanguage": "JSONata", "StartAt": "M", "States": states}
try:
    result = execute(document, {}, name="run-1", state_machine="m", store=None, journal=folder,
                     tasks=Handlers({"arn:aws:states:::batch:submitJob.sync": tasks.run}))
    print(json.dumps([result.status, sorted(ran), sorted(ended)]))
except KeyboardInterrupt:
    print(json.dumps(["interrupted", sorted(ran), sorted(ended)]))
"""


def test_an_interrupt_cancels_running_jobs_and_the_journal_can_be_resumed(tmp_path: Path) -> None:
    environment = [{"Name": "ITEM", "Value": "{% $string($states.input) %}"}]
    state = submit(JobDefinition="small", ContainerOverrides={"Environment": environment})
    state["Retry"] = [{"ErrorEquals": ["States.ALL"]}]  # which must not retry a job that was interrupted
    states = json.dumps({"M": each(state, 5, MaxConcurrency=2)})
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)

    def attempt(which: str) -> Any:
        command = [sys.executable, str(script), str(tmp_path / "journal"), states, which]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=accept_interrupts) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line == "interrupt me\n":
                process.send_signal(signal.SIGINT)
                line = process.stdout.readline()
        assert process.returncode == 0
        return json.loads(line)

    assert attempt("first") == ["interrupted", [0, 1, 2, 3], [2, 3]]
    assert attempt("again") == ["SUCCEEDED", [2, 3, 4], []]


def accept_interrupts() -> None:
    """Restore the handling of SIGINT, which the process that runs the tests may ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgrp()


def test_submit_job_returns_immediately_and_drain_waits_for_the_job(task: Any) -> None:
    # The members: botocore batch, SubmitJobResponse.
    go, ended = threading.Event(), threading.Event()

    def job(job: Job) -> JobEnd:
        assert go.wait(10)
        ended.set()
        return JobEnd(1, "not reported to the state")

    events: list[Any] = []
    context = task("arn:aws:states:::batch:submitJob", observer=events.append)
    arguments = {"JobName": "job", "JobDefinition": "align:7", "JobQueue": "queue"}

    async def submit_and_drain() -> Any:
        runner = MachineJobs(DEFINITIONS, job, cores=2, memory_mib=4000)
        response = await BatchTasks(runner).submit(arguments, context)
        assert not ended.is_set()
        go.set()
        await runner.drain()
        return response

    response = asyncio.run(submit_and_drain())
    job_id = response["JobId"]
    assert response == {
        "JobArn": f"arn:aws:batch:us-east-1:000000000000:job/{job_id}",
        "JobId": job_id,
        "JobName": "job",
    }
    assert ended.is_set()
    assert [(type(event), event.job_id) for event in events] == [(JobStarted, job_id), (JobEnded, job_id)]


def test_submit_job_refuses_an_unknown_definition(task: Any) -> None:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, lambda job: JobEnd(0), cores=2, memory_mib=4000))
    with pytest.raises(StatesError) as raised:
        asyncio.run(tasks.submit({"JobName": "job", "JobDefinition": "no", "JobQueue": "q"}, task()))
    assert (raised.value.error, raised.value.cause) == ("Batch.ClientException", "JobDefinition not found: no")


def test_missing_arguments_are_reported(task: Any) -> None:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, lambda job: JobEnd(0), cores=2, memory_mib=4000))
    with pytest.raises(StatesError) as raised:
        asyncio.run(tasks.run({"JobName": "job"}, task()))
    assert (raised.value.error, raised.value.cause) == (
        "States.Runtime",
        'The Parameters \'{"JobName":"job"}\' could not be used to start the Task: '
        "[The field 'JobQueue' is required but was missing, The field 'JobDefinition' is required but was missing]",
    )


def test_drain_raises_the_exception_of_a_job_in_the_background(task: Any) -> None:
    def job(job: Job) -> JobEnd:
        raise RuntimeError("a bug")

    async def submit_and_drain() -> None:
        runner = MachineJobs(DEFINITIONS, job, cores=2, memory_mib=4000)
        await BatchTasks(runner).submit({"JobName": "job", "JobDefinition": "small", "JobQueue": "q"}, task())
        await runner.drain()

    with pytest.raises(RuntimeError, match="a bug"):
        asyncio.run(submit_and_drain())

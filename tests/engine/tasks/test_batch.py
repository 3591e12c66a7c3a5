"""``batch:submitJob(.sync)`` here: what a job is given, and how its end is told."""

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
# What was asked for, where it stands: spacetelescope/calcloud, tests/artifacts/events/batch-event-timeout-error.json.
ASKED = [{"Type": "VCPU", "Value": "2"}, {"Type": "MEMORY", "Value": "1000"}]


def submit(**arguments: Any) -> dict[str, Any]:
    given = {"JobName": "job", "JobDefinition": "align", "JobQueue": "queue", **arguments}
    return {"Type": "Task", "Resource": SUBMIT, "Arguments": given, "End": True}


def run(harness: Any, state: dict[str, Any], job: Callable[[Job], JobEnd], cores: int = 4, **others: Any) -> Any:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, job, cores=cores, memory_mib=4000))
    return harness.run({"T": state, **others}, tasks={SUBMIT: tasks.run})


def test_a_job_is_given_its_environment_and_its_share(harness: Any) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        return JobEnd(0, log_stream="steps/a/log.txt")

    state = submit(
        ContainerOverrides={"Environment": [{"Name": "A", "Value": "é"}, {"Name": "B", "Value": ""}]},
        Timeout={"AttemptDurationSeconds": 120},
    )
    result = run(harness, state, job)
    (given,) = seen
    assert (given.name, given.definition, given.environment) == ("job", "align", {"A": "é", "B": ""})
    assert (given.vcpus, given.memory_mib, given.timeout_s) == (2, 1000, 120)
    assert not given.cancelled.is_set()
    found = result.output
    moments = {name: found.pop(name) for name in ("CreatedAt", "StartedAt", "StoppedAt")}
    assert all(isinstance(moment, int) and moment > 1_700_000_000_000 for moment in moments.values())
    (attempt,) = found.pop("Attempts")
    assert attempt == {
        "Container": {"ExitCode": 0, "LogStreamName": "steps/a/log.txt"},
        "StartedAt": moments["StartedAt"],
        "StoppedAt": moments["StoppedAt"],
        "StatusReason": "Essential container in task exited",
    }
    assert found == {
        "JobName": "job",
        "JobId": given.job_id,
        "JobQueue": "queue",
        "JobDefinition": "align",
        "Status": "SUCCEEDED",
        "StatusReason": "Essential container in task exited",
        "RetryStrategy": {"Attempts": 1},
        "Timeout": {"AttemptDurationSeconds": 120},
        "Container": {
            "ExitCode": 0,
            "LogStreamName": "steps/a/log.txt",
            "ResourceRequirements": ASKED,
            "Environment": [{"Name": "A", "Value": "é"}, {"Name": "B", "Value": ""}],
        },
    }
    (started,), (ended,) = harness.seen(JobStarted), harness.seen(JobEnded)
    assert (started.job_id, started.state, started.label, started.index) == (given.job_id, "T", None, None)
    assert (ended.job_id, ended.exit_code, ended.reason) == (given.job_id, 0, None)


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
def test_job_definitions(harness: Any, definition: str, overrides: dict[str, Any], expected: tuple[Any, ...]) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        return JobEnd(0)

    result = run(harness, submit(JobDefinition=definition, ContainerOverrides=overrides), job)
    assert result.status == "SUCCEEDED"
    assert (seen[0].vcpus, seen[0].memory_mib, seen[0].timeout_s) == expected


def test_an_unknown_job_definition(harness: Any) -> None:
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
def test_a_failed_job_is_a_task_failure_whose_cause_is_its_detail(
    harness: Any, end: JobEnd, container: dict[str, Any]
) -> None:
    result = run(harness, submit(), lambda job: end)
    assert result.error == "States.TaskFailed"
    cause = json.loads(result.cause)
    assert (cause["Status"], cause["StatusReason"]) == ("FAILED", "Essential container in task exited")
    assert cause["Container"] == {**container, "ResourceRequirements": ASKED, "Environment": []}
    assert cause["Attempts"][0]["Container"] == container
    (ended,) = harness.seen(JobEnded)
    assert (ended.exit_code, ended.reason) == (end.exit_code, end.reason)


def test_the_reason_is_kept_where_the_environment_would_push_it_out(harness: Any) -> None:
    environment = [{"Name": "A", "Value": "x" * 30_000}]
    result = run(
        harness, submit(ContainerOverrides={"Environment": environment}), lambda job: JobEnd(1, "why " + "y" * 4000)
    )
    cause = json.loads(result.cause)
    assert cause["Container"]["Reason"].startswith("why ")
    assert "Environment" not in cause["Container"]


@pytest.mark.parametrize(("end", "code"), [(JobEnd(0), 137), (JobEnd(143, "ended"), 143)])
def test_a_job_that_takes_too_long_is_told_to_end_and_waited_for(harness: Any, end: JobEnd, code: int) -> None:
    told = threading.Event()

    def job(job: Job) -> JobEnd:
        assert job.cancelled.wait(10)
        told.set()
        return end

    result = run(harness, submit(Timeout={"AttemptDurationSeconds": 0.01}), job)
    assert told.is_set()
    assert result.error == "States.TaskFailed"
    cause = json.loads(result.cause)
    assert (cause["Status"], cause["StatusReason"]) == ("FAILED", "Job attempt duration exceeded timeout")
    assert cause["Container"] == {"ExitCode": code, "ResourceRequirements": ASKED, "Environment": []}
    (ended,) = harness.seen(JobEnded)
    assert ended.reason == "Job attempt duration exceeded timeout"


HOST = JobEnd(None, status_reason="Host EC2 (instance i-0123456789abcdef0) terminated.")
PULL = JobEnd(None, "CannotPullContainerError: pull image manifest has been retried", None, "Task failed to start")


def ends(*given: JobEnd, seen: list[Job] | None = None) -> Callable[[Job], JobEnd]:
    """A job whose attempts end so."""

    def job(job: Job) -> JobEnd:
        if seen is not None:
            seen.append(job)
        return given[job.attempt - 1]

    return job


def test_what_passes_by_itself_is_tried_again_and_every_attempt_is_told(harness: Any) -> None:
    seen: list[Job] = []
    job = ends(HOST, PULL, JobEnd(0, log_stream="log"), seen=seen)
    result = run(harness, submit(JobDefinition="ours"), job)
    assert [(job.job_id, job.attempt) for job in seen] == [
        (seen[0].job_id, 1),
        (seen[0].job_id, 2),
        (seen[0].job_id, 3),
    ]
    found = result.output
    assert (found["Status"], found["StatusReason"]) == ("SUCCEEDED", EXITED)
    assert [(one["StatusReason"], one["Container"]) for one in found["Attempts"]] == [
        ("Host EC2 (instance i-0123456789abcdef0) terminated.", {}),
        ("Task failed to start", {"Reason": "CannotPullContainerError: pull image manifest has been retried"}),
        (EXITED, {"ExitCode": 0, "LogStreamName": "log"}),
    ]
    assert found["StartedAt"] == found["Attempts"][2]["StartedAt"]  # of the last attempt, as AWS tells it
    assert {key: found["Container"][key] for key in ("ExitCode", "LogStreamName")} == {
        "ExitCode": 0,
        "LogStreamName": "log",
    }
    assert found["RetryStrategy"] == STACK_RETRY_STRATEGY.to_json()
    assert [(event.exit_code, event.reason, event.again) for event in harness.seen(JobEnded)] == [
        (None, "Host EC2 (instance i-0123456789abcdef0) terminated.", True),
        (None, "CannotPullContainerError: pull image manifest has been retried", True),
        (0, None, False),
    ]


@pytest.mark.parametrize(
    ("attempts", "count"),
    [
        ([HOST] * 9, 5),  # there are no more
        ([JobEnd(1, "wrong")], 1),
        ([JobEnd(137, "OutOfMemoryError: Container killed due to memory usage")], 1),
        ([HOST, JobEnd(65, "R2 is short")], 2),
        ([JobEnd(137, status_reason=TIMED_OUT)], 1),
    ],
)
def test_how_often_a_job_is_tried(harness: Any, attempts: list[JobEnd], count: int) -> None:
    result = run(harness, submit(JobDefinition="ours"), ends(*attempts))
    cause = json.loads(result.cause)
    last = attempts[count - 1]
    assert (result.error, cause["Status"], cause["StatusReason"]) == ("States.TaskFailed", "FAILED", last.status_reason)
    assert len(cause["Attempts"]) == count
    assert cause["Container"].get("ExitCode") == last.exit_code
    assert [event.again for event in harness.seen(JobEnded)] == [True] * (count - 1) + [False]


def test_the_submissions_own_retry_strategy_goes_before_the_definitions(harness: Any) -> None:
    # Batch user guide, "Automated job retries": what matches no entry is retried.
    strategy = {"Attempts": 3, "EvaluateOnExit": [{"OnExitCode": "6*", "Action": "exit"}]}
    state = submit(JobDefinition="ours", RetryStrategy=strategy)
    cause = json.loads(run(harness, state, ends(JobEnd(1), JobEnd(65), JobEnd(0))).cause)
    assert [one["Container"]["ExitCode"] for one in cause["Attempts"]] == [1, 65]
    assert cause["RetryStrategy"] == {"Attempts": 3, "EvaluateOnExit": [{"OnExitCode": "6*", "Action": "exit"}]}


def test_a_job_that_took_too_long_is_not_tried_again(harness: Any) -> None:
    seen: list[Job] = []

    def job(job: Job) -> JobEnd:
        seen.append(job)
        assert job.cancelled.wait(10)
        return JobEnd(143)

    state = submit(RetryStrategy={"Attempts": 3}, Timeout={"AttemptDurationSeconds": 0.01})
    cause = json.loads(run(harness, state, job).cause)
    assert (len(seen), cause["StatusReason"], len(cause["Attempts"])) == (1, TIMED_OUT, 1)


def test_a_job_is_told_what_it_asked_for_and_what_it_was_given(harness: Any) -> None:
    seen: list[Job] = []
    state = submit(
        JobDefinition="small", ContainerOverrides={"ResourceRequirements": [{"Type": "MEMORY", "Value": "9000"}]}
    )
    result = run(harness, state, ends(JobEnd(0), seen=seen))
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
    (told,) = harness.seen(JobEnded)
    assert (told.exit_code, told.reason) == (None, "cancelled")


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


def test_what_runs_at_once_never_exceeds_the_machine_and_uses_all_of_it(harness: Any) -> None:
    lock, all_in = threading.Lock(), threading.Barrier(4)
    held, most = [0, 0], [0, 0]

    def job(job: Job) -> JobEnd:
        with lock:
            held[0] += job.vcpus
            held[1] += job.memory_mib
            most[:] = [max(most[0], held[0]), max(most[1], held[1])]
        all_in.wait(10)  # four one-core jobs run at once, or this fails
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


def test_a_job_that_raises_ends_the_execution_with_that_error(harness: Any) -> None:
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


def test_an_interrupt_cancels_what_runs_waits_for_it_and_leaves_a_journal_to_go_on_from(tmp_path: Path) -> None:
    environment = [{"Name": "ITEM", "Value": "{% $string($states.input) %}"}]
    state = submit(JobDefinition="small", ContainerOverrides={"Environment": environment})
    state["Retry"] = [{"ErrorEquals": ["States.ALL"]}]  # which must not retry a job that was interrupted
    states = json.dumps({"M": each(state, 5, MaxConcurrency=2)})
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)

    def attempt(which: str) -> Any:
        command = [sys.executable, str(script), str(tmp_path / "journal"), states, which]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=listen) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line == "interrupt me\n":
                process.send_signal(signal.SIGINT)
                line = process.stdout.readline()
        assert process.returncode == 0
        return json.loads(line)

    assert attempt("first") == ["interrupted", [0, 1, 2, 3], [2, 3]]
    assert attempt("again") == ["SUCCEEDED", [2, 3, 4], []]


def listen() -> None:
    """Whoever runs the tests may have told their children to ignore interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgrp()


def test_submit_job_answers_at_once_and_drain_waits_for_the_job(task: Any) -> None:
    # The members: botocore batch, SubmitJobResponse.
    go, ended = threading.Event(), threading.Event()

    def job(job: Job) -> JobEnd:
        assert go.wait(10)
        ended.set()
        return JobEnd(1, "how it ends changes nothing")

    events: list[Any] = []
    context = task("arn:aws:states:::batch:submitJob", observer=events.append)
    arguments = {"JobName": "job", "JobDefinition": "align:7", "JobQueue": "queue"}

    async def both() -> Any:
        runner = MachineJobs(DEFINITIONS, job, cores=2, memory_mib=4000)
        answer = await BatchTasks(runner).submit(arguments, context)
        assert not ended.is_set()
        go.set()
        await runner.drain()
        return answer

    answer = asyncio.run(both())
    job_id = answer["JobId"]
    assert answer == {
        "JobArn": f"arn:aws:batch:us-east-1:000000000000:job/{job_id}",
        "JobId": job_id,
        "JobName": "job",
    }
    assert ended.is_set()
    assert [(type(event), event.job_id) for event in events] == [(JobStarted, job_id), (JobEnded, job_id)]


def test_submit_job_of_an_unknown_definition(task: Any) -> None:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, lambda job: JobEnd(0), cores=2, memory_mib=4000))
    with pytest.raises(StatesError) as raised:
        asyncio.run(tasks.submit({"JobName": "job", "JobDefinition": "no", "JobQueue": "q"}, task()))
    assert (raised.value.error, raised.value.cause) == ("Batch.ClientException", "JobDefinition not found: no")


def test_what_a_submission_cannot_do_without(task: Any) -> None:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, lambda job: JobEnd(0), cores=2, memory_mib=4000))
    with pytest.raises(StatesError) as raised:
        asyncio.run(tasks.run({"JobName": "job"}, task()))
    assert (raised.value.error, raised.value.cause) == (
        "States.Runtime",
        'The Parameters \'{"JobName":"job"}\' could not be used to start the Task: '
        "[The field 'JobQueue' is required but was missing, The field 'JobDefinition' is required but was missing]",
    )


def test_a_bug_in_a_job_that_nothing_waits_for_is_not_lost(task: Any) -> None:
    def job(job: Job) -> JobEnd:
        raise RuntimeError("a bug")

    async def both() -> None:
        runner = MachineJobs(DEFINITIONS, job, cores=2, memory_mib=4000)
        await BatchTasks(runner).submit({"JobName": "job", "JobDefinition": "small", "JobQueue": "q"}, task())
        await runner.drain()

    with pytest.raises(RuntimeError, match="a bug"):
        asyncio.run(both())

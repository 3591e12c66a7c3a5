"""Jobs on a cluster: each submitted once, whatever Slurm answers and however often the head of the run is killed."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.engine.tasks.job_detail import cause_of
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.runs.slurm.cancelled_jobs import cancel_jobs
from genomics_pipeline.runs.slurm.jobs import SlurmJobs
from tests.runs.slurm.conftest import Cluster, context


def failure_class(detail: dict[str, object]) -> FailureClass:
    assert detail["Status"] == "FAILED"
    return classify("States.TaskFailed", cause_of(detail)).failure_class


async def until(condition: object) -> None:
    """Wait until a function returns something true."""
    assert callable(condition)
    while not condition():
        await asyncio.sleep(0.01)


def kill_head_once_started(cluster: Cluster, *samples: str) -> None:
    """Start samples with a head that is gone once their programs run: its event loop stops, nothing is cancelled."""
    head = cluster.head()

    async def start() -> None:
        for sample in samples:
            task = asyncio.ensure_future(head.run(cluster.arguments(sample), context()))
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
        await until(lambda: len(cluster.starts()) == len(samples))

    loop = asyncio.new_event_loop()
    loop.run_until_complete(start())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()


def test_jobs_of_the_same_resources_are_arrays_of_the_greatest_size(cluster: Cluster) -> None:
    details = cluster.run(*"abcdefg")
    assert {detail["Status"] for detail in details} == {"SUCCEEDED"}
    assert cluster.starts() == list("abcdefg")
    assert sorted(one["array"] for one in cluster.submitted()) == ["0-0", "0-2", "0-2"]


def test_no_more_jobs_are_in_slurm_than_the_user_allows(cluster: Cluster) -> None:
    head, samples = cluster.head(most_jobs=2), [f"wait{number}" for number in range(5)]

    async def run() -> int:
        running = asyncio.gather(*(head.run(cluster.arguments(sample), context()) for sample in samples))
        await until(lambda: cluster.slurm.calls().count("squeue") == 3)
        at_first = len(cluster.starts())
        cluster.let_go()
        await running
        return at_first

    assert asyncio.run(run()) <= 2
    assert cluster.submitted()[0]["array"] == "0-1"
    assert cluster.starts() == samples


def test_the_options_of_a_job(cluster: Cluster) -> None:
    cluster.options = SlurmOptions("long", "never-preempted", "lab", "high", extra=("--constraint=avx2",))
    cluster.run("a")
    (found,) = cluster.submitted()
    assert {name: found[name] for name in ("partition", "account", "qos", "constraint", "mem", "cpus-per-task")} == {
        "partition": "long",
        "account": "lab",
        "qos": "high",
        "constraint": "avx2",
        "mem": "100M",
        "cpus-per-task": "2",
    }
    assert found["time"] == "3"  # 90 s for four cores, on the two of the largest node
    assert {"no-requeue", "parsable"} <= found.keys()


def test_memory_by_core_and_the_queue_of_on_demand_hosts(cluster: Cluster) -> None:
    cluster.options = SlurmOptions("spot", "safe", mem_per_cpu=True)
    cluster.run("a", queue="arn:aws:batch:us-east-1:0:job-queue/genomics-pipeline-on-demand")
    (found,) = cluster.submitted()
    assert (found["partition"], found["mem-per-cpu"], found.get("mem")) == ("safe", "50M", None)


def test_a_head_that_was_killed_finds_its_jobs_again(cluster: Cluster) -> None:
    kill_head_once_started(cluster, "wait1", "wait2", "a")
    cluster.let_go()
    assert [detail["Status"] for detail in cluster.run("wait1", "wait2", "a")] == ["SUCCEEDED"] * 3
    assert cluster.starts() == ["a", "wait1", "wait2"]
    assert cluster.slurm.calls().count("sbatch") == 1


def test_a_job_of_a_killed_head_that_was_not_submitted_is(cluster: Cluster) -> None:
    kill_head_once_started(cluster, "wait")
    for file in (*cluster.slurm.folder.glob("array.*"), *cluster.folder.path.rglob("job.txt")):
        file.unlink()
    head = cluster.head()

    async def run() -> str:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(lambda: cluster.slurm.calls().count("sbatch") == 2)
        cluster.let_go()
        return str((await running)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"


def test_a_submission_without_an_answer_is_searched_before_it_is_repeated(cluster: Cluster) -> None:
    cluster.slurm.set("mute")
    assert cluster.run("a", "b")[1]["Status"] == "SUCCEEDED"
    assert cluster.slurm.calls().count("sbatch") == 1
    assert cluster.notes == [
        "Slurm does not take jobs now; the run tries again: sbatch: error: Batch job submission failed: Socket timed "
        "out on send/recv operation"
    ]


def test_a_controller_that_is_away_is_waited_for(cluster: Cluster) -> None:
    head = cluster.head()

    async def run() -> str:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        cluster.slurm.set("down")
        await until(lambda: cluster.notes)
        cluster.let_go()
        cluster.slurm.unset("down")
        return str((await running)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"
    assert cluster.notes == [
        "Slurm does not answer; the run waits: slurm_load_jobs error: Unable to contact slurm controller "
        "(connect failure)"
    ]


def test_a_refused_job_has_slurms_words(cluster: Cluster) -> None:
    cluster.slurm.set("refusal", "sbatch: error: invalid partition specified: lnog")
    (detail,) = cluster.run("a")
    assert failure_class(detail) is FailureClass.AWS_LIMIT
    assert detail["StatusReason"] == (
        "MISCONFIGURATION: Slurm refuses the job: sbatch: error: invalid partition specified: lnog"
    )


def run_with_state(cluster: Cluster, state: str) -> tuple[SlurmJobs, dict[str, object]]:
    """Run a sample whose job squeue lists in a state once it runs."""
    head = cluster.head()

    async def run() -> dict[str, object]:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        cluster.slurm.set_state(1, 0, state)
        if state == "UNKNOWN" or "NODE" in state:  # retried
            await until(lambda: len(cluster.starts()) == 2)
            cluster.let_go()
        return await running

    try:
        return head, asyncio.run(run())
    finally:
        cluster.let_go()


@pytest.mark.parametrize(
    ("state", "expected", "words"),
    [
        ("OUT_OF_MEMORY", FailureClass.OUT_OF_MEMORY, "OutOfMemoryError: Slurm killed the job, which may use 100 MiB"),
        ("TIMEOUT", FailureClass.TIMEOUT, "Slurm ended the job at its time limit (TIMEOUT)"),
        ("DEADLINE", FailureClass.TIMEOUT, "Slurm ended the job at its time limit (DEADLINE)"),
        (
            "CANCELLED",
            FailureClass.CANCELLED,
            "the job was cancelled in Slurm, by `scancel` or the administrator",
        ),
        (
            "PENDING PartitionTimeLimit",
            FailureClass.AWS_LIMIT,
            "MISCONFIGURATION: Slurm never starts the job (PartitionTimeLimit): give another partition, or a step with "
            "a shorter timeout",
        ),
    ],
)
def test_ends_that_slurm_knows(cluster: Cluster, state: str, expected: FailureClass, words: str) -> None:
    _, detail = run_with_state(cluster, state)
    assert failure_class(detail) is expected
    container = detail["Container"]
    assert isinstance(container, dict)
    assert container["Reason"] == words


@pytest.mark.parametrize("state", ["NODE_FAIL", "UNKNOWN"])
def test_a_job_whose_node_is_lost_runs_again(cluster: Cluster, state: str) -> None:
    _, detail = run_with_state(cluster, state)
    assert detail["Status"] == "SUCCEEDED"
    attempts = detail["Attempts"]
    assert isinstance(attempts, list)
    assert [one["StatusReason"] for one in attempts] == [
        "Host EC2 (node of Slurm) terminated.",
        "Essential container in task exited",
    ]


def test_a_program_that_fails_keeps_its_exit_code_and_its_message(cluster: Cluster) -> None:
    (detail,) = cluster.run("bad")
    assert failure_class(detail) is FailureClass.BAD_INPUT
    assert detail["Container"]["ExitCode"] == 65
    assert detail["Container"]["Reason"].endswith("bad: expected food")


def test_a_cancelled_run_cancels_its_jobs_and_submits_them_when_it_is_resumed(cluster: Cluster) -> None:
    head = cluster.head()

    async def interrupt() -> None:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(interrupt())
    assert cluster.slurm.calls().count("scancel") == 1
    cluster.let_go()
    assert cluster.run("wait")[0]["Status"] == "SUCCEEDED"
    assert cluster.slurm.calls().count("sbatch") == 2


def test_the_jobs_of_a_head_that_is_gone_are_cancelled(cluster: Cluster) -> None:
    kill_head_once_started(cluster, "wait1", "wait2")
    environment = {**os.environ, "PATH": str(cluster.slurm.path)}
    cancel_jobs(cluster.folder.path, environment, cluster.notes.append)
    cancel_jobs(cluster.folder.path, environment, cluster.notes.append)
    assert cluster.notes == ["cancelled in Slurm: 1_0, 1_1"]
    cluster.let_go()
    assert [detail["Status"] for detail in cluster.run("wait1", "wait2")] == ["SUCCEEDED"] * 2
    assert cluster.slurm.calls().count("sbatch") == 2


def test_a_silent_controller_leaves_the_jobs(cluster: Cluster) -> None:
    cluster.head()
    cluster.slurm.set("down")
    with pytest.raises(RunError, match=r"its jobs in Slurm may still run: .*; repeat the command"):
        cancel_jobs(cluster.folder.path, {"PATH": str(cluster.slurm.path)}, cluster.notes.append)


def test_an_execution_later_submits_the_same_work_again(cluster: Cluster) -> None:
    cluster.run("bad")
    head = cluster.head()
    later = replace(context(), execution="arn:aws:states:us-east-1:000000000000:execution:m:e-2")
    asyncio.run(head.run(cluster.arguments("bad"), later))
    assert cluster.slurm.calls().count("sbatch") == 2


def test_payloads_are_in_no_command_line(cluster: Cluster) -> None:
    cluster.run("a")
    (found,) = cluster.submitted()
    assert "counting" not in str(found)
    assert Path(found["chdir"]).is_relative_to(cluster.folder.path)

"""Jobs on a cluster: each submitted once, whatever Slurm answers and however often the head of the run is killed."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.tasks.job_detail import cause_of
from genomics_pipeline.engine.tasks.job_runner import JobDetail, JobReport
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.model.step import OUT_OF_DISK_EXIT_CODE
from genomics_pipeline.model.task import TRIED_VARIABLE, RunPlace
from genomics_pipeline.records.failure import read_failure
from genomics_pipeline.runs.run_folder import BUCKET
from genomics_pipeline.runs.slurm import array_job, attempts, node, sending
from genomics_pipeline.runs.slurm.array_job import ArrayJob
from genomics_pipeline.runs.slurm.cancelled_jobs import cancel_jobs
from genomics_pipeline.runs.slurm.jobs import SlurmJobs
from genomics_pipeline.runs.slurm.listing import Listing, read_files
from genomics_pipeline.runs.slurm.node_task import (
    ARRAY,
    CANCELLED,
    ENDED,
    STARTED,
    TASKS,
    NodeTask,
    read_claim,
    read_tasks,
    write_tasks,
)
from genomics_pipeline.runs.slurm.submission import JobPlace
from genomics_pipeline.slurm.commands import SlurmCommands
from genomics_pipeline.slurm.slurm_job import SlurmJob
from tests.patience import PATIENCE_S
from tests.runs.slurm.conftest import Cluster, context

LOST = ["NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "UNKNOWN", "COMPLETED"]  # the last without a file of its end


def failure_class(detail: dict[str, object]) -> FailureClass:
    assert detail["Status"] == "FAILED"
    return classify("States.TaskFailed", cause_of(detail)).failure_class


async def until(condition: object) -> None:
    """Wait until a function returns something true, at most `PATIENCE_S`."""
    assert callable(condition)
    async with asyncio.timeout(PATIENCE_S):
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
    with ThreadPoolExecutor() as threads:  # what they do now ends first: a submission writes the number that it got
        loop.set_default_executor(threads)
        loop.run_until_complete(start())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()


def test_jobs_of_the_same_resources_are_arrays_of_the_greatest_size(cluster: Cluster) -> None:
    details = cluster.run(*"abcdefg")
    assert {detail["Status"] for detail in details} == {"SUCCEEDED"}
    assert cluster.starts() == list("abcdefg")
    assert sorted(one["array"] for one in cluster.submitted()) == ["0-0", "0-2", "0-2"]


def test_no_more_jobs_run_than_the_user_allows(cluster: Cluster) -> None:
    head, samples = cluster.head(most_jobs=2), [f"wait{number}" for number in range(5)]

    async def run() -> list[str]:
        running = asyncio.gather(*(head.run(cluster.arguments(sample), context()) for sample in samples))
        await until(lambda: cluster.slurm.calls().count("squeue") >= 3)
        at_first = [one["array"] for one in cluster.submitted()]
        cluster.let_go()
        await running
        return at_first

    assert asyncio.run(run()) == ["0-2%2"]  # the other two tasks wait for its jobs
    assert cluster.starts() == samples


def test_work_that_is_done_needs_no_job(cluster: Cluster) -> None:
    cluster.run("a", "b", "c")
    calls, head = cluster.slurm.calls(), cluster.head()
    later = replace(context(), execution="arn:aws:states:us-east-1:000000000000:execution:m:e-2")

    async def run(*samples: str) -> set[str]:
        details = await asyncio.gather(*(head.run(cluster.arguments(sample), later) for sample in samples))
        return {str(detail["Status"]) for detail in details}

    assert asyncio.run(run("a", "b")) == {"SUCCEEDED"}
    assert cluster.slurm.calls() == calls
    assert head.report() == JobReport(reused=frozenset({("counting", "a"), ("counting", "b")}))
    (cluster.folder.path / "results/eaten/b.txt").write_text("damaged")
    assert asyncio.run(run("b", "c")) == {"SUCCEEDED"}
    assert cluster.starts() == ["a", "b", "b", "c"]


def test_an_attempt_that_waits_takes_the_end_of_one_that_was_lost(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "GATHER_S", 10_000.0)  # until the second attempt may be submitted
    head = cluster.head()

    async def run() -> str:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        cluster.slurm.set_state(1, 0, "NODE_FAIL")
        await until(lambda: read_failure(cluster.store, RunPlace("run", BUCKET, ""), "counting", "wait"))
        cluster.let_go()
        return str((await running)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"
    assert cluster.slurm.calls().count("sbatch") == 1


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
    assert found["time"] == "1200"  # ten hours for four cores, on the two of the largest node
    assert {"no-requeue", "parsable"} <= found.keys()


def test_a_job_asks_for_no_more_time_than_its_partition_has(cluster: Cluster) -> None:
    cluster.slurm.set("minutes", "2:00")
    kill_head_once_started(cluster, "wait")
    (tasks,) = cluster.folder.path.rglob(TASKS)
    assert [task.minutes for task in read_tasks(tasks)] == [2]
    (found,) = cluster.submitted()
    assert found["time"] == "2"
    limited = "jobs of genomics-pipeline-count have 2 min, the longest in the default partition; they ask for 1,200"
    assert cluster.notes == [limited]
    cluster.slurm.set("minutes", "1:00")
    cluster.let_go()
    assert cluster.run("wait")[0]["Status"] == "SUCCEEDED"
    assert cluster.starts() == ["wait"]  # the job is found again


def after_a_timeout(cluster: Cluster, sample: str = "a") -> dict[str, Any]:
    """Return the arguments of a sample whose job came to its time limit, as the definition submits it again."""
    arguments = cluster.arguments(sample)
    tried = {"Name": TRIED_VARIABLE, "Value": "[timeout 100 7c1f]"}
    arguments["ContainerOverrides"]["Environment"].append(tried)
    return {**arguments, "Timeout": {"AttemptDurationSeconds": 72_000}}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("", "partition short allows no more"),
        ("brief", "partition short and partition brief allow no more"),
    ],
)
def test_a_job_that_had_the_longest_time_of_its_partitions_is_not_submitted_again(
    cluster: Cluster, other: str, words: str
) -> None:
    cluster.options = SlurmOptions("short", other)
    cluster.slurm.set("minutes.short", "1:00:00")
    cluster.slurm.set("minutes.brief", "30:00")
    detail = asyncio.run(cluster.head().run(after_a_timeout(cluster), context()))
    assert failure_class(detail) is FailureClass.TIMEOUT
    assert detail["Container"]["Reason"] == (
        f"a job with 60 min came to its time limit, and {words}, so that it was not submitted again; give a partition "
        "that allows more: `genomics-pipeline rerun RUN --slurm-partition NAME`"
    )
    assert cluster.submitted() == []


@pytest.mark.parametrize(
    ("limits", "partition", "minutes"),
    [
        ({"minutes.short": "1:00:00"}, "safe", "2400"),
        ({"minutes.short": "1:00:00", "minutes.safe": "2:00:00"}, "safe", "120"),
        ({"minutes.short": "30:00:00", "minutes.safe": "50:00:00"}, "short", "1800"),
        ({}, "short", "2400"),
    ],
)
def test_a_retry_has_more_time_than_the_job_before(
    cluster: Cluster, limits: dict[str, str], partition: str, minutes: str
) -> None:
    cluster.options = SlurmOptions("short", "safe")
    for name, text in limits.items():
        cluster.slurm.set(name, text)
    assert asyncio.run(cluster.head().run(after_a_timeout(cluster), context()))["Status"] == "SUCCEEDED"
    (found,) = cluster.submitted()
    assert (found["partition"], found["time"]) == (partition, minutes)


def test_the_users_time_of_a_job(cluster: Cluster) -> None:
    cluster.options = SlurmOptions(minutes=90)
    cluster.run("a")
    assert asyncio.run(cluster.head().run(after_a_timeout(cluster, "b"), context()))["Status"] == "SUCCEEDED"
    assert [one["time"] for one in cluster.submitted()] == ["90", "180"]


def run_cancelled(cluster: Cluster, times: int) -> dict[str, object]:
    """Run a sample of which Slurm lists so many jobs as cancelled before they start."""
    head = cluster.head()
    cluster.slurm.set("hold")
    for array in range(1, times + 1):
        cluster.slurm.set_state(array, 0, "PENDING Resources")

    async def run() -> dict[str, object]:
        running = asyncio.ensure_future(head.run(cluster.arguments("a"), context()))
        for array in range(1, times + 1):
            await until(lambda number=array: len(cluster.submitted()) == number)
            if array == times == 1:
                cluster.slurm.unset("hold")
            cluster.slurm.set_state(array, 0, "CANCELLED")
        return await running

    return asyncio.run(run())


def test_a_task_that_never_started_and_nobody_cancelled_is_submitted_once_more(cluster: Cluster) -> None:
    detail = run_cancelled(cluster, 1)
    assert detail["Status"] == "SUCCEEDED"
    assert cluster.starts() == ["a"]


def test_a_task_that_is_cancelled_twice_before_it_starts_stays_so(cluster: Cluster) -> None:
    assert failure_class(run_cancelled(cluster, 2)) is FailureClass.CANCELLED
    assert len(cluster.submitted()) == 2


def test_a_task_that_the_user_cancelled_before_it_started_stays_so(cluster: Cluster) -> None:
    cluster.slurm.set("accounting", f"1_0|CANCELLED by {os.getuid()}|0:0|None assigned|")
    assert failure_class(run_cancelled(cluster, 1)) is FailureClass.CANCELLED
    assert len(cluster.submitted()) == 1


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
    files = cluster.folder.path
    for file in (*cluster.slurm.folder.glob("array.*"), *files.rglob(ARRAY), *files.rglob(f"*{STARTED}")):
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
        if state == "CANCELLED":
            SlurmCommands({"PATH": str(cluster.slurm.path)}).cancel(["1_0"])
        else:
            cluster.slurm.set_state(1, 0, state)
        if state in LOST:  # retried
            await until(lambda: len(cluster.starts()) == 2)
            lost = read_failure(cluster.store, RunPlace("run", BUCKET, ""), "counting", "wait")
            assert lost is not None
            assert (lost.failure_class, lost.exit_code, lost.number) == ("host_lost", None, 1)
            assert lost.attempt is not None
            assert lost.attempt.attempt == 1
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
        ("TIMEOUT", FailureClass.TIMEOUT, "Slurm ended the job at its time limit of 1,200 min (TIMEOUT)"),
        ("DEADLINE", FailureClass.TIMEOUT, "Slurm ended the job at its time limit of 1,200 min (DEADLINE)"),
        (
            "CANCELLED",
            FailureClass.CANCELLED,
            "the job was cancelled in Slurm: by `scancel`, an administrator, or its node, which could not launch it",
        ),
        (
            "PENDING PartitionTimeLimit",
            FailureClass.AWS_LIMIT,
            "MISCONFIGURATION: Slurm never starts the job (PartitionTimeLimit): give another partition, or less time: "
            "--slurm-minutes",
        ),
    ],
)
def test_ends_that_slurm_knows(cluster: Cluster, state: str, expected: FailureClass, words: str) -> None:
    _, detail = run_with_state(cluster, state)
    assert failure_class(detail) is expected
    container = detail["Container"]
    assert isinstance(container, dict)
    assert container["Reason"] == words


def test_a_job_that_runs_on_although_it_is_listed_as_cancelled_is_waited_for(cluster: Cluster) -> None:
    head = cluster.head()

    async def run() -> str:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        cluster.slurm.set_state(1, 0, "CANCELLED")
        calls = len(cluster.slurm.calls())
        await until(lambda: len(cluster.slurm.calls()) > calls + 3)
        cluster.let_go()
        return str((await running)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"
    assert cluster.starts() == ["wait"]


@pytest.mark.parametrize("reason", ["PartitionDown", "PartitionInactive", "PartitionNodeLimit"])
def test_a_job_that_may_start_later_waits(cluster: Cluster, reason: str) -> None:
    cluster.slurm.set("hold")
    head = cluster.head()

    async def run() -> str:
        running = asyncio.ensure_future(head.run(cluster.arguments("a"), context()))
        await until(lambda: cluster.submitted())
        cluster.slurm.set_state(1, 0, f"PENDING {reason}")
        calls = len(cluster.slurm.calls())
        await until(lambda: len(cluster.slurm.calls()) > calls + 3)
        cluster.slurm.unset("hold")
        cluster.slurm.set_state(1, 0, "CANCELLED")  # and so it is submitted once more
        return str((await running)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"
    assert cluster.slurm.cancelled() == []
    (note,) = cluster.notes
    assert note.startswith(f"jobs wait in Slurm ({reason}): ")


@pytest.mark.usefixtures("soon_gone")
@pytest.mark.parametrize("state", LOST)
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
    assert cluster.slurm.cancelled() == ["1_0", "1_1"]
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


def test_a_caller_that_is_cancelled_during_a_look_harms_no_other(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = cluster.head()

    async def run() -> str:
        doomed = asyncio.ensure_future(head.run(cluster.arguments("a"), context()))
        other = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        loop = asyncio.get_running_loop()

        def look(*arguments: Any) -> object:
            found = read_files(*arguments)
            if any(end for _, end in found.values()):
                asyncio.run_coroutine_threadsafe(cancel(), loop).result()
            return found

        async def cancel() -> None:
            doomed.cancel()
            for _ in range(3):
                await asyncio.sleep(0)

        monkeypatch.setattr(attempts, "read_files", look)
        await until(doomed.done)
        cluster.let_go()
        return str((await other)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"


def test_a_submission_on_its_way_is_cancelled_with_its_caller(cluster: Cluster) -> None:
    head = cluster.head()
    cluster.slurm.set("slow")

    async def interrupt() -> None:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until((cluster.slurm.folder / "submitting").exists)
        running.cancel()
        ended, _ = await asyncio.wait([running], timeout=0.5)
        assert not ended  # it waits for the number of the array
        cluster.slurm.unset("slow")
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(interrupt())
    assert cluster.slurm.cancelled() == ["1_0"]


def test_an_unanswered_submission_is_cancelled_with_its_caller(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LONGEST_WAIT_S", 1000.0)
    head = cluster.head()
    cluster.slurm.set("mute")

    async def interrupt() -> None:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(lambda: cluster.notes)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(interrupt())
    assert cluster.slurm.cancelled() == ["1_0"]


def test_arrays_become_smaller_where_the_site_takes_few_jobs(cluster: Cluster) -> None:
    cluster.slurm.set("most", "1")
    assert {detail["Status"] for detail in cluster.run("a", "b", "c")} == {"SUCCEEDED"}
    assert [one["array"] for one in cluster.submitted()] == ["0-0"] * 3
    assert cluster.notes[0] == "Slurm takes fewer jobs at once than 3; the run submits half of them"
    cluster.slurm.set("most", "0")
    head = cluster.head()

    async def run() -> str:
        running = asyncio.ensure_future(head.run(cluster.arguments("d"), context()))
        await until(lambda: "AssocMaxSubmitJobLimit" in cluster.notes[-1])
        cluster.slurm.unset("most")
        return str((await running)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"


def test_the_size_of_arrays_is_waited_for(cluster: Cluster) -> None:
    head = cluster.head()
    cluster.slurm.set("silent")

    async def run() -> list[JobDetail]:
        running = asyncio.gather(*(head.run(cluster.arguments(one), context()) for one in "abc"))
        await until(lambda: cluster.notes)
        cluster.slurm.unset("silent")
        return await running

    assert {detail["Status"] for detail in asyncio.run(run())} == {"SUCCEEDED"}
    assert [one["array"] for one in cluster.submitted()] == ["0-2"]


def test_a_lost_job_that_finishes_all_the_same_is_the_end_of_its_successor(cluster: Cluster) -> None:
    head = cluster.head()

    async def run() -> dict[str, object]:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        cluster.slurm.set("hold")
        cluster.slurm.set_state(1, 0, "NODE_FAIL")
        await until(lambda: cluster.slurm.calls().count("sbatch") == 2)
        cluster.let_go()
        return await running

    assert asyncio.run(run())["Status"] == "SUCCEEDED"
    assert cluster.starts() == ["wait"]
    assert cluster.slurm.cancelled() == ["2_0"]


def test_tasks_of_jobs_that_wait_are_run_by_one_that_is_free(cluster: Cluster) -> None:
    cluster.slurm.set("serial")
    head = cluster.head()

    async def run() -> list[JobDetail]:
        running = asyncio.gather(*(head.run(cluster.arguments(one), context()) for one in ("a", "wait", "c")))
        await until(lambda: "wait" in cluster.starts())
        calls = cluster.slurm.calls().count("squeue")
        await until(lambda: cluster.slurm.calls().count("squeue") > calls + 1)  # the head has seen who runs the tasks
        cluster.let_go()
        details = await running
        await head.drain()
        return details

    assert [detail["Status"] for detail in asyncio.run(run())] == ["SUCCEEDED"] * 3
    assert cluster.starts() == ["a", "c", "wait"]
    (array,) = (cluster.folder.path / run_layout.SLURM).iterdir()
    claims = [read_claim(array / f"{index}{STARTED}") for index in range(3)]
    assert [(claim.index, claim.before) for claim in claims if claim] == [(0, 0), (0, 2), (0, 1)]
    assert cluster.slurm.cancelled() == ["1"]  # those that have nothing left to do


def test_a_failed_task_is_the_last_of_its_job(cluster: Cluster) -> None:
    cluster.slurm.set("serial")
    details = cluster.run("bad", "b", "c")
    assert [detail["Status"] for detail in details] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    (array,) = (cluster.folder.path / run_layout.SLURM).iterdir()
    claims = [read_claim(array / f"{index}{STARTED}") for index in range(3)]
    assert [claim.index for claim in claims if claim] == [0, 1, 1]


def test_the_time_limit_of_a_job_that_ran_another_task_before_says_nothing(cluster: Cluster) -> None:
    cluster.slurm.set("serial")
    head = cluster.head()

    async def run() -> list[JobDetail]:
        running = asyncio.gather(*(head.run(cluster.arguments(one), context()) for one in ("a", "wait")))
        await until(lambda: "wait" in cluster.starts())
        cluster.slurm.set_state(1, 0, "TIMEOUT")
        await until(lambda: cluster.starts().count("wait") == 2)
        cluster.let_go()
        return await running

    details = asyncio.run(run())
    assert [detail["Status"] for detail in details] == ["SUCCEEDED"] * 2
    assert details[1]["Attempts"][0]["StatusReason"] == "Host EC2 (node of Slurm) terminated."


@pytest.mark.parametrize(
    ("comment", "state", "expected"),
    [
        ("", "OUT_OF_MEMORY|0:125", FailureClass.OUT_OF_MEMORY),
        ("", "TIMEOUT|0:0", FailureClass.TIMEOUT),
        ("", "CANCELLED by 0|0:15", FailureClass.CANCELLED),
        ("another run's array", "CANCELLED by 0|0:15", None),  # its number was given twice
    ],
)
def test_jobs_that_are_no_longer_listed_are_looked_up_in_the_accounting(
    cluster: Cluster, request: pytest.FixtureRequest, comment: str, state: str, expected: FailureClass | None
) -> None:
    if expected is None:
        request.getfixturevalue("soon_gone")
    cluster.slurm.set("accounting", f"1_0|{state}|node1|{comment}\n1_[1-2]|PENDING||")
    head = cluster.head()

    async def run() -> JobDetail:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        if expected is FailureClass.CANCELLED:
            SlurmCommands({"PATH": str(cluster.slurm.path)}).cancel(["1_0"])
        cluster.slurm.set_state(1, 0, "UNKNOWN")
        if expected is None:
            await until(lambda: len(cluster.starts()) == 2)
            cluster.let_go()
        return await running

    detail = asyncio.run(run())
    cluster.let_go()
    assert (failure_class(detail) if expected else detail["Status"]) == (expected or "SUCCEEDED")


def test_commands_of_slurm_that_are_gone_for_a_time_are_waited_for(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, original, calling = cluster.head(), SlurmCommands._run, threading.Lock()
    hidden = cluster.slurm.path.with_name("hidden")

    def call(self: SlurmCommands, *arguments: Any, **options: Any) -> str:
        with calling:
            return original(self, *arguments, **options)

    monkeypatch.setattr(SlurmCommands, "_run", call)

    async def run() -> str:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        with calling:  # a command that starts now would be half gone
            cluster.slurm.path.rename(hidden)
        await until(lambda: cluster.notes)
        hidden.rename(cluster.slurm.path)
        cluster.let_go()
        return str((await running)["Status"])

    assert asyncio.run(run()) == "SUCCEEDED"
    assert cluster.notes == [
        "Slurm does not answer; the run waits: squeue: expected Slurm's command on PATH, found none; run this on a "
        "login node"
    ]


def test_the_written_end_of_a_job_that_slurm_forgot_counts_at_once(cluster: Cluster) -> None:
    cluster.slurm.set_state(1, 0, "UNKNOWN")
    (detail,) = cluster.run("bad")
    assert detail["Container"]["ExitCode"] == 65


@pytest.mark.usefixtures("soon_gone")
def test_damaged_ends_are_no_ends(cluster: Cluster) -> None:
    head = cluster.head()

    async def run() -> JobDetail:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        (array,) = (cluster.folder.path / run_layout.SLURM).iterdir()
        (array / f"0{ENDED}").write_bytes(bytes(20))
        cluster.slurm.set_state(1, 0, "COMPLETED")
        await until(lambda: len(cluster.starts()) == 2)
        cluster.let_go()
        return await running

    assert asyncio.run(run())["Status"] == "SUCCEEDED"


def test_a_task_whose_job_was_cancelled_for_the_sake_of_another_one_runs_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.slurm.set("serial")
    head = cluster.head()

    def late_ends(*arguments: Any) -> object:  # of a file server
        return {followed: (claim, None) for followed, (claim, _) in read_files(*arguments).items()}

    async def run() -> JobDetail:
        monkeypatch.setattr(attempts, "read_files", late_ends)
        first, waits = (asyncio.ensure_future(head.run(cluster.arguments(one), context())) for one in ("a", "wait"))
        await until(lambda: cluster.starts() == ["a", "wait"])  # in the same job
        calls = cluster.slurm.calls().count("squeue")
        await until(lambda: cluster.slurm.calls().count("squeue") > calls + 1)
        first.cancel()
        await until(lambda: cluster.starts() == ["a", "wait", "wait"])
        monkeypatch.setattr(attempts, "read_files", read_files)
        cluster.let_go()
        return await waits

    detail = asyncio.run(run())
    assert (detail["Status"], len(detail["Attempts"])) == ("SUCCEEDED", 2)


def test_the_number_of_an_array_that_a_killed_head_did_not_write_is_found_by_its_key(cluster: Cluster) -> None:
    kill_head_once_started(cluster, "wait")
    (number,) = cluster.folder.path.rglob(ARRAY)
    number.unlink()
    head = cluster.head()

    async def interrupt() -> None:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(number.exists)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(interrupt())
    assert cluster.slurm.cancelled() == ["1_0"]


def test_slurms_words_about_memory_are_waited_for(cluster: Cluster) -> None:
    head = cluster.head()

    async def run() -> JobDetail:
        running = asyncio.ensure_future(head.run(cluster.arguments("wait"), context()))
        await until(cluster.starts)
        cluster.slurm.set_state(1, 0, "FAILED JobLaunchFailure")
        asked = cluster.slurm.calls().count("squeue")
        await until(lambda: cluster.slurm.calls().count("squeue") >= asked + 2)
        (array,) = (cluster.folder.path / run_layout.SLURM).iterdir()
        (array / "0.log").write_text("slurmstepd: error: StepId=1.batch exceeded memory limit (2 > 1), being killed")
        return await running

    detail = asyncio.run(run())
    cluster.let_go()
    assert failure_class(detail) is FailureClass.OUT_OF_MEMORY


def test_a_job_that_never_starts_ends_although_slurm_cannot_cancel_it(cluster: Cluster) -> None:
    cluster.slurm.set("hold")
    cluster.slurm.set("stubborn")
    cluster.slurm.set_state(1, 0, "PENDING JobHeldUser")
    (detail,) = cluster.run("a")
    assert failure_class(detail) is FailureClass.AWS_LIMIT
    assert cluster.notes[-1].startswith("not cancelled in Slurm: 1_0: ")


def test_of_an_array_that_was_submitted_twice_the_living_job_is_meant() -> None:
    ended, living = (SlurmJob("1_0", "COMPLETED", 0, comment="a"), SlurmJob("2_0", "RUNNING", 0, comment="a"))
    for jobs in ([ended, living], [living, ended]):
        assert Listing(jobs).job(JobPlace("a", 0)) == living


def array_jobs(cluster: Cluster, minutes: int, *samples: str) -> Callable[..., int]:
    """Write an array of samples, and return a function that runs its job of an index in this process."""
    run, scratch = str(cluster.folder.path), str(cluster.folder.path / "scratch")
    tasks = []
    for sample in samples:
        (variable,) = cluster.arguments(sample)["ContainerOverrides"]["Environment"]
        words = sample, run, str(cluster.step.path), variable["Value"], "id"
        tasks.append(NodeTask(*words, 1, "job", "count", 1, 100, minutes, scratch, "/cache"))
    folder = cluster.folder.path / run_layout.SLURM / "array"
    write_tasks(folder / TASKS, tasks, cluster.folder.path)
    return lambda index, again=False: ArrayJob(folder, index, again, dict(os.environ)).run()


@pytest.mark.parametrize(("minutes", "seconds", "expected"), [(60, 300.0, "abc"), (0, 300.0, "abc"), (60, -1.0, "a")])
def test_a_job_takes_tasks_in_its_first_minutes(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, minutes: int, seconds: float, expected: str
) -> None:
    monkeypatch.setattr(array_job, "TAKES_S", seconds)
    assert array_jobs(cluster, minutes, "a", "b", "c")(0) == 0
    assert cluster.starts() == list(expected)


def test_a_job_takes_tasks_as_long_as_many_more_fit_into_its_time_limit(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_job, "_SPARE", 1e6)
    assert array_jobs(cluster, 1, "a", "b", "c")(0) == 0
    assert cluster.starts() == ["a"]


def test_a_job_that_slurm_starts_again_runs_its_own_task_again(cluster: Cluster) -> None:
    run = array_jobs(cluster, 60, "a")
    assert [run(0), run(0), len(cluster.starts())] == [0, 0, 1]
    (cluster.folder.path / "steps/counting/a/step.json").unlink()
    assert [run(0), len(cluster.starts())] == [0, 1]
    assert [run(0, again=True), len(cluster.starts())] == [0, 2]


def test_a_cancelled_task_is_not_run(cluster: Cluster) -> None:
    run = array_jobs(cluster, 60, "a", "b")
    (cluster.folder.path / run_layout.SLURM / f"array/0{CANCELLED}").touch()
    assert [run(0), run(0, again=True)] == [0, 0]
    assert cluster.starts() == ["b"]


def test_a_full_disk_is_the_end_of_a_job(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    array_jobs(cluster, 60, "a")
    monkeypatch.chdir(cluster.folder.path / run_layout.SLURM / "array")
    monkeypatch.setenv(node.INDEX, "0")
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(array_job, "write_end", refuse)
    assert node.run() == OUT_OF_DISK_EXIT_CODE

"""`genomics-pipeline cancel` of runs on AWS, with the fakes, and of runs on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.jobs import terminate
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.records.holder import write_holder
from genomics_pipeline.runs.aws import cancel as use_case
from genomics_pipeline.runs.process_identity import this_process
from genomics_pipeline.runs.run_folder import RunFolder
from tests.fakes.batch import Log
from tests.fakes.batch_job import BatchJob
from tests.fakes.faults import ApiError
from tests.patience import PATIENCE_S
from tests.runs.records import local_run

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws
    from tests.fakes.deployed import Deployed

Cli = Callable[..., "Ended"]


@pytest.fixture
def submit_run(stack: Deployed, reference: str, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return `submit_run(*samples)`, which submits a run and returns its name."""
    monkeypatch.setattr(use_case, "PAUSE_S", 0)

    def call(*samples: str) -> str:
        ended = cli("submit", stack.sheet(tmp_path / "cohort.csv", *samples), "--reference", reference, "--json")
        assert ended.code == 0, ended.err
        return str(json.loads(ended.out)["run"])

    return call


def wait_until_cancelled(job: Job, log: Log) -> JobEnd:
    job.cancelled.wait(PATIENCE_S)
    return JobEnd(143)


def submit_orphan(fake: FakeAws, run: str, bucket: str, number: int, name: str | None = None) -> str:
    """Submit a job of the run that no state machine waits for."""
    place = {"name": run, "bucket": bucket, "prefix": f"runs/{run}/"}
    variable = {"GENOMICS_PIPELINE_TASK": json.dumps({"run": place})}
    job = Job(
        job_id=f"{number:08d}-0000-4000-8000-000000000000",
        name=name or f"{run}-alignment-A",
        queue="genomics-pipeline",
        definition="genomics-pipeline-alignment",
        environment=variable,
        vcpus=1,
        memory_mib=1,
        timeout_s=60,
    )
    fake.batch.jobs[job.job_id] = BatchJob(job)
    return job.job_id


def test_execution_and_jobs_end(stack: Deployed, step_functions: FakeAws, submit_run: Any, cli: Cli) -> None:
    step_functions.batch.run_job = wait_until_cancelled
    run = submit_run("A", "B", "C")
    step_functions.batch.wait(lambda batch: len(batch.running()) == 3)
    running = {job.job.name for job in step_functions.batch.running()}
    assert running == {f"{run}-alignment-{sample}" for sample in "ABC"}
    mine = [
        submit_orphan(step_functions, run, stack.bucket, 0),
        submit_orphan(step_functions, run, stack.bucket, 1, name="cut".ljust(128, "-")),
    ]
    other = submit_orphan(step_functions, f"{run}-2", stack.bucket, 7)  # its name begins with that of the run
    foreign = submit_orphan(step_functions, run, stack.bucket, 8, name="somebody-elses")
    ended = cli("cancel", run, "--yes")
    execution = step_functions.execution(run)
    execution.wait()
    assert ended.code == 0
    assert ended.out.startswith(f"{run}: ABORTED; ")
    described = execution.description()
    assert (described["status"], described["error"]) == ("ABORTED", "Cancelled")
    assert described["cause"] == "cancelled by `genomics-pipeline cancel`"
    jobs = step_functions.batch.jobs
    assert [jobs[one].terminated for one in mine] == ["cancelled by `genomics-pipeline cancel`"] * 2
    assert [jobs[one].terminated for one in (other, foreign)] == [None, None]
    assert not [job for job in step_functions.batch.running() if job.job.job_id not in (*mine, other, foreign)]


def test_jobs_by_the_thousand_under_throttling(
    stack: Deployed, step_functions: FakeAws, submit_run: Any, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genomics_pipeline.aws import jobs as aws_jobs

    monkeypatch.setattr(aws_jobs, "REQUESTS_PER_SECOND", 1000)
    for operation in ("ListJobs", "DescribeJobs", "TerminateJobs"):
        step_functions.batch.gate.buckets.pop(operation)
        step_functions.batch.gate.throttle(operation, 2)
    step_functions.batch.run_job = lambda job, log: JobEnd(1, "bad reads")
    run = submit_run("A")
    step_functions.execution(run).wait()
    mine = [submit_orphan(step_functions, run, stack.bucket, number) for number in range(250)]
    throttled = {"job": mine[7], "code": "ThrottlingException", "message": "Rate exceeded"}
    step_functions.batch.termination_errors[mine[7]] = throttled
    answer = json.loads(cli("cancel", run, "--yes", "--json").out)
    assert answer == {"run": run, "status": "FAILED", "jobs_ended": 250}
    assert all(step_functions.batch.jobs[one].terminated for one in mine)
    calls = [name for name, _ in step_functions.batch.calls]
    assert calls.count("TerminateJobs") == 5 + 1  # fifty with each, then one job that was throttled
    assert calls.count("DescribeJobs") == 6  # two passes, with a hundred jobs per request


def test_without_terminate_jobs_they_end_one_by_one(
    stack: Deployed, step_functions: FakeAws, submit_run: Any, cli: Cli
) -> None:
    step_functions.batch.gate.fail("TerminateJobs", ApiError("UnknownOperationException", "", 404))
    step_functions.batch.run_job = lambda job, log: JobEnd(1, "bad reads")
    run = submit_run("A")
    step_functions.execution(run).wait()
    mine = [submit_orphan(step_functions, run, stack.bucket, number) for number in range(3)]
    assert json.loads(cli("cancel", run, "--yes", "--json").out)["jobs_ended"] == 3
    assert all(step_functions.batch.jobs[one].terminated for one in mine)
    assert len(step_functions.batch.calls.of("TerminateJob")) == 3


def test_a_botocore_without_terminate_jobs_ends_them_one_by_one() -> None:
    ended: list[str] = []
    clients = SimpleNamespace(batch=SimpleNamespace(terminate_job=lambda jobId, reason: ended.append(jobId)))  # noqa: N803
    terminate(["a", "b"], "why", cast(Clients, clients))
    assert sorted(ended) == ["a", "b"]


def test_jobs_whose_termination_is_throttled_are_asked_again_after_longer_pauses() -> None:
    throttled, pauses = {"job": "b", "code": "ThrottlingException", "message": "Rate exceeded"}, list[float]()
    answers = [{"errors": [throttled]}, {"errors": [throttled]}, {"errors": []}]
    asked: list[list[str]] = []

    def terminate_jobs(jobs: list[str], reason: str) -> Any:
        asked.append(jobs)
        return answers[len(asked) - 1]

    clients = SimpleNamespace(batch=SimpleNamespace(terminate_jobs=terminate_jobs))
    terminate(["a", "b"], "why", cast(Clients, clients), pauses.append)
    assert asked == [["a", "b"], ["b"], ["b"]]
    assert [pause <= most for pause, most in zip(pauses, (1, 2), strict=True)] == [True, True]


def test_a_job_that_cannot_be_terminated_is_named(
    stack: Deployed, step_functions: FakeAws, submit_run: Any, cli: Cli
) -> None:
    step_functions.batch.run_job = lambda job, log: JobEnd(1, "bad reads")
    run = submit_run("A")
    step_functions.execution(run).wait()
    job = submit_orphan(step_functions, run, stack.bucket, 1)
    step_functions.batch.termination_errors[job] = {"job": job, "code": "ClientException", "message": "no such right"}
    assert cli("cancel", run, "--yes").err.splitlines()[-1] == f"error: cannot terminate the job {job}: no such right"


def test_a_run_that_succeeded_stays_so(step_functions: FakeAws, submit_run: Any, cli: Cli) -> None:
    run = submit_run("A")
    step_functions.execution(run).wait()
    answer = json.loads(cli("cancel", run, "--yes", "--json").out)
    assert answer == {"run": run, "status": "SUCCEEDED", "jobs_ended": 0}


def test_cancel_asks_for_confirmation(submit_run: Any, step_functions: FakeAws, cli: Cli) -> None:
    run = submit_run("A")
    step_functions.execution(run).wait()
    ended = cli("cancel", run)
    assert (ended.code, ended.err.splitlines()[-1]) == (
        2,
        f"error: cancel {run}: expected a confirmation, found no terminal; use --yes",
    )


def test_names_of_no_run_are_refused(
    stack: Deployed, submit_run: Any, step_functions: FakeAws, tmp_path: Path, cli: Cli
) -> None:
    run = submit_run("A")
    step_functions.execution(run).wait()
    wrong = run[:-1] + ("0" if run[-1] != "0" else "1")
    uri = f"s3://{stack.bucket}/runs/{run}"
    assert cli("cancel", uri, "--yes").code == 0
    expected = {
        wrong: f"{wrong}: expected a run's folder or a run of the stack genomics-pipeline, found neither; "
        f"did you mean '{run}'?",
        "zzz": "zzz: expected a run's folder or a run of the stack genomics-pipeline, found neither; "
        "`genomics-pipeline runs` lists them",
        f"s3://{stack.bucket}/runs/{wrong}/": f"s3://{stack.bucket}/runs/{wrong}/: expected a run, found none",
        "s3://b/other": "s3://b/other: expected s3://bucket/runs/NAME/",
        str(tmp_path): f"{tmp_path}: expected a run's folder, found another folder",
        str(tmp_path / "cohort.csv"): f"{tmp_path}/cohort.csv: expected a run's folder, found a file",
        "a b": "'a b': expected a run's folder, an s3://bucket/runs/NAME/ URI or the name of a run",
    }
    for text, message in expected.items():
        assert cli("cancel", text, "--yes").err == f"error: {message}\n"
    stack.put("runs/torn/run.json", "{}")
    assert cli("cancel", "torn", "--yes").err == (
        f"error: s3://{stack.bucket}/runs/torn/run.json: expected the record of a run on AWS, found no member 'run'; "
        "submit the run again\n"
    )


def test_similar_folder_names_are_suggested(tmp_path: Path, cli: Cli) -> None:
    RunFolder(tmp_path / "cohort-1").create()
    wrong = tmp_path / "cohort-l"
    assert cli("cancel", wrong, "--yes").err == (
        f"error: {wrong}: expected a run's folder, found nothing there; did you mean 'cohort-1'?\n"
    )


def test_no_stack(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("cancel", "cohort-1", "--yes").err == (
        "error: cohort-1: expected a run's folder or a run of a stack: no such folder here; "
        "stack genomics-pipeline: expected a deployed stack, found none; run `genomics-pipeline deploy`\n"
    )


HOLD = """
import sys
from dataclasses import replace
from pathlib import Path
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.runs.run_folder import RunFolder
import signal
end_on_signals()
folder = RunFolder(Path(sys.argv[1]))
record = folder.record()
with folder.lock(print):
    folder.save(replace(record, status="RUNNING"))
    try:
        print("held", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        folder.save(replace(record, status="ABORTED"))
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that holds the run folder `run`."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.save(local_run())
    argv = [sys.executable, "-c", HOLD, str(folder.path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_process_of_a_local_run_ends(holder: subprocess.Popen[str], tmp_path: Path, cli: Cli) -> None:
    ended = cli("cancel", tmp_path / "run", "--yes")
    assert (ended.code, ended.out) == (0, f"run: ABORTED; process {holder.pid} ended\n")
    assert holder.wait(PATIENCE_S) == 0
    assert cli("cancel", tmp_path / "run", "--yes").out == "run: ABORTED; no process was running\n"


def test_a_killed_run_is_aborted(holder: subprocess.Popen[str], tmp_path: Path, cli: Cli) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait(PATIENCE_S)
    answer = json.loads(cli("cancel", tmp_path / "run", "--yes", "--json").out)
    assert answer == {"run": "run", "status": "ABORTED", "process": None}


def test_another_process_with_the_same_id_is_not_ended(tmp_path: Path, cli: Cli) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.save(local_run(status="RUNNING"))
    write_holder(folder.store, str(folder.path / ".engine" / "holder.json"), replace(this_process(), started="1"))
    assert cli("cancel", tmp_path / "run", "--yes").out == "run: ABORTED; no process was running\n"


@pytest.mark.parametrize("changes", [{"machine": "another"}, {"machine": "another", "pid": os.getpid()}])
def test_a_process_out_of_reach_is_not_ended(tmp_path: Path, cli: Cli, changes: dict[str, Any]) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    elsewhere = replace(this_process(), **{"pid": 7, "host": "node-3", **changes})
    write_holder(folder.store, str(folder.path / ".engine" / "holder.json"), elsewhere)
    ended = cli("cancel", tmp_path / "run", "--yes")
    advice = f"{elsewhere} is running, out of reach from here; cancel it there: genomics-pipeline cancel {folder.path}"
    assert (ended.code, ended.err) == (1, f"error: {folder.path}: {advice}\n")

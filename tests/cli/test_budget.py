"""`status --watch --budget`: when the budget is passed, nothing new begins, and the run is cancelled at last."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.aws.instance_types import default_host_types
from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.task import item_id
from genomics_pipeline.planning.typical_hosts import typical_cost
from genomics_pipeline.prices.load import shipped_prices
from genomics_pipeline.runs.aws import cancel as use_case
from genomics_pipeline.runs.aws.backend import AwsBackend
from genomics_pipeline.runs.aws.budget import BudgetGuard
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.status import watch
from tests.cli.test_cancel import submit_orphan
from tests.fakes.batch import Log
from tests.fakes.jobs import begin, finish
from tests.runs.records import local_run

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws
    from tests.fakes.deployed import Deployed

Cli = Callable[..., "Ended"]
SAMPLES = "ABCDE"


class HeldAlignments:
    """Jobs of which the alignment of each sample waits until it is released, or its job is terminated."""

    def __init__(self) -> None:
        self.released = {name: threading.Event() for name in SAMPLES}

    def __call__(self, job: Job, log: Log) -> JobEnd:
        payload = begin(job)
        item = item_id(payload.items[0])
        while payload.stage == "alignment" and not self.released[item].wait(0.01):
            if job.cancelled.is_set():
                return JobEnd(143)
        finish(payload, item)
        return JobEnd(0)


@pytest.fixture
def held(step_functions: FakeAws) -> HeldAlignments:
    jobs = step_functions.batch.run_job = HeldAlignments()
    return jobs


@pytest.fixture
def backend(
    held: HeldAlignments,
    stack: Deployed,
    step_functions: FakeAws,
    reference: str,
    tmp_path: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> AwsBackend:
    """Return a run of five samples, of which two are aligned at a time and have begun."""
    monkeypatch.setattr(use_case, "PAUSE_S", 0)
    sheet = stack.sheet(tmp_path / "cohort.csv", *SAMPLES)
    ended = cli("submit", sheet, "--reference", reference, "--max-concurrency", "2", "--json")
    assert ended.code == 0, ended.err
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    run = find_run(json.loads(ended.out)["run"], "genomics-pipeline", adapters())
    assert isinstance(run, AwsBackend)
    return run


def test_beyond_the_budget_no_sample_begins_and_the_run_is_cancelled(
    held: HeldAlignments, backend: AwsBackend, step_functions: FakeAws
) -> None:
    notes: list[str] = []
    guard = backend.budget_guard(0, None, notes.append)
    name = backend.files.place.name

    rounds = count()

    def wait(_: float) -> None:
        assert next(rounds) < 50  # of a guard that does not act
        if held.released["A"].is_set():
            return
        held.released["A"].set()
        held.released["B"].set()
        step_functions.batch.wait(lambda batch: [job.job.name[-1] for job in batch.running()] == ["C"])

    *_, last = watch(backend, wait, guard)
    (update,) = step_functions.states.calls.of("UpdateMapRun")
    assert update["maxConcurrency"] == 1
    step_functions.execution(name).wait()
    aligned = {job.job.name for job in step_functions.batch.jobs.values() if "-alignment-" in job.job.name}
    assert aligned == {f"{name}-alignment-{sample}" for sample in "ABC"}
    assert last.status == "ABORTED"
    assert last.missing is not None
    assert last.missing.by_scope["sample"] == 3
    assert notes[0].startswith("about $0.00 are spent, more than the budget of $0.00")
    assert notes[1] == "Sample: MaxConcurrency is 1 now; 2 items that began go on"
    assert notes[2] == "what had begun has ended; the run is cancelled, and what is done is kept"


class KilledError(BaseException):
    """The end of a command by a signal that it cannot handle."""


@pytest.mark.parametrize(
    "last", ["are spent, more than", "MaxConcurrency is", "what had begun", "stopping the", "terminating"]
)
def test_a_guard_that_was_killed_is_finished_by_the_next_one(
    held: HeldAlignments, backend: AwsBackend, stack: Deployed, step_functions: FakeAws, last: str
) -> None:
    """Kill it when it shows that line, before it does what the line says, or after."""
    name, states = backend.files.place.name, step_functions.states

    left = []

    def die(line: str) -> None:
        if "stopping" in line:  # Step Functions stops jobs on a best-effort basis only
            left.append(submit_orphan(step_functions, name, stack.bucket, 0))
        if last in line:
            raise KilledError

    def wait(_: float) -> None:
        if not held.released["A"].is_set():
            held.released["A"].set()
            held.released["B"].set()
            step_functions.batch.wait(lambda batch: [job.job.name[-1] for job in batch.running()] == ["C"])

    with pytest.raises(KilledError):
        list(watch(backend, wait, backend.budget_guard(0, None, die)))
    again = find_run(name, "genomics-pipeline", adapters())
    assert isinstance(again, AwsBackend)

    def wait_again(_: float) -> None:
        for job in step_functions.batch.running():
            if "-alignment-" in job.job.name and job.job.job_id not in left:
                held.released[job.job.name[-1]].set()

    *_, end = watch(again, wait_again, again.budget_guard(0, None, lambda line: None))
    step_functions.execution(name).wait()
    assert end.status == "ABORTED"
    assert all(step_functions.batch.jobs[one].terminated for one in left)
    assert {call["maxConcurrency"] for call in states.calls.of("UpdateMapRun")} == {1}
    submitted = [job.job.name for one, job in step_functions.batch.jobs.items() if one not in left]
    assert len(submitted) == len(set(submitted))
    assert len(states.calls.of("StartExecution")) == 1


def test_within_the_budget_nothing_is_changed(
    held: HeldAlignments, backend: AwsBackend, step_functions: FakeAws
) -> None:
    notes: list[str] = []
    guard = backend.budget_guard(1e6, None, notes.append)

    def wait(_: float) -> None:
        for event in held.released.values():
            event.set()
        step_functions.execution(backend.files.place.name).wait()

    *_, last = watch(backend, wait, guard)
    assert (last.status, notes) == ("SUCCEEDED", [])
    assert not step_functions.states.calls.of("UpdateMapRun")


def test_the_estimate_is_of_running_jobs_and_of_new_records(
    held: HeldAlignments, backend: AwsBackend, step_functions: FakeAws
) -> None:
    started = max(job.started for job in step_functions.batch.running())
    guard = BudgetGuard(backend._run, 1, None, print, clock=lambda: started + 3600)
    jobs = [job.job for job in step_functions.batch.running()]
    hourly = sum(typical_cost(shipped_prices(), job.vcpus, job.memory_mib, is_spot=True) for job in jobs)
    assert guard.spent() == pytest.approx(hourly, rel=1e-3)
    for event in held.released.values():
        event.set()
    step_functions.execution(backend.files.place.name).wait()
    assert guard.spent() == 0  # these records name no host


def test_a_job_costs_its_share_of_a_typical_host() -> None:
    prices = shipped_prices()
    assert typical_cost(prices, 2, 1, is_spot=True) < typical_cost(prices, 2, 1, is_spot=False)
    types = [host for host in default_host_types() if host.architecture is Architecture.X86_64]
    most = max(host.memory_mib for host in types)
    largest = [prices.host(host.name).on_demand.value for host in types if host.memory_mib == most]
    assert typical_cost(prices, 1, most, is_spot=False) == median(largest)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--budget", "5"), "--budget: expected --watch, which looks at the costs until the run ends"),
        (("--watch", "--budget", "5"), "--budget: expected a run on AWS, found one in a folder, "),
        (("--watch", "--budget", "-5"), "Invalid value for '--budget'"),
    ],
)
def test_a_budget_without_a_meaning_is_refused(
    tmp_path: Path, cli: Cli, options: tuple[Any, ...], message: str
) -> None:
    RunFolder(tmp_path).save(local_run())
    ended = cli("status", tmp_path, *options)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err

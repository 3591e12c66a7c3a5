"""The simulation of quotas: closed forms, and the engine in virtual time with the fake of Batch's rates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.asl.generate import DEFAULT_NAMES, generate
from genomics_pipeline.asl.task_state import SUBMIT_RETRY
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning.account import ON_DEMAND, SPOT, AccountLimits
from genomics_pipeline.planning.discrete_events import MOST_REFUSED, Phase, StageLoad, Trace, simulate
from genomics_pipeline.planning.modelled_jobs import ModelledJobs
from genomics_pipeline.planning.scripts import TaskScript
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.stores.local import Folders, LocalStore
from tests.fakes.faults import Bucket

FREE = AccountLimits(
    child_starts=1e9,
    submit_rate=1e9,
    submit_burst=1e9,
    vcpus=(10**9, 0),
    host_vcpus=10**9,
    host_start_s=0,
    launch_rate=1e9,
    launch_burst=1e9,
    job_start_s=0,
)


def run(limits: AccountLimits, children: int = 100, seconds: float = 60, most: int = 10**6, **more: Any) -> Trace:
    """Return the trace of a Map whose children have one job of two vCPUs each."""
    stage = StageLoad("stage", 2, 3, [seconds] * children)
    return simulate([Phase("Sample", [stage], children, most, more.get("scripts", {}))], limits, 1)


def test_without_limits_all_children_run_at_once() -> None:
    trace = run(FREE)
    assert (trace.most_children, trace.most_vcpus) == (100, [200, 0])
    assert trace.seconds == pytest.approx(60)


def test_child_starts_are_the_quota_s() -> None:
    rate = quotas.CHILD_STARTS.value
    trace = run(replace(FREE, child_starts=rate), children=10 * rate)
    assert trace.seconds == pytest.approx((10 * rate - 1) / rate + 60)


def test_submissions_are_throttled_and_repeated() -> None:
    limits = replace(FREE, submit_rate=50, submit_burst=50)
    trace = run(limits, children=1000)
    assert trace.throttled > 0
    assert len(trace.submits) == 1000 + trace.throttled
    assert 950 / 50 + 60 <= trace.seconds < 950 / 50 + 60 + 600


def test_a_job_whose_submission_is_refused_too_often_fails_its_child() -> None:
    trace = run(replace(FREE, submit_rate=1e-9, submit_burst=1), children=3)
    assert SUBMIT_RETRY["MaxAttempts"] == MOST_REFUSED
    assert trace.most_refused == MOST_REFUSED + 1
    assert trace.throttled == 2 * trace.most_refused
    assert trace.stages["stage"].attempts == 1
    assert len(trace.child_s) == 3


def test_the_most_jobs_of_a_stage_at_a_time() -> None:
    trace = run(FREE, most=10)
    assert (trace.stages["stage"].most, trace.stages["stage"].running) == (10, 0)


def test_concurrency_and_vcpus_are_waves() -> None:
    assert run(FREE, most=10).seconds == pytest.approx(10 * 60)
    trace = run(replace(FREE, vcpus=(20, 0)))
    assert trace.seconds == pytest.approx(10 * 60)
    assert trace.most_vcpus == [20, 0]
    assert trace.stages["stage"].waited_s == pytest.approx(10 * sum(60 * wave for wave in range(10)))


def test_on_demand_hosts_are_used_once_all_spot_hosts_are() -> None:
    trace = run(replace(FREE, vcpus=(20, 30), host_vcpus=10))
    assert trace.most_vcpus == [20, 30]
    assert (trace.hosts, trace.on_demand_hosts) == (5, 3)
    running = trace.stages["stage"].running_s
    assert (running[SPOT], running[ON_DEMAND]) == (40 * 60, 60 * 60)


def test_hosts_start_at_their_rate() -> None:
    limits = replace(FREE, host_vcpus=2, host_start_s=30, launch_rate=2, launch_burst=10)
    assert run(limits).seconds == pytest.approx(30 + (100 - 10) / 2 + 60)


@pytest.mark.parametrize(
    ("script", "attempts", "submits"),
    [
        (TaskScript(), 1, 1),
        (TaskScript(out_of_memory=1), 2, 2),
        (TaskScript(out_of_memory=3), 3, 3),  # of three rungs
        (TaskScript(out_of_memory=3, rungs=4), 4, 4),
        (TaskScript(out_of_memory=1, rungs=1), 1, 1),
        (TaskScript(hosts_lost=4), 5, 1),  # Batch starts them again
        (TaskScript(hosts_lost=5), 6, 2),
        (TaskScript(out_of_memory=1, hosts_lost=2, fails=True), 4, 2),
    ],
)
def test_attempts_follow_the_script(script: TaskScript, attempts: int, submits: int) -> None:
    trace = run(FREE, children=3, scripts={1: {"stage": script}})
    assert trace.stages["stage"].attempts == 2 + attempts
    assert len(trace.ends) == 2 + attempts
    assert len(trace.submits) == 2 + submits


def test_a_submission_that_a_fault_refuses_is_repeated() -> None:
    stage = StageLoad("stage", 2, 3, [60.0] * 3, {1: 4})
    trace = simulate([Phase("Sample", [stage], 3, 10, {})], FREE, 1)
    assert (trace.throttled, len(trace.submits), trace.stages["stage"].attempts) == (4, 7, 3)


def test_beyond_the_tolerated_failures_nothing_goes_on() -> None:
    stage = StageLoad("stage", 2, 3, [100.0] * 50)
    fails = {index: {"stage": TaskScript(fails=True)} for index in range(0, 50, 2)}
    phase = Phase("Sample", [stage], 50, 10, fails, tolerated=3)
    trace = simulate([phase, replace(phase, name="Interval")], FREE, 1)
    assert trace.stopped
    assert set(trace.children) == {"Sample"}
    assert 0 < trace.seconds < 300
    assert sum(trace.stages["stage"].running_s) <= 10 * trace.seconds  # of ten children at a time
    assert not simulate([replace(phase, tolerated=25)], FREE, 1).stopped


def test_children_begin_when_they_arrive() -> None:
    stage = StageLoad("stage", 2, 3, [60.0] * 10)
    trace = simulate([Phase("Sample", [stage], 10, 100, {}, arrival_s=40)], FREE, 1)
    assert trace.seconds == pytest.approx(9 * 40 + 60)
    assert trace.most_children == 2
    assert list(trace.child_s) == pytest.approx([60] * 10)


def test_more_map_runs_start_children_faster() -> None:
    stage = StageLoad("stage", 2, 3, [60.0] * 1000)
    phase = Phase("Sample", [stage], 1000, 1000, {}, map_runs=4)
    trace = simulate([phase], replace(FREE, child_starts=100), 1)
    assert trace.seconds == pytest.approx(999 / 400 + 60)


def test_the_same_seed_gives_the_same_run() -> None:
    limits = replace(FREE, submit_rate=50, submit_burst=50)
    assert run(limits, children=300) == run(limits, children=300)


class LimitedJobs(ModelledJobs):
    """Modelled jobs under the fake's rate of SubmitJob, on a number of vCPUs, in the order of their submission."""

    def __init__(self, rate: float, jobs: int, seconds: Mapping[str, float]) -> None:
        super().__init__(lambda place: {}, seconds.__getitem__, DEFAULT_NAMES.on_demand_queue)
        self.throttled = 0
        self._rate = rate
        self._bucket: Bucket | None = None
        self._hosts = asyncio.Semaphore(jobs)

    async def run(self, arguments: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        self._bucket = self._bucket or Bucket(self._rate, self._rate, asyncio.get_running_loop().time)
        if not self._bucket.take():
            self.throttled += 1
            raise StatesError("Batch.AWSBatchException", "Too Many Requests")
        async with self._hosts:
            return await super().run(arguments, context)


@pytest.mark.parametrize(("rate", "vcpus"), [(1000, 64), (2, 10_000), (1, 160)])
def test_the_simulation_agrees_with_the_engine_under_the_same_quotas(tmp_path: Path, rate: int, vcpus: int) -> None:
    samples, seconds = 30, {"alignment": 400.0, "variant_calling": 400.0}
    pipeline, _ = load_pipeline("germline-single")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/manifest.jsonl").write_text("".join(json.dumps({"sample": f"S{n}"}) + "\n" for n in range(samples)))
    place, tolerated = RunPlace("r", "b", ""), pipeline.maps["sample"].tolerance()
    jobs = LimitedJobs(rate, vcpus // 8, seconds)
    result = execute(
        generate(pipeline),
        ExecutionInput(place, "r.fa", {}, tolerated).to_json(),
        name="r",
        state_machine="r",
        store=LocalStore(Folders(tmp_path)),
        tasks=Handlers(BatchTasks(jobs).handlers()),
        journal=tmp_path / "journal",
        fast_forward=True,
    )
    assert result.status == "SUCCEEDED"
    stages = [StageLoad(name, 8, 3, [length] * samples) for name, length in seconds.items()]
    limits = replace(FREE, submit_rate=rate, submit_burst=rate, vcpus=(vcpus, 0))
    trace = simulate([Phase("Sample", stages, samples, 1000, {})], limits, 1)
    assert trace.seconds == pytest.approx(result.seconds, rel=0.05)
    assert (trace.throttled > 0) == (jobs.throttled > 0) == (rate < samples)

"""Runs on one machine, simulated: by hand, and by the shares that its jobs get."""

from __future__ import annotations

import pytest

from genomics_pipeline.engine.tasks.admission import Admission
from genomics_pipeline.engine.tasks.shares import JobNeeds
from genomics_pipeline.planning.local_machine import JobOverhead, LocalTrace, simulate_jobs
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage


def stage(name: str, seconds: float, vcpus: int = 1, least_mib: int = 100) -> LocalStage:
    """Return a stage whose jobs take a number of core-seconds."""
    return LocalStage(name, JobNeeds(vcpus, 1000, lambda _: least_mib), lambda _, cores: seconds / cores)


def simulate_here(
    phases: list[LocalPhase], cores: int, memory_mib: int, jobs: int | None, between_s: float
) -> LocalTrace:
    """Return the times of phases on this machine."""
    return simulate_jobs(phases, Admission(cores, memory_mib, jobs), JobOverhead(end=between_s))


def test_jobs_wait_for_cores_in_the_order_of_their_submission() -> None:
    """Three children on two cores: the third's first job is ahead of the second jobs of the others."""
    trace = simulate_here([LocalPhase("Sample", [stage("one", 10), stage("two", 4)], 3, 1000)], 2, 4000, None, 0.0)
    # one: 0-10, 0-10, 10-20; two: 10-14, 14-18, 20-24.
    assert trace.seconds == pytest.approx(24)
    one, two = trace.stages["one"], trace.stages["two"]
    assert (one.jobs, one.first) == (3, 0.0)
    assert [one.last, two.first, two.last] == pytest.approx([20, 10, 24])
    assert one.waited_s == pytest.approx(10)
    assert two.waited_s == pytest.approx(4)
    assert one.core_s == pytest.approx(30)


def test_a_job_alone_gets_all_cores_and_several_share_them() -> None:
    alone = simulate_here([LocalPhase("Sample", [stage("one", 80, vcpus=8)], 1, 1)], 4, 4000, None, 0.0)
    assert alone.seconds == pytest.approx(20)
    shared = simulate_here([LocalPhase("Sample", [stage("one", 80, vcpus=8)], 4, 1000)], 4, 4000, None, 0.0)
    assert shared.seconds == pytest.approx(80)
    assert shared.stages["one"].core_s == pytest.approx(4 * 80)


@pytest.mark.parametrize(
    ("memory_mib", "jobs", "most", "seconds"),
    [(4000, None, 1000, 20), (4000, 2, 1000, 40), (4000, None, 1, 80), (1000, None, 1000, 40)],
)
def test_memory_jobs_and_concurrency_limit_what_runs_at_once(
    memory_mib: int, jobs: int | None, most: int, seconds: float
) -> None:
    trace = simulate_here([LocalPhase("Sample", [stage("one", 20, least_mib=500)], 4, most)], 4, memory_mib, jobs, 0.0)
    assert trace.seconds == pytest.approx(seconds)


def test_phases_follow_each_other_and_cores_are_taken_between_jobs() -> None:
    phases = [LocalPhase("Sample", [stage("one", 10)], 2, 1000), LocalPhase("Sample", [stage("all", 5)], 1, 1)]
    trace = simulate_here(phases, 1, 4000, None, 0.5)
    assert trace.seconds == pytest.approx(10 + 0.5 + 10 + 0.5 + 5)
    assert trace.stages["all"].waited_s == 0

"""Simulated clusters: the places of jobs on nodes, and the limits that they meet."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine.tasks.shares import JobNeeds
from genomics_pipeline.planning.cluster import Cluster, NodeSize
from genomics_pipeline.planning.local_machine import JobOverhead, LocalTrace, simulate_jobs
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage
from tests.patience import PATIENCE_S

NODE = NodeSize(4, 1000)


def stage(name: str, seconds: float, vcpus: int = 1, memory_mib: int = 100) -> LocalStage:
    """Return a stage whose jobs take a number of seconds on any cores."""
    return LocalStage(name, JobNeeds(vcpus, memory_mib, lambda _: 1), lambda _, cores: seconds)


def simulate(
    phases: list[LocalPhase],
    cluster: Cluster,
    overhead: JobOverhead = JobOverhead(),  # noqa: B008
) -> LocalTrace:
    return simulate_jobs(phases, cluster, overhead)


@pytest.mark.parametrize(
    ("vcpus", "memory_mib", "jobs", "cores", "seconds"),
    [
        (1, 100, None, None, 10),  # eight at once
        (3, 100, None, None, 40),  # one on each node, though three would fit on eight cores
        (1, 600, None, None, 40),  # one on each node by its memory
        (16, 9000, None, None, 40),  # as much as a node has
        (1, 100, 4, None, 20),
        (2, 100, None, 4, 40),
    ],
)
def test_a_job_is_on_one_node(vcpus: int, memory_mib: int, jobs: int | None, cores: int | None, seconds: float) -> None:
    cluster = Cluster([NODE, NODE], NODE, jobs, cores)
    trace = simulate([LocalPhase("Sample", [stage("one", 10, vcpus, memory_mib)], 8, 1000)], cluster)
    assert trace.seconds == pytest.approx(seconds)


def test_a_small_job_starts_before_a_large_one_that_has_no_room() -> None:
    """Of two children on one node of four cores: `all` of the first waits for `one` of the second, `last` does not."""
    phase = LocalPhase("Sample", [stage("one", 10), stage("all", 5, 4), stage("last", 1)], 2, 1000)
    stages = simulate([phase], Cluster([NODE], NODE)).stages
    assert (stages["all"].first, stages["all"].last, stages["last"].last) == (10, 20, 21)
    short = LocalPhase("Sample", [stage("short", 5), stage("all", 5, 4)], 1, 1)
    assert simulate([short], Cluster([NODE], NODE)).seconds == 10


def test_the_head_and_the_start_of_jobs_take_their_time() -> None:
    overhead = JobOverhead(submit=1, start=0.7, seen=0.5)
    trace = simulate([LocalPhase("Sample", [stage("one", 10), stage("two", 5)], 1, 1)], Cluster([NODE], NODE), overhead)
    assert trace.seconds == pytest.approx(1 + 0.7 + 10 + 0.5 + 1 + 0.7 + 5 + 0.5)
    assert trace.stages["two"].core_s == pytest.approx(5.7)
    assert [time for time, _ in trace.submits] == pytest.approx([1, 13.2])


@given(
    st.lists(st.builds(NodeSize, st.integers(1, 8), st.integers(100, 1000)), min_size=1, max_size=4),
    st.integers(1, 10),
    st.integers(1, 1000),
    st.integers(1, 12),
)
def test_no_more_cores_are_used_than_there_are(nodes: list[NodeSize], vcpus: int, memory_mib: int, jobs: int) -> None:
    most = max(nodes, key=lambda one: (one.memory_mib, one.cores))
    trace = simulate([LocalPhase("Sample", [stage("one", 3, vcpus, memory_mib)], jobs, 1000)], Cluster(nodes, most))
    assert trace.most_cores <= sum(one.cores for one in nodes)
    assert trace.stages["one"].jobs == jobs
    assert 3 <= trace.seconds <= 3 * jobs


def test_a_job_without_room_holds_up_no_smaller_one() -> None:
    async def place() -> tuple[bool, int]:
        cluster = Cluster([NODE], NODE)
        await cluster.acquire(3, 100, lambda _: 1)
        large = asyncio.ensure_future(cluster.acquire(4, 100, lambda _: 1))
        await asyncio.sleep(0)
        small = await asyncio.wait_for(cluster.acquire(1, 100, lambda _: 1), PATIENCE_S)
        was_placed = large.done()
        large.cancel()
        return was_placed, small.vcpus

    assert asyncio.run(place()) == (False, 1)

"""Admission: even shares of a machine in the order of arrival, never more than it has."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.tasks.admission import Admission
from genomics_pipeline.engine.tasks.shares import LeastMemory, Share
from tests.patience import PATIENCE_S

CORES, MIB = 8, 8000


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def constant(mib: int) -> LeastMemory:
    return lambda _: mib


SMALL = constant(1)


async def run_ready_tasks() -> None:
    """Let all tasks that are ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([(4, 1000)], [(4, 1000)]),
        ([(64, 64_000)], [(8, 8000)]),
        ([(8, 8000), (8, 8000)], [(4, 4000), (4, 4000)]),
        ([(8, 8000)] * 3, [(2, 2000), (3, 3000), (3, 3000)]),
        ([(1, 100), (8, 8000)], [(1, 100), (7, 7000)]),
        ([(8, 8000), (1, 100)], [(4, 4000), (1, 100)]),
        ([(1, 100)] * 8, [(1, 100)] * 8),
        ([(1, 16_000)], [(1, 1000)]),
    ],
)
def test_concurrent_requests_share_the_machine(
    requests: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    async def work() -> None:
        admission = Admission(CORES, MIB)
        shares = await asyncio.gather(*(admission.acquire(*request, SMALL) for request in requests))
        assert [(share.vcpus, share.memory_mib) for share in shares] == expected
        assert sum(share.vcpus for share in shares) <= CORES
        assert sum(share.memory_mib for share in shares) <= MIB

    run(work())


def human(vcpus: int) -> int:
    """Return what an alignment to a human reference needs: bwa's index of 5.3 GB, and each core's part."""
    return 5054 + 300 + 120 * vcpus


def virus(vcpus: int) -> int:
    return 301 + 120 * vcpus


@pytest.mark.parametrize(
    ("machine", "least_mib", "jobs", "expected"),
    [
        # 14 GiB: 12,902 MiB for jobs, 90 %
        ((8, 12_902), human, 1, [(8, 12_902)]),
        ((8, 12_902), human, 2, [(4, 6451), (4, 6451)]),
        ((8, 12_902), human, 100, [(4, 6451), (4, 6451)]),
        ((8, 12_902), virus, 2, [(4, 6451), (4, 6451)]),
        ((8, 12_902), virus, 8, [(1, 1612)] * 8),
        ((8, 12_902, 1), virus, 8, [(8, 12_902)]),
        ((8, 12_902, 3), virus, 8, [(2, 3225), (3, 4838), (3, 4838)]),
        ((8, 8000), human, 3, [(8, 8000)]),
        # 230 GiB: 211,968 MiB
        ((64, 211_968), human, 4, [(8, 16_384)] * 4),
        ((64, 211_968), human, 100, [(1, 5474)] * 12 + [(2, 5626)] * 22 + [(2, 5627)] * 4),
        ((64, 211_968), virus, 100, [(1, 3312)] * 64),
        ((64, 40_000), human, 100, [(8, 6314)] * 6),
    ],
)
def test_as_many_jobs_start_as_fit(
    machine: tuple[int, ...], least_mib: LeastMemory, jobs: int, expected: list[tuple[int, int]]
) -> None:
    """Jobs of `alignment`, which declares 8 vCPUs and 16 GiB, on machines of 8 cores and 14 GiB and of 64 and 230."""

    async def work() -> None:
        admission = Admission(*machine)
        waiting = [asyncio.create_task(admission.acquire(8, 16_384, least_mib)) for _ in range(jobs)]
        await run_ready_tasks()
        shares = [task.result() for task in waiting if task.done()]
        assert [(share.vcpus, share.memory_mib) for share in shares] == expected
        for task in waiting:
            task.cancel()

    run(work())


def test_a_job_that_does_not_fit_yet_waits_for_memory() -> None:
    async def work() -> None:
        admission = Admission(8, 8000)
        held = await admission.acquire(1, 3000, constant(3000))
        waiting = asyncio.create_task(admission.acquire(8, 16_384, human))
        await run_ready_tasks()
        assert not waiting.done()
        admission.release(held)
        assert (await waiting).vcpus == 8

    run(work())


def test_a_job_that_needs_more_than_the_machine_gets_all_of_it() -> None:
    async def work() -> None:
        admission = Admission(4, 4000)
        assert await admission.acquire(8, 99_000, constant(99_000)) == Share(4, 4000)

    run(work())


def test_a_job_is_not_overtaken_and_starts_on_a_part_of_its_cores() -> None:
    async def work() -> None:
        admission = Admission(2, 2000)
        order: list[str] = []
        shares: dict[str, Share] = {}

        async def job(name: str, vcpus: int) -> None:
            shares[name] = await admission.acquire(vcpus, 1000, SMALL)
            order.append(name)

        jobs = [asyncio.create_task(job(name, vcpus)) for name, vcpus in (("a", 1), ("b", 1), ("large", 2), ("c", 1))]
        await run_ready_tasks()
        assert order == ["a", "b"]
        admission.release(shares["a"])
        await run_ready_tasks()
        assert order == ["a", "b", "large"]  # on the one free core, rather than waiting for both
        assert shares["large"] == Share(1, 1000)
        admission.release(shares["b"])
        await run_ready_tasks()
        assert order == ["a", "b", "large", "c"]
        await asyncio.gather(*jobs)

    run(work())


def test_a_job_cancelled_in_the_queue_lets_the_next_one_start() -> None:
    async def work() -> None:
        admission = Admission(2, 2000)
        held = await admission.acquire(1, 1900, constant(1900))
        first = asyncio.create_task(admission.acquire(1, 1000, constant(1000)))
        second = asyncio.create_task(admission.acquire(1, 10, constant(10)))
        await run_ready_tasks()
        assert not second.done()
        first.cancel()
        await run_ready_tasks()
        assert first.cancelled()
        assert await second == Share(1, 10)
        admission.release(held)

    run(work())


def test_a_share_granted_in_the_moment_of_the_cancellation_is_released() -> None:
    async def work() -> None:
        admission = Admission(1, 1000)
        held = await admission.acquire(1, 1000, constant(1000))
        waiting = asyncio.create_task(admission.acquire(1, 1000, constant(1000)))
        await run_ready_tasks()
        admission.release(held)
        asyncio.get_running_loop().call_soon(waiting.cancel)  # after the grant, before the task continues
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await admission.acquire(1, 1000, SMALL) == held

    run(work())


@settings(max_examples=60)
@given(
    st.integers(1, 9),
    st.integers(1, 5000),
    st.integers(1, 9),
    st.lists(st.tuples(*[st.integers(1, 20), st.integers(1, 9000)] * 2, st.integers(0, 5), st.booleans()), max_size=25),
)
def test_shares_never_exceed_the_machine_and_every_job_gets_one(
    cores: int, mib: int, at_once: int, jobs: list[tuple[int, int, int, int, int, bool]]
) -> None:
    async def work() -> None:
        admission = Admission(cores, mib, at_once)
        held = [0, 0, 0]
        served = []

        async def job(number: int, vcpus: int, memory: int, per_vcpu: int, base: int, turns: int) -> None:
            share = await admission.acquire(vcpus, memory, lambda count: base + count * per_vcpu)
            least = min(mib, base + share.vcpus * per_vcpu)
            for place, amount in enumerate((share.vcpus, share.memory_mib, 1)):
                held[place] += amount
            assert 1 <= share.vcpus <= vcpus
            assert least <= share.memory_mib <= max(memory, least)
            assert held[0] <= cores
            assert held[1] <= mib
            assert held[2] <= at_once
            served.append(number)
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                for place, amount in enumerate((share.vcpus, share.memory_mib, 1)):
                    held[place] -= amount
                admission.release(share)

        tasks = [asyncio.create_task(job(number, *parameters)) for number, (*parameters, _) in enumerate(jobs)]
        await asyncio.sleep(0)
        for task, (*_, cancelled) in zip(tasks, jobs, strict=True):
            if cancelled:
                task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [error for error in ended if error and not isinstance(error, asyncio.CancelledError)] == []
        remaining = [number for number, (*_, cancelled) in enumerate(jobs) if not cancelled]
        assert [number for number in served if number in remaining] == remaining
        assert (admission._shares._free, len(admission._queue)) == ([cores, mib, min(cores, at_once)], 0)

    run(work())

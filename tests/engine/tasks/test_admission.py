"""Admission: even shares of a machine in the order of arrival, never more than it has."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.tasks.admission import Admission, Share

CORES, MIB = 8, 8000


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


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
        ([(8, 8000)] * 3, [(2, 2666), (3, 3000), (2, 2334)]),
        ([(1, 100), (8, 8000)], [(1, 100), (7, 7900)]),
        ([(8, 8000), (1, 100)], [(4, 4000), (1, 100)]),
        ([(1, 100)] * 8, [(1, 100)] * 8),
        ([(1, 16_000)], [(1, 8000)]),
    ],
)
def test_concurrent_requests_share_the_machine(
    requests: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    async def work() -> None:
        admission = Admission(CORES, MIB)
        shares = await asyncio.gather(*(admission.acquire(*request) for request in requests))
        assert [(share.vcpus, share.memory_mib) for share in shares] == expected
        assert sum(share.vcpus for share in shares) <= CORES
        assert sum(share.memory_mib for share in shares) <= MIB

    run(work())


def test_a_job_is_not_overtaken_and_starts_on_a_part_of_its_cores() -> None:
    async def work() -> None:
        admission = Admission(2, 2000)
        order: list[str] = []
        shares: dict[str, Share] = {}

        async def job(name: str, vcpus: int) -> None:
            shares[name] = await admission.acquire(vcpus, 1000)
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
        held = await admission.acquire(1, 1900)
        first = asyncio.create_task(admission.acquire(1, 1000))
        second = asyncio.create_task(admission.acquire(1, 10))
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
        held = await admission.acquire(1, 1000)
        waiting = asyncio.create_task(admission.acquire(1, 1000))
        await run_ready_tasks()
        admission.release(held)
        asyncio.get_running_loop().call_soon(waiting.cancel)  # after the grant, before the task continues
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await admission.acquire(1, 1000) == held

    run(work())


@settings(max_examples=60)
@given(
    st.integers(1, 9),
    st.integers(1, 5000),
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 9000), st.integers(0, 5), st.booleans()), max_size=25),
)
def test_shares_never_exceed_the_machine_and_every_job_gets_one(
    cores: int, mib: int, jobs: list[tuple[int, int, int, bool]]
) -> None:
    async def work() -> None:
        admission = Admission(cores, mib)
        held = [0, 0]
        served = []

        async def job(number: int, vcpus: int, memory: int, turns: int) -> None:
            share = await admission.acquire(vcpus, memory)
            held[0] += share.vcpus
            held[1] += share.memory_mib
            assert 1 <= share.vcpus <= vcpus
            assert 1 <= share.memory_mib <= max(memory, 1)
            assert held[0] <= cores
            assert held[1] <= max(mib, cores)
            served.append(number)
            try:
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                held[0] -= share.vcpus
                held[1] -= share.memory_mib
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
        assert (admission._free, len(admission._queue)) == ([cores, mib], 0)

    run(work())

"""Admission: shares of a machine, never more than it has, fair in the order of arrival."""

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


async def turn() -> None:
    """Let everything that is ready happen."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("asked", "expected"),
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
def test_what_asks_at_once_shares_the_machine(asked: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    async def work() -> None:
        admission = Admission(CORES, MIB)
        shares = await asyncio.gather(*(admission.acquire(*one) for one in asked))
        assert [(share.vcpus, share.memory_mib) for share in shares] == expected
        assert sum(share.vcpus for share in shares) <= CORES
        assert sum(share.memory_mib for share in shares) <= MIB

    run(work())


def test_the_first_in_line_is_not_overtaken_and_small_jobs_do_not_wait_for_a_whole_machine() -> None:
    async def work() -> None:
        admission = Admission(2, 2000)
        order: list[str] = []
        shares: dict[str, Share] = {}

        async def job(name: str, vcpus: int) -> None:
            shares[name] = await admission.acquire(vcpus, 1000)
            order.append(name)

        jobs = [asyncio.create_task(job(name, vcpus)) for name, vcpus in (("a", 1), ("b", 1), ("large", 2), ("c", 1))]
        await turn()
        assert order == ["a", "b"]
        admission.release(shares["a"])
        await turn()
        assert order == ["a", "b", "large"]  # with the core that is free, rather than waiting for both
        assert shares["large"] == Share(1, 1000)
        admission.release(shares["b"])
        await turn()
        assert order == ["a", "b", "large", "c"]
        await asyncio.gather(*jobs)

    run(work())


def test_a_job_that_gives_up_in_line_lets_the_next_one_begin() -> None:
    async def work() -> None:
        admission = Admission(2, 2000)
        held = await admission.acquire(1, 1900)
        first = asyncio.create_task(admission.acquire(1, 1000))
        second = asyncio.create_task(admission.acquire(1, 10))
        await turn()
        assert not second.done()
        first.cancel()
        await turn()
        assert first.cancelled()
        assert await second == Share(1, 10)
        admission.release(held)

    run(work())


def test_a_share_that_is_given_and_cancelled_in_one_breath_is_given_back() -> None:
    async def work() -> None:
        admission = Admission(1, 1000)
        held = await admission.acquire(1, 1000)
        waiting = asyncio.create_task(admission.acquire(1, 1000))
        await turn()
        admission.release(held)
        asyncio.get_running_loop().call_soon(waiting.cancel)  # after the share is given, before its task goes on
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
def test_shares_never_exceed_the_machine_and_everyone_is_served(
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

        tasks = [asyncio.create_task(job(number, *one[:3])) for number, one in enumerate(jobs)]
        await asyncio.sleep(0)
        for task, one in zip(tasks, jobs, strict=True):
            if one[3]:
                task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [error for error in ended if error and not isinstance(error, asyncio.CancelledError)] == []
        stayed = [number for number, one in enumerate(jobs) if not one[3]]
        assert [number for number in served if number in stayed] == stayed
        assert (admission._free, len(admission._queue)) == ([cores, mib], 0)

    run(work())

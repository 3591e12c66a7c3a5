"""Hours on a cluster in virtual time: how often Slurm is asked, and a controller that is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.runs.slurm.virtual_cluster import VirtualRun, virtual_run

MOST_CALLS = 60  # a minute


def test_hundreds_of_small_tasks_are_few_calls(tmp_path: Path) -> None:
    keys = [f"task{number}" for number in range(150)]
    virtual = virtual_run(tmp_path, slots=20)

    async def run() -> list[int | None]:
        return [end.exit_code for end in await asyncio.gather(*map(virtual.task, keys))]

    assert virtual.run(run()) == [0] * len(keys)
    assert sorted(virtual.slurm.ran) == sorted(keys)
    assert len(virtual.slurm.arrays) == 1
    assert virtual.slurm.most_calls_in_a_minute() <= 12


def test_an_array_keeps_the_limit_of_jobs_by_itself(tmp_path: Path) -> None:
    keys = [f"task{number}" for number in range(150)]
    virtual = virtual_run(tmp_path, most_jobs=8)

    async def run() -> list[int | None]:
        return [end.exit_code for end in await asyncio.gather(*map(virtual.task, keys))]

    assert virtual.run(run()) == [0] * len(keys)
    assert sorted(virtual.slurm.ran) == sorted(keys)
    assert (virtual.slurm.running, len(virtual.slurm.arrays)) == (8, 1)
    assert virtual.slurm.most_calls_in_a_minute() <= 12


def test_arrays_of_several_resources_share_the_limit_of_jobs(tmp_path: Path) -> None:
    virtual = virtual_run(tmp_path, most_jobs=8)
    virtual.run(run_stages(virtual, 60, 3))
    assert virtual.slurm.running == 8
    assert virtual.slurm.clock.loop.skipped <= 2 * 180 * 3.0 / 8 + 60  # twice what eight jobs need without a pause
    assert virtual.slurm.most_calls_in_a_minute() <= 30


def test_an_array_runs_more_jobs_once_others_have_ended(tmp_path: Path) -> None:
    virtual = virtual_run(tmp_path, most_jobs=8)

    async def run() -> list[int | None]:
        short, long = ([(f"{vcpus}-{number}", vcpus) for number in range(size)] for vcpus, size in ((1, 6), (2, 60)))
        return [end.exit_code for end in await asyncio.gather(*(virtual.task(*one) for one in (*short, *long)))]

    assert virtual.run(run()) == [0] * 66
    assert (virtual.slurm.running, virtual.slurm.most) == (8, [6, 8])


async def run_stages(virtual: VirtualRun, samples: int, shapes: int) -> float:
    """Run three stages of samples, whose tasks ask for different resources, and return the virtual seconds."""
    began = virtual.slurm.clock.now()

    async def run_sample(number: int) -> None:
        for stage in range(3):
            assert (await virtual.task(f"sample{number}-{stage}", vcpus=1 + number % shapes)).exit_code == 0

    await asyncio.gather(*map(run_sample, range(samples)))
    assert len(set(virtual.slurm.ran)) == len(virtual.slurm.ran) == 3 * samples
    return virtual.slurm.clock.now() - began


def test_stages_of_many_resources_are_few_calls(tmp_path: Path) -> None:
    virtual = virtual_run(tmp_path, slots=20)
    virtual.run(run_stages(virtual, 60, 30))
    assert virtual.slurm.most_calls_in_a_minute() <= MOST_CALLS


def test_what_becomes_ready_within_seconds_is_one_array(tmp_path: Path) -> None:
    virtual = virtual_run(tmp_path, slots=3, seconds=1.0)
    seconds = virtual.run(run_stages(virtual, 20, 1))
    assert len(virtual.slurm.arrays) <= seconds / 5 + 1


@pytest.mark.parametrize("at", [0.5, 5.0])
def test_a_controller_that_is_away_for_an_hour_costs_nothing_but_time(tmp_path: Path, at: float) -> None:
    keys = [f"task{number}" for number in range(30)]
    virtual = virtual_run(tmp_path, slots=10, seconds=400.0)

    async def run() -> float:
        now = virtual.slurm.clock.now()
        virtual.slurm.away = now + at, now + at + 3600
        ends = await asyncio.gather(*map(virtual.task, keys))
        assert [end.exit_code for end in ends] == [0] * len(keys)
        return virtual.slurm.clock.now() - now

    assert 1200 <= virtual.run(run()) <= 3600 + 1200 + 240
    assert sorted(virtual.slurm.ran) == sorted(keys)
    assert virtual.slurm.most_calls_in_a_minute() <= MOST_CALLS
    assert 1 <= len(virtual.notes) <= 40

"""The goals of learned first attempts, on a small seeded replay of records whose memory grows with the input."""

from __future__ import annotations

import random

import pytest

from benchmarks.replayed_histories import Replay, Source, calibrated_ladder, replay, source_of, stage_ratios
from genomics_pipeline.planning.history.observation import Observation
from genomics_pipeline.runs.catalog import load_step


@pytest.fixture(scope="module")
def source() -> Source:
    """Return a step of which 30 tasks had 400 MiB and 100 for each MB, and 10 s and 5 for each MB, within some 10 %."""
    chance, version = random.Random(3), load_step("alignment").spec.version

    def record() -> Observation:
        size = chance.uniform(1, 20)
        seconds = (10 + 5 * size) * chance.lognormvariate(0, 0.1)
        memory = (400 + 100 * size) * chance.lognormvariate(0, 0.05)
        return Observation("alignment", version, int(size * 1e6), 1, seconds, seconds, int(memory), int(size * 1e6))

    return source_of([record() for _ in range(30)], spread=0.6)


def test_a_learned_ladder_wastes_less_than_a_calibrated_one_and_kills_as_few(source: Source) -> None:
    found = replay(source, cohorts=4, seed=1, history=100, new=200)
    assert found["learned"].wasted <= 0.75 * found["calibrated"].wasted
    assert found["calibrated"].wasted < found["static"].wasted
    assert found["learned"].killed / found["learned"].tasks < 0.01
    assert {one.tasks for one in found.values()} == {800}


def test_the_duration_of_a_stage_is_known_after_a_pilot(source: Source) -> None:
    assert all(abs(ratio - 1) <= 0.2 for ratio in stage_ratios(source, cohorts=4, seed=1))


def test_draws_are_the_same_for_a_seed(source: Source) -> None:
    one, two = (source.draw(5, random.Random(seed)) for seed in (1, 1))
    assert one == two != source.draw(5, random.Random(2))


def test_waste_by_hand(source: Source) -> None:
    """One hour with 1 GiB: 0.5 GiB is left over, or 1 GiB for a part of an hour and 3 GiB for one."""
    task = Observation("alignment", "1", 1, 1, 3600, 3600, 512 - 128, 1)
    fits, killed, chance = Replay(), Replay(), random.Random(1)
    fits.add([1024], task, chance)
    assert (fits.killed, fits.wasted, fits.used) == (0, 0.5, 0.5)
    moment = random.Random(1).random()
    killed.add([256, 3584], task, random.Random(1))
    assert killed.wasted == pytest.approx(0.25 * moment + 3)
    assert (killed.killed, killed.used) == (1, 0.5)


def test_a_calibrated_ladder_knows_no_sizes(source: Source) -> None:
    before = source.draw(120, random.Random(1))  # of which the 99 % quantile is the most
    most = max(one.peak_memory_mib for one in before)
    first = -(-(most + 128) // 16) * 16
    assert calibrated_ladder(source.step, before) == (first, 2 * first, 4 * first)

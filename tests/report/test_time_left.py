"""The time that is left, in virtual time: jobs of simulated cohorts on a machine, whose speed the plan misjudges."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import pytest

from genomics_pipeline.report.time_left import ExpectedStage, TimeLeft


@dataclass(frozen=True)
class Cohort:
    """A simulated cohort on a machine.

    Attributes:
        samples: The number of samples.
        intervals: The number of intervals.
        cores: The cores of the machine.
        slower: How much longer jobs take than predicted.
        spread: The standard deviation of the logarithm of durations of samples.
    """

    samples: int
    intervals: int
    cores: int
    slower: float
    spread: float

    def stages(self) -> list[ExpectedStage]:
        return [
            ExpectedStage("alignment", "Sample", self.samples, 600, 4),
            ExpectedStage("variant_calling", "Sample", self.samples, 300, 2),
            ExpectedStage("aggregation", "Interval", self.intervals, 200, 1),
            ExpectedStage("gather", "gather", 1, 60, 1),
        ]


def run_cohort(cohort: Cohort, seed: int, look: Callable[[float, TimeLeft], object]) -> float:
    """Run a cohort in virtual time; call `look` with the time after each end, and return when all has ended."""
    chosen, stages = random.Random(seed), cohort.stages()
    left, now = TimeLeft(stages, cohort.cores), 0.0
    phases: dict[str, list[int]] = {}
    for number, one in enumerate(stages):
        phases.setdefault(one.phase, []).append(number)
    for numbers in phases.values():
        size = [chosen.lognormvariate(-(cohort.spread**2) / 2, cohort.spread) for _ in range(stages[numbers[0]].jobs)]
        waiting = [(item, 0) for item in range(len(size))]
        ending: list[tuple[float, int, int, float]] = []
        free = float(cohort.cores)
        while waiting or ending:
            while waiting:
                item, step = waiting[0]
                stage = stages[numbers[step]]
                vcpus = min(stage.vcpus, cohort.cores)
                if free < vcpus:
                    break
                waiting.pop(0)
                free -= vcpus
                left.begin(stage.stage, vcpus, now)
                seconds = stage.seconds * cohort.slower * size[item] * chosen.uniform(0.9, 1.1)
                heapq.heappush(ending, (now + seconds, item, step, now))
            now, item, step, started = heapq.heappop(ending)
            stage = stages[numbers[step]]
            free += min(stage.vcpus, cohort.cores)
            left.end(stage.stage, started, now - started, is_done=True, reused=False)
            if step + 1 < len(numbers):
                waiting.insert(0, (item, step + 1))
            look(now, left)
    return now


COHORTS = [
    Cohort(12, 4, 8, 1.0, 0.2),
    Cohort(12, 4, 8, 3.0, 0.2),
    Cohort(40, 8, 8, 0.4, 0.3),
    Cohort(40, 8, 32, 1.5, 0.3),
    Cohort(200, 24, 64, 2.0, 0.4),
    Cohort(1000, 24, 16, 5.0, 0.5),
]


@pytest.mark.parametrize("cohort", COHORTS, ids=str)
def test_after_a_third_of_the_work_it_is_right_within_a_fifth(cohort: Cohort) -> None:
    ratios = []
    for seed in range(12):
        seen: list[tuple[float, float]] = []
        end = run_cohort(cohort, seed, partial(look, seen))
        first, told = seen[0]
        ratios.append(told / (end - first))
        assert seen[-1][1] == 0
    assert sum(0.8 <= one <= 1.2 for one in ratios) >= 9, sorted(ratios)  # chance decides about a few slow samples
    assert all(0.7 <= one <= 1.3 for one in ratios), sorted(ratios)


def look(seen: list[tuple[float, float]], now: float, left: TimeLeft) -> None:
    if left.share(now) >= 1 / 3:
        seen.append((now, left.seconds(now) or 0.0))


def test_the_share_of_the_work_ends_at_one_and_hardly_falls() -> None:
    shares: list[float] = []
    run_cohort(COHORTS[2], 1, lambda now, left: shares.append(left.share(now)))
    assert shares[-1] == 1
    assert all(later > earlier - 0.05 for earlier, later in pairwise(shares))


def expected(jobs: int) -> Sequence[ExpectedStage]:
    return [ExpectedStage("map", "Sample", jobs, 100, 1)]


def test_nothing_is_told_before_anything_was_measured() -> None:
    left = TimeLeft(expected(2), 1)
    left.begin("map", 1, 0)
    assert left.seconds(50) is None
    left.end("map", 0, 0.1, is_done=True, reused=True)
    assert left.seconds(50) is None
    left.begin("map", 1, 50)
    left.begin("unknown", 1, 50)
    left.end("unknown", 50, 1, is_done=True, reused=False)
    left.end("map", 50, 200, is_done=True, reused=False)
    assert left.seconds(250) == 0


def test_a_job_that_failed_is_expected_again_until_it_is_given_up() -> None:
    left = TimeLeft(expected(3), 1)
    left.begin("map", 1, 0)
    left.end("map", 0, 100, is_done=True, reused=False)
    left.begin("map", 1, 100)
    left.end("map", 100, 10, is_done=False, reused=False)
    assert left.seconds(110) == pytest.approx(200)
    left.give_up("Sample", set(), 1)
    assert left.seconds(110) == pytest.approx(100)


def test_a_phase_that_begins_tells_how_many_items_it_has() -> None:
    left = TimeLeft(expected(3), 1)
    left.begin_phase("Sample", 10, 4)
    left.begin("map", 1, 0)
    left.end("map", 0, 100, is_done=True, reused=False)
    assert left.seconds(100) == pytest.approx(500)
    left.begin_phase("Interval", 7, 0)
    left.give_up("Interval", {"map"}, 1)
    assert left.seconds(100) == pytest.approx(500)


def test_a_job_that_takes_longer_than_expected_is_never_at_its_end() -> None:
    left = TimeLeft(expected(2), 2)
    left.begin("map", 1, 0)
    left.begin("map", 1, 0.5)
    left.end("map", 0, 100, is_done=True, reused=False)
    assert left.seconds(10_000) == pytest.approx(5)


def test_a_machine_whose_cores_jobs_do_not_fill_takes_longer() -> None:
    seconds = []
    for cores in (2, 4):
        left = TimeLeft([ExpectedStage("map", "Sample", 100, 100, 2)], cores)
        left.begin("map", 2, 0)
        left.end("map", 0, 100, is_done=True, reused=False)
        seconds.append(left.seconds(100))
    assert seconds[0] == pytest.approx(9900)
    assert seconds[1] == pytest.approx(9900, rel=0.02)  # one job at a time was all that ran, although two would fit

"""The time that is left, in virtual time: jobs of simulated cohorts on a machine, whose speed the plan misjudges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import pytest

from genomics_pipeline.engine.events import ChildEnded, ChildStarted, JobEnded, JobStarted, JobUsage, MapRunStarted
from genomics_pipeline.engine.tasks.shares import JobNeeds
from genomics_pipeline.model.task_progress import TaskProgress
from genomics_pipeline.planning.local_phases import LocalPhase, LocalStage
from genomics_pipeline.planning.resource_model import STEP_DEVIATION
from genomics_pipeline.report.time_left import TimeLeft, TimeRange
from tests.report.virtual_cohort import Cohort, Sight, VirtualRun

COHORTS = [
    Cohort(3, 2, slower=3.0),
    Cohort(3, 64, slower=0.5),
    Cohort(12, 8, skew=1.0, slower=2.0),
    Cohort(12, 64, slower=0.4, lost=0.1, bad=0.05),
    Cohort(40, 8, slower=0.4),
]
# After a third of the work: the cases that are right within a fifth, at least; the rest cannot be known by then.
RIGHT = {Sight.REPORTED: 0.75, Sight.READ: 0.6}


def of_runs(cohorts: Sequence[Cohort]) -> list[float]:
    return sorted(
        VirtualRun(one, seed).ratio_after(1 / 3) for one in cohorts for seed in range(1 if one.samples > 12 else 4)
    )


@pytest.mark.parametrize("sight", RIGHT)
def test_after_a_third_of_the_work_the_middle_is_right(sight: Sight) -> None:
    ratios = of_runs([replace(one, sight=sight) for one in COHORTS])
    assert sum(0.8 <= one <= 1.2 for one in ratios) >= RIGHT[sight] * len(ratios), ratios
    assert 0.9 <= median(ratios) <= 1.1, ratios  # neither too early nor too late
    assert all(0.4 <= one <= 1.9 for one in ratios), ratios


def test_where_only_the_speed_of_the_machine_is_misjudged_most_are_right() -> None:
    cohorts = [
        replace(one, stage_error=0.0, sample_error=0.0, exponent_error=0.0, noise=0.05, contention=0.0)
        for one in COHORTS
        if one.samples < 40
    ]
    ratios = sorted(VirtualRun(one, seed).ratio_after(1 / 3) for one in cohorts for seed in range(8))
    assert sum(0.8 <= one <= 1.2 for one in ratios) >= 0.8 * len(ratios), ratios


def test_most_are_right_where_earlier_runs_told_of_the_stages() -> None:
    """Also if the machine is now much slower or faster; with few jobs on many cores, the chance of one would decide."""
    cohorts = [Cohort(3, 2, slower=2.5), Cohort(12, 2, slower=0.7), Cohort(12, 4), Cohort(24, 8, slower=0.6)]
    ratios = of_runs([replace(one, stage_error=0.05, exponent_error=0.03, deviation=0.08) for one in cohorts])
    assert sum(0.8 <= one <= 1.2 for one in ratios) >= 0.9 * len(ratios), ratios


def test_the_range_is_narrow_from_the_start_where_earlier_runs_told_of_the_stages() -> None:
    plain, told = left_of(4, 2), left_of(4, 2, deviation=0.08)
    assert told.seconds(0).high / told.seconds(0).low < 0.5 * plain.seconds(0).high / plain.seconds(0).low


@pytest.mark.parametrize("cores", [8, 16])
def test_many_samples_are_right_even_if_nothing_is_seen_of_their_programs(cores: int) -> None:
    cohort = Cohort(60, cores, skew=0.5, slower=3.0, stage_error=0.05, sight=Sight.NOTHING)
    assert 0.8 <= VirtualRun(cohort, 0).ratio_after(1 / 3) <= 1.2


def left_of(
    children: int, cores: int, vcpus: int = 1, stages: Sequence[str] = ("map",), deviation: float = STEP_DEVIATION
) -> TimeLeft:
    """Return the time left of a Map whose jobs are expected to take 100 s on the cores that they ask for."""
    needs = JobNeeds(vcpus, 100, lambda _: 1)
    of_children = [LocalStage(one, needs, lambda child, cores: 100.0, deviation) for one in stages]
    phase = LocalPhase("Sample", of_children, children, 1000)
    left = TimeLeft([phase], cores, 1000 * cores)
    left.take(MapRunStarted("Sample", "arn", children, 0), 0)
    for child in range(children):
        left.take(ChildStarted("Sample", child, "uuid", {}), 0)
    return left


def begin(left: TimeLeft, child: int, now: float, usage: JobUsage | None = None, stage: str = "map") -> None:
    left.take(JobStarted("j", "n", "d", 1, 100, 0.0, stage, "Sample", child, usage or JobUsage()), now)


def end(left: TimeLeft, child: int, now: float, seconds: float, code: int = 0, *, reused: bool = False) -> None:
    left.take(JobEnded("j", "n", "d", code, None, seconds, "map", "Sample", child, reused=reused), now)


def end_child(left: TimeLeft, child: int, now: float, status: str = "SUCCEEDED") -> None:
    left.take(ChildEnded("Sample", child, "uuid", {}, status, None, None, 1), now)


def test_before_anything_is_measured_the_range_is_wide() -> None:
    left = left_of(2, 1)
    begin(left, 0, 0)
    first = left.seconds(10)
    assert first.low < 100 < first.middle < 300 < first.high
    end(left, 0, 60, 0.1, reused=True)
    assert left.seconds(60).high > 2 * left.seconds(60).low
    begin(left, 1, 60)
    begin(left, 0, 60, stage="unknown")
    end(left, 1, 260, 200)
    end_child(left, 1, 260)
    assert (left.seconds(260), left.share(260)) == (TimeRange(), 1)


def test_what_a_program_says_of_its_progress_is_a_measurement() -> None:
    left, usage = left_of(2, 1), JobUsage()
    begin(left, 0, 0, usage)
    usage.progress = TaskProgress(100, "reads", 0.5)
    assert left.seconds(400).middle == pytest.approx(400 + 800, rel=0.15)
    assert left.share(400) == pytest.approx(0.25, rel=0.15)


def test_what_running_jobs_have_done_is_of_the_share() -> None:
    left = left_of(4, 1)
    begin(left, 0, 0)
    end(left, 0, 100, 100)
    end_child(left, 0, 100)
    begin(left, 1, 100)
    assert left.share(150) == pytest.approx(0.375, rel=0.1)


def test_a_job_that_failed_is_expected_again_until_it_is_given_up() -> None:
    left = left_of(3, 1)
    begin(left, 0, 0)
    end(left, 0, 100, 100)
    end_child(left, 0, 100)
    begin(left, 1, 100)
    end(left, 1, 110, 10, code=1)
    again = left.seconds(110).middle
    assert again == pytest.approx(200 * 1.1, rel=0.1)
    begin(left, 1, 120)
    end(left, 1, 130, 10, code=1)
    end_child(left, 1, 130, "FAILED")
    assert left.seconds(130).middle == pytest.approx(100 * 1.2, rel=0.1)


def test_an_execution_that_is_resumed_has_less_to_do() -> None:
    phase = LocalPhase("Sample", [LocalStage("map", JobNeeds(1, 100, lambda _: 1), lambda child, cores: 100.0)], 10, 9)
    left = TimeLeft([phase], 1, 1000)
    left.take(MapRunStarted("Sample", "arn", 10, 4), 0)
    left.take(ChildStarted("Sample", 4, "uuid", {}), 0)
    begin(left, 4, 0)
    end(left, 4, 100, 100)
    end_child(left, 4, 100)
    assert left.seconds(100).middle == pytest.approx(500, rel=0.05)


def test_a_job_that_takes_longer_than_expected_is_never_at_its_end() -> None:
    left = left_of(2, 2)
    begin(left, 0, 0)
    begin(left, 1, 0.5)
    end(left, 0, 100, 100)
    end_child(left, 0, 100)
    assert left.seconds(10_000).low > 2


def test_between_two_estimates_the_time_passes() -> None:
    left = left_of(2, 1)
    begin(left, 0, 0)
    end(left, 0, 100, 100)
    first = left.seconds(100).middle
    assert left.seconds(100.2).middle == pytest.approx(first - 0.2)


def test_a_map_run_with_fewer_items_than_the_plan_expected() -> None:
    needs = JobNeeds(1, 100, lambda _: 1)
    phase = LocalPhase("Sample", [LocalStage("map", needs, lambda child, cores: 100.0)], 10, 1000)
    left = TimeLeft([phase], 1, 1000)
    left.take(MapRunStarted("Sample", "arn", 3, 0), 0)
    for child in range(3):
        left.take(ChildStarted("Sample", child, "uuid", {}), 0)
    begin(left, 0, 0)
    end(left, 0, 100, 100)
    end_child(left, 0, 100)
    assert left.seconds(100).middle == pytest.approx(200, rel=0.05)
    assert left.share(100) == pytest.approx(1 / 3, rel=0.05)


def test_silent_jobs_that_run_longer_than_expected_say_that_the_machine_is_slow() -> None:
    left = left_of(4, 2)
    begin(left, 0, 0)
    begin(left, 1, 0)
    before, after = left.seconds(50), left.seconds(400)
    assert after.middle > before.middle + 300
    assert after.low > 400  # two more, of which each takes longer than the first two have


def test_how_much_of_its_inputs_a_silent_program_has_read_is_a_measurement() -> None:
    left, usage = left_of(1, 1), JobUsage()
    begin(left, 0, 0, usage)
    for now in range(5, 101, 5):
        usage.read_share = now / 400
        left.seconds(now)
    seen = left.seconds(101)
    assert 120 < seen.middle < 300  # without that, it would be about to end
    usage.read_share = 0.1  # reads its inputs again, so that nothing is known
    assert left.seconds(102).middle < 0.7 * seen.middle


def test_the_shares_of_jobs_that_ended_correct_those_of_the_next() -> None:
    """Their programs read all of their inputs in half of their time."""
    left = left_of(8, 1)
    for child in range(6):
        usage = JobUsage()
        begin(left, child, 2000 * child, usage)
        for now in range(50, 1001, 50):
            usage.read_share = now / 1000
            left.seconds(2000 * child + now)
        end(left, child, 2000 * (child + 1), 2000)
        end_child(left, child, 2000 * (child + 1))
    usage = JobUsage()
    begin(left, 6, 12_000, usage)
    for now in range(100, 1201, 100):
        usage.read_share = now / 1200
        left.seconds(12_000 + now)
    assert left.seconds(13_201).middle == pytest.approx(1200 + 2050, rel=0.1)


def test_the_range_of_many_jobs_is_that_of_their_stages() -> None:
    left = left_of(2000, 100, stages=("map", "later"))
    for child in range(100):
        begin(left, child, 0)
    for child in range(100):
        end(left, child, 100, 100)
    seconds = left.seconds(100)
    assert seconds.low < seconds.middle == pytest.approx(3900, rel=0.2)
    assert 1.2 * seconds.middle < seconds.high < 2 * seconds.middle

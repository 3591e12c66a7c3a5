"""Estimates that are learned from earlier tasks."""

from __future__ import annotations

import math
import random
from dataclasses import astuple, replace

import pytest

from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.step import Resources, StepSpec
from genomics_pipeline.planning.calibration import covered_bases
from genomics_pipeline.planning.history.learned_model import LearnedModel
from genomics_pipeline.planning.history.observation import AlignmentOverhead, Observation
from genomics_pipeline.planning.resource_model import Quantiles, TaskEstimate, TaskFeatures, UnknownStep

GB = 1_000_000_000


def observation(input_gb: float, *, vcpus: int = 4, seconds: float | None = None, memory: int = 1000) -> Observation:
    """Return a task with 20 s of its own and 400 processor seconds for each GB, whose output is half its input."""
    work = 400 * input_gb
    seconds = 20 + work / vcpus if seconds is None else seconds
    return Observation("align", "1.0", int(input_gb * GB), vcpus, seconds, work, memory, int(input_gb * GB / 2))


def model(*observations: Observation) -> LearnedModel:
    return LearnedModel(observations, {"align": "1.0"}, NothingKnown())


class NothingKnown:
    """A model that knows no step."""

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        raise UnknownStep(step)

    def first_attempt(self, step: StepSpec, features: TaskFeatures) -> None:
        return None


def features(input_gb: float, vcpus: float = 4) -> TaskFeatures:
    return TaskFeatures(int(input_gb * GB), 3_000_000_000, 1, vcpus)


SIZES = [0.1 * number for number in range(1, 21)]


def test_needs_follow_the_size_and_the_cores() -> None:
    """From a laptop's four cores and 2 GB at most to eight cores and 50 GB."""
    estimate = model(*map(observation, SIZES)).estimate("align", features(50, vcpus=8))
    assert estimate.seconds.p50 == pytest.approx(20 + 400 * 50 / 8, rel=1e-4)
    assert estimate.processor_seconds.p50 == pytest.approx(20_000, rel=1e-4)
    assert estimate.output_bytes.p50 == pytest.approx(25 * GB, rel=1e-4)
    assert estimate.peak_memory_mib.p50 == pytest.approx(1000)
    assert (
        estimate.basis
        == "20 tasks of earlier runs on a machine outside of AWS, whose inputs have at most 4.0% of the size"
    )


def test_tasks_of_other_cores_are_compared_on_the_same() -> None:
    tasks = [observation(size, vcpus=vcpus) for size in SIZES for vcpus in (1, 2, 16)]
    assert model(*tasks).estimate("align", features(1, vcpus=4)).seconds.p50 == pytest.approx(120, rel=1e-4)


def test_few_tasks_have_an_assumed_spread() -> None:
    estimate = model(observation(1), observation(2)).estimate("align", features(2))
    assert astuple(estimate.seconds) == pytest.approx((165, 220, 275))
    assert (
        estimate.basis
        == "2 tasks of earlier runs on a machine outside of AWS, so few that their spread is assumed: 25%"
    )


def test_tasks_of_one_size_are_scaled_in_proportion_but_not_their_memory() -> None:
    estimate = model(observation(1), observation(1.2)).estimate("align", features(11))
    assert estimate.seconds.p50 == pytest.approx((120 * 11 + 140 * 11 / 1.2) / 2)
    assert estimate.peak_memory_mib.p50 == 1000
    assert "of one size: in proportion" in estimate.basis


class Calibrated(NothingKnown):
    """A model of 60 s and 100 s for each GB on any cores, and of outputs of 1 kB and as much as the input."""

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        def alike(value: float) -> Quantiles:
            return Quantiles(value, value, value)

        needed, size = 60 + features.input_bytes / GB * 100, features.input_bytes + 1000.0
        return TaskEstimate(alike(needed), alike(needed), alike(1), alike(size), "rates", {"copy": size})


def test_tasks_of_one_size_grow_as_the_rates_of_their_step_where_there_are_any() -> None:
    """The rates are 160 s for 1 GB and 1,060 s for 10 GB; on this machine, 1 GB takes 20 s and 400 s of its cores."""
    learned = LearnedModel([observation(1), observation(1)], {"align": "1.0"}, Calibrated())
    estimate = learned.estimate("align", features(10))
    assert estimate.seconds.p50 == pytest.approx(20 + 100 + 400 * (1060 - 160) / 160)  # on any cores, by these rates
    assert estimate.processor_seconds.p50 == pytest.approx(400 * 1060 / 160)
    assert estimate.peak_memory_mib.p50 == 1000
    assert estimate.output_bytes.p50 == pytest.approx(5 * GB, rel=1e-4)
    assert "of one size: as the calibrated rates grow with it" in estimate.basis


def test_what_reads_over_one_base_share_does_not_grow_with_them() -> None:
    """A tenth of the reads has more than a tenth of the bytes: those of the header and of each base once."""
    overhead = AlignmentOverhead(fixed=1e6, per_covered_base=0.5)
    whole, tenth = features(10), features(1)
    of_reads = GB
    pilot = Observation(
        *("align", "1.0", GB, 4, 100, 100, 1000, 0),
        outputs={"alignment": int(of_reads + overhead.bytes_of(covered_bases(tenth)))},
        is_pilot=True,
        overhead=overhead,
    )
    found = LearnedModel([pilot], {"align": "1.0"}, Calibrated()).estimate("align", whole)
    assert found.outputs["alignment"] == pytest.approx(
        10 * of_reads + overhead.bytes_of(covered_bases(whole)), rel=1e-3
    )


def test_a_pilot_of_several_sizes_grows_as_the_rates_of_its_step() -> None:
    """A line through tasks that a busy machine disturbed would be far off at twenty times their size."""
    work = {0.1: 130, 0.2: 155, 0.3: 185, 0.4: 215}  # twice the rates, and up to 15 s more or less
    tasks = [
        Observation("align", "1.0", int(size * GB), 4, 0, spent, 1000, int(size * GB), is_pilot=True)
        for size, spent in work.items()
    ]
    estimate = LearnedModel(tasks, {"align": "1.0"}, Calibrated()).estimate("align", features(8))
    assert estimate.processor_seconds.p50 == pytest.approx(2 * (60 + 800), rel=0.05)
    assert "4 tasks" in estimate.basis
    assert estimate.basis.endswith("of a pilot: as the calibrated rates grow with it, memory alike")
    line = model(*tasks).estimate("align", features(8))
    assert line.processor_seconds.p50 > 1.2 * estimate.processor_seconds.p50


def test_outputs_of_a_pilot_of_few_reads_are_those_of_the_rates() -> None:
    """Unless there are none: the variants of few reads are no measure of those of all."""
    of_pilot = replace(observation(1), depth_share=0.1)
    estimate = LearnedModel([of_pilot], {"align": "1.0"}, Calibrated()).estimate("align", features(10))
    assert estimate.output_bytes.p50 == 10 * GB + 1000
    assert estimate.processor_seconds.p50 == pytest.approx(400 * 1060 / 160)
    assert estimate.basis.endswith("; sizes of outputs: rates")
    assert model(of_pilot).estimate("align", features(10)).output_bytes.p50 == pytest.approx(5 * GB)


def test_tasks_that_gather_a_pilot_of_few_reads_are_as_fast_as_its_other_tasks() -> None:
    """The rates say 160 s for 1 GB, of which 400 s were taken; the merge itself waited for 7 s beside its work."""
    merge = Observation("merge", "1.0", 5 * GB, 4, 1007, 4000, 500, 9, depth_share=0.1, gathers=True)
    versions = {"align": "1.0", "merge": "1.0"}
    learned = LearnedModel([observation(1), merge], versions, Calibrated(), genome_bases=3_000_000_000)
    estimate = learned.estimate("merge", features(2))
    assert estimate.seconds.p50 == pytest.approx(7 + 2.5 * 260)
    assert estimate.processor_seconds.p50 == pytest.approx(2.5 * 260)
    assert estimate.peak_memory_mib.p50 == 500
    assert estimate.basis == "rates; 2.50 times as long, as the other tasks of the pilot took"
    whole = LearnedModel([observation(1), replace(merge, depth_share=1.0)], versions, Calibrated())
    assert whole.estimate("merge", features(5)).processor_seconds.p50 == pytest.approx(4000)


def test_sizes_that_differ_are_not_those_of_the_rates() -> None:
    learned = LearnedModel(map(observation, SIZES), {"align": "1.0"}, Calibrated())
    assert learned.estimate("align", features(10)).seconds.p50 == pytest.approx(20 + 400 * 10 / 4, rel=1e-4)


@pytest.mark.parametrize(("step", "version"), [("call", "1.0"), ("align", "0.9")])
def test_tasks_of_other_steps_or_versions_say_nothing(step: str, version: str) -> None:
    with pytest.raises(UnknownStep):
        LearnedModel([observation(1)], {step: version, "merge": "1.0"}, NothingKnown()).estimate(step, features(1))


def test_of_many_tasks_a_thousand_are_taken_over_all_sizes() -> None:
    tasks = [observation(0.001 * number) for number in range(1, 5001)]
    estimate = model(*tasks).estimate("align", features(5))
    assert estimate.basis.startswith("1,000 tasks")
    assert estimate.seconds.p50 == pytest.approx(520, rel=1e-4)


def step(*ladder: int, vcpus: int = 4, timeout_s: int = 86_400) -> StepSpec:
    resources = Resources(vcpus=vcpus, memory_ladder=ladder, timeout_s=timeout_s)
    return StepSpec("align", "1.0", "", (), {}, {}, {}, resources, {}, {})


def first_attempt(learned: LearnedModel, size: float, spec: StepSpec) -> FirstAttempt:
    found = learned.first_attempt(spec, features(size))
    assert found is not None
    return found


def test_the_first_attempt_is_above_all_of_few_tasks() -> None:
    """The median is 1000 MiB at 2 GB; 1200 were needed once; 5 % more, 128 MiB of the worker, in steps of 16 MiB."""
    learned = model(*map(observation, SIZES), observation(2, memory=1200, seconds=300))
    found = first_attempt(learned, 2, step(4096))
    assert found == FirstAttempt(math.ceil((1200 * 1.05 + 128) / 16) * 16, math.ceil(300 * 1.05 * 4))


def test_a_first_attempt_is_within_what_the_step_declares() -> None:
    learned = model(*map(observation, SIZES))
    assert first_attempt(learned, 2, step(512, 1024, timeout_s=300)) == FirstAttempt(1024, 300)
    assert first_attempt(learned, 0.1, step(4096)).timeout_s == 900  # a few seconds tell nothing of a slow network


def test_smaller_inputs_than_all_need_as_much_as_the_smallest() -> None:
    learned = model(*(observation(size, memory=int(1000 * size)) for size in SIZES))
    assert first_attempt(learned, 0.001, step(4096)) == first_attempt(learned, 0.1, step(4096))


@pytest.mark.parametrize(
    ("tasks", "size", "spec", "lacks"),
    {
        "few": ([observation(1)] * 9, 1, step(4096), "expected 10 records of align 1.0 with 4 cores or more, found 9"),
        "fewer cores": (
            [observation(1, vcpus=2)] * 12,
            1,
            step(4096),
            "expected 10 records of align 1.0 with 4 cores or more, found 0 and 12 with fewer",
        ),
        "another version": (
            [replace(observation(1), version="0.9")] * 12,
            1,
            step(4096),
            "expected 10 records of align 1.0 with 4 cores or more, found 0, and some of 0.9",
        ),
        "far": (
            [observation(1)] * 12,
            2.1,
            step(4096),
            "expected inputs of at most 2 times the largest of the records, 1,000,000,000 bytes",
        ),
    }.values(),
)
def test_some_records_tell_nothing_of_a_first_attempt(
    tasks: list[Observation], size: float, spec: StepSpec, lacks: str
) -> None:
    learned = model(*tasks)
    assert learned.lacks(spec, int(size * GB)) == lacks
    assert learned.first_attempt(spec, features(size)) is None


def test_one_task_in_a_hundred_may_exceed_the_first_memory() -> None:
    """A new cohort of the same distribution, memory log-normal around 2 GiB and 1 GiB for each GB."""
    source = random.Random(7)

    def task() -> Observation:
        size = source.uniform(0.5, 3)
        return observation(size, memory=int((2048 + 1024 * size) * source.lognormvariate(0, 0.15)))

    learned = model(*(task() for _ in range(500)))
    new = [task() for _ in range(2000)]
    reserved = [first_attempt(learned, one.input_bytes / GB, step(65_536)).memory_mib for one in new]
    assert sum(one.peak_memory_mib > memory for one, memory in zip(new, reserved, strict=True)) < 20
    assert sum(reserved) < 1.6 * sum(one.peak_memory_mib for one in new)

"""Percentiles of the durations and memory of a stage's tasks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.report.stage_times import Distribution, TimesByStage


def of(numbers: list[float]) -> Distribution:
    distribution = Distribution()
    for number in numbers:
        distribution.add(number)
    return distribution


@settings(max_examples=50)
@given(numbers=st.lists(st.integers(0, 999), min_size=1), percent=st.sampled_from([1, 50, 95, 100]))
def test_a_percentile_is_the_number_of_that_rank(numbers: list[int], percent: int) -> None:
    """Numbers of three digits are not rounded, so that the percentile is one of them."""
    rank = math.ceil(percent * len(numbers) / 100)
    assert of(list(map(float, numbers))).percentile(percent) == sorted(numbers)[rank - 1]


@settings(max_examples=20)
@given(number=st.floats(1e-3, 1e7))
def test_rounding_changes_a_number_by_less_than_a_hundredth(number: float) -> None:
    assert of([number]).percentile(50) == pytest.approx(number, rel=0.005)


def test_a_million_durations_are_few_numbers() -> None:
    assert len(of([number / 7 for number in range(70_000)]).counts) < 5_000


def test_stages_without_tasks_have_no_times() -> None:
    assert TimesByStage().of(["alignment"]) == []
    with pytest.raises(ValueError, match="found none"):
        Distribution().percentile(50)

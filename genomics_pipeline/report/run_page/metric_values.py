"""The values of one metric over the samples of a run, their spread, and the samples that lie far from the others."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

from genomics_pipeline.model.metric_spec import GOOD, MetricSpec, reason_of

FAR = 3.5  # robust z-score of an outlier: Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993
NORMAL = 1.4826  # the standard deviation of a normal distribution, divided by its median absolute deviation
FEWEST = 8  # samples among which one can lie far from the others


@dataclass(frozen=True)
class Spread:
    """The spread of numbers.

    Attributes:
        count: How many there are.
        least: The least one.
        low: The first quartile.
        middle: The median.
        high: The third quartile.
        greatest: The greatest one.
        deviation: The median absolute deviation as a standard deviation, at least a step of the metric's format.
        step: The smallest difference that the metric's format shows.
    """

    count: int
    least: float
    low: float
    middle: float
    high: float
    greatest: float
    deviation: float
    step: float

    @property
    def is_flat(self) -> bool:
        """Return whether all numbers are equal, as far as the metric's format shows them."""
        return self.greatest - self.least < self.step

    def score(self, number: float) -> float:
        """Return the robust z-score of a number: how many deviations it is above the median, below if negative."""
        return (number - self.middle) / self.deviation if self.count >= FEWEST else 0.0


@dataclass(eq=False)
class MetricValues:
    """The values of a metric of a stage.

    Attributes:
        stage: The stage.
        spec: The metric.
        numbers: The number of each sample; NaN where there is none.
        words: What is no number, by sample.
        verdicts: The verdicts that are not good, by sample.
        reasons: Their reasons, where the step gives some.
    """

    stage: str
    spec: MetricSpec
    numbers: array[float] = field(default_factory=lambda: array("d"))
    words: dict[int, str] = field(default_factory=dict)
    verdicts: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look once whether the metric has bounds."""
        self._is_judged = self.spec.has_bounds

    @property
    def key(self) -> str:
        """Return the name of the metric in the run, such as ``alignment.reads``."""
        return f"{self.stage}.{self.spec.name}"

    @property
    def is_measured(self) -> bool:
        """Return whether any sample has a value."""
        return bool(self.words) or self.spread is not None

    def add(self, value: Any) -> None:
        """Add the value of the next sample, as its step wrote it; None for none."""
        if not self._is_judged and type(value) in (int, float) and math.isfinite(value):  # as nearly all are
            self.numbers.append(value)
            return
        index = len(self.numbers)
        verdict = self.spec.verdict(value)
        if verdict is not None and verdict != GOOD:
            self.verdicts[index] = verdict
            if reason := reason_of(value):
                self.reasons[index] = reason
        inner = value.get("value") if isinstance(value, Mapping) else value
        if isinstance(inner, int | float) and not isinstance(inner, bool) and math.isfinite(inner):
            self.numbers.append(inner)
            return
        self.numbers.append(math.nan)
        if isinstance(inner, str | bool):
            self.words[index] = str(inner)

    def fill(self, count: int) -> None:
        """Add no values for samples until there are so many."""
        self.numbers.extend([math.nan] * (count - len(self.numbers)))

    def number(self, index: int) -> float | None:
        """Return the number of a sample; None where there is none."""
        number = self.numbers[index]
        return None if math.isnan(number) else number

    def text(self, index: int) -> str:
        """Return the value of a sample for people."""
        number = self.number(index)
        if number is None:
            return self.words.get(index, self.spec.text(None))
        return self.shown(number)

    def shown(self, number: float) -> str:
        """Return a number as the metric is shown, without its unit."""
        return self.spec.text(int(number) if self.spec.format == "," and number.is_integer() else number)

    def with_unit(self, number: float) -> str:
        """Return a number as the metric is shown, with its unit."""
        return f"{self.shown(number)} {self.spec.unit}".rstrip()

    @cached_property
    def ordered(self) -> Sequence[float]:
        """Return the numbers in their order."""
        return sorted(number for number in self.numbers if not math.isnan(number))

    @cached_property
    def spread(self) -> Spread | None:
        """Return the spread of the numbers; None where there are none."""
        numbers = self.ordered
        if not numbers:
            return None
        middle = median(numbers)
        deviation = NORMAL * median(abs(number - middle) for number in numbers)
        low, high = (numbers[round((len(numbers) - 1) * share)] for share in (0.25, 0.75))
        step = format_step(self.spec.format)
        return Spread(len(numbers), numbers[0], low, middle, high, numbers[-1], max(deviation, step), step)

    def far(self) -> Iterator[tuple[int, float]]:
        """Yield the samples that lie far from the others, with their robust z-scores."""
        if self.spread is None or self.spread.count < FEWEST:
            return
        middle, least = self.spread.middle, FAR * self.spread.deviation
        for index, number in enumerate(self.numbers):
            if abs(number - middle) >= least:
                yield index, self.spread.score(number)


def format_step(form: str) -> float:
    """Return the smallest difference that a format of numbers shows.

    >>> format_step(","), format_step(".1f"), format_step(".2%")
    (1.0, 0.1, 0.0001)
    """
    if form == ",":
        return 1.0
    return float(f"1e-{int(form[-2]) + (2 if form.endswith('%') else 0)}")

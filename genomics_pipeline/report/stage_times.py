"""Durations and peak memory of the tasks of each stage: percentiles in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from genomics_pipeline.records.completion import CompletionRecord


@dataclass(slots=True)
class Distribution:
    """Numbers of which percentiles are asked; each is rounded to three digits, so that few distinct ones are kept."""

    counts: Counter[float] = field(default_factory=Counter)

    def add(self, number: float) -> None:
        """Add a number."""
        self.counts[float(f"{number:.3g}")] += 1

    def percentile(self, percent: float) -> float:
        """Return the smallest number that at least so many percent of all do not exceed: the nearest-rank method.

        Args:
            percent: The percentage, above 0.

        >>> numbers = Distribution(Counter([1, 2, 3, 4, 50]))
        >>> numbers.percentile(50), numbers.percentile(95)
        (3, 50)
        """
        left = math.ceil(percent / 100 * self.counts.total())
        for number in sorted(self.counts):
            left -= self.counts[number]
            if left <= 0:
                return number
        raise ValueError("expected numbers, found none")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The 50th and the 95th percentile of some numbers."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class StageTimes:
    """The tasks of a stage that are done.

    Attributes:
        stage: The stage.
        tasks: The number of its tasks.
        seconds: Of their durations, staging included.
        peak_memory_mib: Of their greatest memory.
    """

    stage: str
    tasks: int
    seconds: Percentiles
    peak_memory_mib: Percentiles

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return asdict(self)


class TimesByStage:
    """The durations and memory of tasks by stage, gathered from completion records that are read for another reason."""

    def __init__(self) -> None:
        self._seconds: dict[str, Distribution] = {}
        self._memory: dict[str, Distribution] = {}

    def add(self, records: Iterable[CompletionRecord]) -> None:
        """Add the records of some tasks."""
        for record in records:
            self._seconds.setdefault(record.stage, Distribution()).add(record.seconds)
            self._memory.setdefault(record.stage, Distribution()).add(record.peak_memory_mib)

    def of(self, stages: Iterable[str]) -> list[StageTimes]:
        """Return the times of those of the stages that have tasks, in the order of the stages."""
        return [
            StageTimes(
                stage,
                self._seconds[stage].counts.total(),
                _percentiles(self._seconds[stage]),
                _percentiles(self._memory[stage]),
            )
            for stage in stages
            if stage in self._seconds
        ]


def _percentiles(numbers: Distribution) -> Percentiles:
    return Percentiles(numbers.percentile(50), numbers.percentile(95))

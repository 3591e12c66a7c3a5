"""Samples that stand out: those that failed, are bad by the bounds of a metric, or lie far from the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.model.metric_spec import BAD
from genomics_pipeline.report.run_page.distribution import bounds_words
from genomics_pipeline.report.run_page.metric_values import MetricValues
from genomics_pipeline.report.run_page.run_report import FAILED, STATES, RunReport

_WEIGHTS = {FAILED: 1e6, BAD: 1e3, "warn": 1.0}
FARTHEST = 100.0  # a score beyond says no more


@dataclass(slots=True)
class Outstanding:
    """A sample that stands out.

    Attributes:
        index: Its number.
        weight: How much it does.
        reasons: Why, in words.
    """

    index: int
    weight: float = 0.0
    reasons: list[str] = field(default_factory=list)


def outstanding(report: RunReport) -> list[Outstanding]:
    """Return the samples that stand out, first the one that does most."""
    found: defaultdict[int, Outstanding] = defaultdict(lambda: Outstanding(-1))
    for index, weight, reason in _reasons(report):
        one = found[index]
        one.index = index
        one.weight += weight
        one.reasons.append(reason)
    return sorted(found.values(), key=lambda one: (-one.weight, one.index))


def _reasons(report: RunReport) -> Iterator[tuple[int, float, str]]:
    """Yield each reason for which a sample stands out, with the sample and its weight."""
    messages = {one.item: one for group in report.failures for one in group.shown}
    failed = STATES.index(FAILED)
    for index, state in enumerate(report.states):
        if state == failed:
            known = messages.get(report.samples[index])
            words = f"failed in {known.stage}: {known.message}" if known else "failed"
            yield index, _WEIGHTS[FAILED], words.partition("\n")[0]
    for column in report.columns:
        scores = dict(column.far())
        for index, verdict in column.verdicts.items():
            score = min(abs(scores.pop(index, 0.0)), FARTHEST)
            yield index, _WEIGHTS[verdict] + score, _verdict_words(column, index, verdict)
        for index, score in scores.items():
            yield index, min(abs(score), FARTHEST), _far_words(column, index, score)


def _verdict_words(column: MetricValues, index: int, verdict: str) -> str:
    name = "bad" if verdict == BAD else "doubtful"
    reason = column.reasons.get(index) or bounds_words(column.spec)
    number = column.number(index)
    value = column.text(index) if number is None else column.with_unit(number)
    return f"{column.spec.title}: {value} is {name}" + (f" ({reason})" if reason else "")


def _far_words(column: MetricValues, index: int, score: float) -> str:
    number, spread = column.number(index), column.spread
    if number is None or spread is None:
        return ""
    side = "above" if score > 0 else "below"
    middle = f"the median of {column.with_unit(spread.middle)}"
    return f"{column.spec.title}: {column.with_unit(number)} is {abs(score):.1f} deviations {side} {middle}"


def worst_first(report: RunReport, found: Sequence[Outstanding]) -> Iterator[int]:
    """Yield every sample, first those that stand out.

    Args:
        report: The report.
        found: The samples that stand out, in their order.
    """
    known = {one.index for one in found}
    yield from (one.index for one in found)
    yield from (index for index in range(len(report.samples)) if index not in known)

"""The costs of a run as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from genomics_pipeline.planning.run_cost import CostTally, ItemCost, RunCost, SpentLine

_STAGE = "{:<22} {:>8} {:>12}"
_DOLLARS = " {:>12} {:>12}"
_HOURS = " {:>12} {:>7}"
_LINE = "{:<32} {:>16} {:<18} {:>12} {}"
_PLANNED = "{:<32} {:>16} {:<18} {:>12} {:>12} {:>7} {}"


def cost_text(cost: RunCost) -> Iterator[str]:
    """Yield the lines of the report for people; without dollars where nothing has a price."""
    hours = cost.predicted.core_hours
    heading = "" if hours is None else _HOURS.format("planned", "ratio")
    yield (_tally_row(cost, "stage", "tasks", "core-hours", "dollars", "a task") + heading).rstrip()
    for stage, one in cost.stages.items():
        row = _tally_row(cost, stage, *_numbers(one), dollar_words(one.dollars / one.tasks))
        yield (row + _planned_hours(hours, stage, one.core_hours)).rstrip()
    if cost.wasted.tasks:
        yield _tally_row(cost, "failed attempts", *_numbers(cost.wasted), "").rstrip()
    yield from _partition_lines(cost)
    if cost.is_priced:
        yield from _spent_lines(cost)
    yield from (f"not counted: {one}" for one in cost.not_counted)


def _numbers(one: CostTally) -> tuple[str, str, str]:
    return f"{one.tasks:,}", f"{one.core_hours:,.3f}", dollar_words(one.dollars)


def _tally_row(cost: RunCost, name: str, tasks: str, hours: str, dollars: str, each: str) -> str:
    return _STAGE.format(name, tasks, hours) + (_DOLLARS.format(dollars, each) if cost.is_priced else "")


def _spent_lines(cost: RunCost) -> Iterator[str]:
    yield ""
    yield _heading(cost)
    yield from (_line(cost, line) for line in cost.lines)
    if cost.wasted.dollars:
        yield _row(cost, "failed attempts", "", "", cost.wasted.dollars, "")
    yield _row(cost, "total", "", "", cost.dollars, spread_words(cost))


def _partition_lines(cost: RunCost) -> Iterator[str]:
    """Yield the core-hours by the partition of a cluster, failed attempts included; none for other runs."""
    if cost.partitions:
        yield ""
        yield _tally_row(cost, "partition", "tasks", "core-hours", "dollars", "").rstrip()
    for partition, one in sorted(cost.partitions.items()):
        yield _tally_row(cost, partition, *_numbers(one), "").rstrip()


def _planned_hours(hours: Mapping[str, float] | None, stage: str, spent: float) -> str:
    """Return the planned core-hours of a stage, and the ratio of the spent ones to them; nothing without a plan."""
    planned = (hours or {}).get(stage)
    return "" if not planned else _HOURS.format(f"{planned:,.3f}", f"{spent / planned:.2f}")


def _heading(cost: RunCost) -> str:
    if cost.predicted.dollars is None:
        return _LINE.format("line", "count", "unit", "dollars", "prices of")
    return _PLANNED.format("line", "count", "unit", "dollars", "planned", "ratio", "prices of")


def _line(cost: RunCost, one: SpentLine) -> str:
    dates = ", ".join(one.dates) + ("" if one.verified else ", not verified")
    return _row(cost, one.name, _count_words(one.count), one.unit, one.dollars, dates)


def _count_words(count: float) -> str:
    """Return a number with six digits that count, and never with an exponent.

    >>> _count_words(1234567.0), _count_words(0.25), _count_words(3.94444e-05), _count_words(12)
    ('1,234,567', '0.25', '0.000039', '12')
    """
    shown = f"{count:,.6g}"
    return f"{count:,.{6 if count < 1 else 0}f}" if "e" in shown else shown


def _row(cost: RunCost, name: str, count: str, unit: str, dollars: float, note: str) -> str:
    if cost.predicted.dollars is None:
        return _LINE.format(name, count, unit, dollar_words(dollars), note).rstrip()
    planned = _planned(cost, name)
    shown = "" if planned is None else dollar_words(planned)
    ratio = f"{dollars / planned:.2f}" if planned else ""
    return _PLANNED.format(name, count, unit, dollar_words(dollars), shown, ratio, note).rstrip()


def _planned(cost: RunCost, name: str) -> float | None:
    """Return the dollars that a run's plan has for a line, or for all lines together."""
    predicted = cost.predicted.dollars or {}
    return sum(predicted.values()) if name == "total" else predicted.get(name)


def spread_words(cost: RunCost) -> str:
    """Return the range of the costs in words; empty where prices do not differ."""
    low, high = _bounds(cost)
    return "" if low == high else f"{dollar_words(low)} to {dollar_words(high)} with low and high Spot prices"


def _bounds(cost: RunCost) -> tuple[float, float]:
    wasted = cost.wasted
    return sum(one.low for one in cost.lines) + wasted.low, sum(one.high for one in cost.lines) + wasted.high


def dollar_words(value: float) -> str:
    """Return US dollars, with more digits where they are few."""
    return f"{value:,.2f}" if value >= 100 else f"{value:,.4f}"


def item_text(one: ItemCost) -> str:
    """Return the line of an item."""
    stages = ", ".join(f"{stage} {dollar_words(cost.dollars)}" for stage, cost in one.stages.items())
    return f"{one.item}  {dollar_words(sum(cost.dollars for cost in one.stages.values()))}  {stages}"


def item_json(one: ItemCost) -> dict[str, Any]:
    """Return the object that ``--items --json`` prints for an item."""
    return {"item": one.item, "scope": one.scope, "stages": _tallies(one.stages)}


def cost_json(cost: RunCost) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    low, high = _bounds(cost)
    predicted = {"total": _planned(cost, "total"), "by_line": dict(cost.predicted.dollars or {})}
    hours = cost.predicted.core_hours
    return {
        "run": cost.run,
        "stages": _tallies(cost.stages),
        "waste": _tallies(cost.waste),
        **({"partitions": _tallies(cost.partitions)} if cost.partitions else {}),
        "dollars": {
            "total": cost.dollars,
            "low": low,
            "high": high,
            "lines": [asdict(one) for one in cost.lines],
        },
        **({} if cost.predicted.dollars is None else {"predicted": predicted}),
        **({} if hours is None else {"predicted_core_hours": dict(hours)}),
        "not_counted": list(cost.not_counted),
    }


def _tallies(tallies: Mapping[str, CostTally]) -> dict[str, Any]:
    return {stage: asdict(one) for stage, one in tallies.items()}

"""The lines of a dashboard's graphs: metrics, searches and the one form of metric math that the dashboard uses.

Sources: CloudWatch user guide, "Using metric math", "CloudWatch search expression syntax" and "Dashboard Body Structure
and Syntax". A form that is not known here is an error, not an empty graph.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.dashboard.recording import Recording, Series

Values = list[float | None]  # one for each period; None where there are no data
_SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]+)\} (?P<terms>.*)', '(?P<stat>\w+)', \d+\)")
_TERM = re.compile(r'(?P<no>NOT )?(?:(?P<name>\w+)=)?(?:\((?P<any>[^)]+)\)|"(?P<one>[^"]*)")\s*')
_RUNNING_SUM = re.compile(r"RUNNING_SUM\((FILL\(\w+,0\)(?:-FILL\(\w+,0\))*)\)")
_WORDS = re.compile(r"[A-Z][a-z]*|[a-z]+")  # of a metric's name, which searches find one by one


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a graph."""

    label: str
    values: Values


def graph_lines(properties: Mapping[str, Any], recording: Recording) -> list[Line]:
    """Return the visible lines of a metric widget that have data.

    Args:
        properties: The properties of the widget.
        recording: The recorded run.

    Raises:
        ValueError: for an expression of an unknown form.
    """
    values: dict[str, Values] = {}
    lines: list[Line] = []
    for metric in properties["metrics"]:
        options = metric[-1] if isinstance(metric[-1], dict) else {}
        if "expression" not in options:
            found = _of_metric(metric, properties["stat"], recording)
            values[options.get("id", "")] = found
            lines += [Line(options.get("label", metric[1]), found)] if options.get("visible", True) else []
        elif match := _SEARCH.fullmatch(options["expression"]):
            lines += search(match["schema"], match["terms"], match["stat"], recording)
        elif match := _RUNNING_SUM.fullmatch(options["expression"]):
            lines.append(Line(options["label"], _running_sum(re.findall(r"FILL\((\w+),0\)", match[1]), values)))
        else:
            raise ValueError(f"expected a search or a running sum, found {options['expression']}")
    return [line for line in lines if any(value is not None for value in line.values)]


def _of_metric(metric: Sequence[Any], stat: str, recording: Recording) -> Values:
    namespace, name, *rest = (part for part in metric if not isinstance(part, dict))
    dimensions = dict(zip(rest[::2], rest[1::2], strict=True))
    (found, *_) = [
        *(
            one
            for one in recording.series
            if (one.namespace, one.name, one.dimensions) == (namespace, name, dimensions)
        ),
        Series(namespace, name, dimensions, []),
    ]
    return statistic(found, stat, recording)


def search(schema: str, terms: str, stat: str, recording: Recording) -> list[Line]:
    """Return one line for each metric that a search finds.

    Args:
        schema: The namespace and the names of the dimensions, with commas between them.
        terms: The terms, all of which must hold.
        stat: The statistic.
        recording: The recorded run.

    Raises:
        ValueError: for a term of an unknown form.
    """
    namespace, *names = schema.split(",")
    conditions = [_condition(term) for term in _split(terms)]
    found = [
        one
        for one in recording.series
        if one.namespace == namespace
        and set(one.dimensions) == set(names)
        and all(condition(one) for condition in conditions)
    ]
    parts = [[*(one.dimensions[name] for name in names), one.name] for one in found]
    telling = [number for number in range(len(names) + 1) if len({part[number] for part in parts}) > 1]
    labels = [" ".join(part[number] for number in telling or [0]) for part in parts]
    return [Line(label, statistic(one, stat, recording)) for label, one in zip(labels, found, strict=True)]


def _split(terms: str) -> list[re.Match[str]]:
    found = list(_TERM.finditer(terms))
    if "".join(match[0] for match in found) != terms:
        raise ValueError(f"expected terms of a search, found {terms}")
    return found


def _condition(term: re.Match[str]) -> Callable[[Series], bool]:
    """Return whether a metric fulfils a term: a value of `MetricName` or of a dimension, or words of a name."""
    expected = {word.strip('" ') for word in term["any"].split(" OR ")} if term["any"] else {term["one"]}

    def holds(series: Series) -> bool:
        if term["name"] is None:
            return bool(expected & set(_WORDS.findall(series.name)))
        return (series.name if term["name"] == "MetricName" else series.dimensions.get(term["name"])) in expected

    return lambda series: holds(series) != bool(term["no"])


def _running_sum(ids: Sequence[str], values: Mapping[str, Values]) -> Values:
    """Return the running sum of the first metric less all others; no data where none of them has any."""
    if not any(value is not None for one in ids for value in values[one]):
        return []
    total, sums = 0.0, Values()
    for first, *others in zip(*(values[one] for one in ids), strict=True):
        total += (first or 0) - sum(value or 0 for value in others)
        sums.append(total)
    return sums


def statistic(series: Series, stat: str, recording: Recording) -> Values:
    """Return a statistic of each period of the run.

    Args:
        series: The metric.
        stat: ``Sum``, ``Maximum`` or a percentile such as ``p90``.
        recording: The recorded run.
    """
    periods: list[list[float]] = [[] for _ in range(math.ceil(recording.seconds / recording.period_s))]
    for at, value in series.points:
        periods[min(int(at / recording.period_s), len(periods) - 1)].append(value)
    return [_of_period(sorted(values), stat) if values else None for values in periods]


def _of_period(values: Sequence[float], stat: str) -> float:
    if stat in ("Sum", "Maximum"):
        return sum(values) if stat == "Sum" else values[-1]
    place = (len(values) - 1) * int(stat.removeprefix("p")) / 100
    low, rest = int(place), place % 1
    return values[low] + rest * (values[min(low + 1, len(values) - 1)] - values[low])

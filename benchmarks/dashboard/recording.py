"""A recorded run: the lines of its tasks, and the metrics that AWS's services would have of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "dashboard.json"
Point = tuple[float, float]  # seconds since the run began, and a value


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one metric of CloudWatch.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        dimensions: The values of its dimensions by their names.
        points: The values in the order of their times.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Recording:
    """The recorded run.

    Attributes:
        seconds: Its duration.
        period_s: The length of the periods of its statistics.
        log: The lines of its tasks in the embedded metric format, with ``@timestamp`` and ``@logStream``.
        series: All metrics: those of AWS's services, and those that CloudWatch Logs makes of the lines.
    """

    seconds: float
    period_s: int
    log: Sequence[Mapping[str, Any]]
    series: Sequence[Series]


def read_recording(file: Path = FILE) -> Recording:
    """Return the recorded run in a file."""
    recorded = json.loads(file.read_text("utf-8"))
    series = [
        Series(one["namespace"], one["name"], one["dimensions"], [(at, value) for at, value in one["points"]])
        for one in recorded["series"]
    ]
    series += embedded_metrics(recorded["log"])
    return Recording(recorded["seconds"], recorded["period_s"], recorded["log"], series)


def embedded_metrics(log: Sequence[Mapping[str, Any]]) -> Iterator[Series]:
    """Yield the metrics in lines of the embedded metric format, as CloudWatch Logs makes them."""
    points: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[Point]] = defaultdict(list)
    for line in log:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple((name, line[name]) for name in names)
                for metric in directive["Metrics"]:
                    key = (directive["Namespace"], metric["Name"], dimensions)
                    points[key].append((line["@timestamp"], line[metric["Name"]]))
    for (namespace, name, dimensions), values in sorted(points.items()):
        yield Series(namespace, name, dict(dimensions), sorted(values))

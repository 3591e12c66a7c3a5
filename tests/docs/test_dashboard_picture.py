"""The picture of the dashboard in docs/aws.md: drawn from the dashboard of the template and a recorded run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.dashboard.logs import query_table
from benchmarks.dashboard.picture import PICTURE, dashboard_widgets, picture
from benchmarks.dashboard.query import graph_lines, search, statistic
from benchmarks.dashboard.recording import Recording, Series, read_recording
from genomics_pipeline.model import metrics
from genomics_pipeline.worker import emf

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOT_COUNTED = {"vCPUs of the account"}  # by the fakes


@cache
def recording() -> Recording:
    return read_recording()


@cache
def widgets() -> list[dict[str, Any]]:
    return dashboard_widgets()


def test_the_picture_is_that_of_the_dashboard_and_the_recording() -> None:
    assert picture(widgets(), recording()) == PICTURE.read_text("utf-8"), "run: python -m benchmarks.dashboard.picture"
    assert "](pictures/dashboard.svg)" in (DOCS / "aws.md").read_text("utf-8")


def test_each_graph_and_table_finds_its_metrics_in_the_recording() -> None:
    empty = set()
    for widget in widgets():
        properties = widget["properties"]
        is_table = widget["type"] == "log"
        found: Sequence[Any] = (
            query_table(properties["query"], recording().log).rows if is_table else graph_lines(properties, recording())
        )
        empty |= set() if found else {properties["title"]}
    assert empty == NOT_COUNTED, "a metric was renamed? run: make dashboard-picture"


def test_the_recorded_lines_have_the_metrics_and_dimensions_of_the_worker() -> None:
    recorded = {(one.name, tuple(one.dimensions)) for one in recording().series if one.namespace == metrics.NAMESPACE}
    of_jobs = {metrics.QUEUE_WAIT, metrics.LOST_HOSTS}
    expected = {(name, metrics.BY_STAGE if name in of_jobs else metrics.DIMENSIONS) for name in emf.UNITS}
    assert recorded == expected


def small(*series: Series) -> Recording:
    return Recording(20, 10, [], series)


def test_statistics_of_periods() -> None:
    series = Series("N", "M", {}, [(1, 4), (2, 1), (3, 2), (3, 3), (15, 7)])
    values = {stat: statistic(series, stat, small()) for stat in ("Sum", "Maximum", "p50", "p90")}
    assert values == {"Sum": [10, 7], "Maximum": [4, 7], "p50": [2.5, 7], "p90": [pytest.approx(3.7), 7]}
    assert statistic(Series("N", "M", {}, [(15, 7)]), "Sum", small()) == [None, 7]


def test_a_search_finds_names_words_and_dimensions() -> None:
    made = [
        Series("N", name, {"Queue": queue}, [(1, 1)])
        for name in ("JobsMovedToRunning", "JobAttemptDuration")
        for queue in ("spot", "on-demand", "foreign")
    ]
    ours = 'Queue=("spot" OR "on-demand")'

    def labels(terms: str) -> list[str]:
        return [line.label for line in search("N,Queue", terms, "Sum", small(*made))]

    assert labels(f"{ours} NOT (Duration OR Time)") == ["spot", "on-demand"]
    assert labels(f"{ours} (Duration OR Time)") == ["spot", "on-demand"]
    assert labels('NOT Queue="foreign" MetricName="JobAttemptDuration"') == ["spot", "on-demand"]
    assert labels('Queue="spot"') == ["JobsMovedToRunning", "JobAttemptDuration"]
    assert search("N", ours, "Sum", small(*made)) == []  # of other dimensions
    with pytest.raises(ValueError, match="expected terms of a search"):
        labels("Queue:spot")


def test_what_the_picture_cannot_evaluate_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected a search or a running sum, found ANOMALY"):
        graph_lines({"metrics": [[{"expression": "ANOMALY_DETECTION_BAND(m1)"}]], "stat": "Sum"}, small())
    with pytest.raises(ValueError, match="expected a query of the dashboard, found fields @message"):
        query_table("SOURCE 'log' | fields @message", [])

"""Metrics in a report: their distributions by stage, the values of the cohort, and the table of samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import Any
from xml.etree.ElementTree import Element

from genomics_pipeline.model.metric_spec import BAD, COHORT, GOOD, QUALITY, WARN, reason_of
from genomics_pipeline.report.html_page import element, section, table
from genomics_pipeline.report.run_page.distribution import distribution
from genomics_pipeline.report.run_page.metric_values import MetricValues
from genomics_pipeline.report.run_page.run_report import STATES, CohortMetric, RunReport
from genomics_pipeline.report.run_page.verdict_section import SHOWN, scrolled

SHOWN_ROWS = 50  # of a metric that is a list
POINTS = 2000  # of a scatter plot without JavaScript
SIDE = 320  # of a scatter plot in pixels


def quality_section(report: RunReport) -> Element | None:
    """Return the distributions of the metrics of samples by stage; None where there are none."""
    parts = list(_by_stage(report, QUALITY))
    return _with_id("quality", section("Quality control", *parts)) if parts else None


def cohort_section(report: RunReport) -> Element | None:
    """Return the metrics of the cohort, and those of samples that are about the cohort; None where there are none."""
    parts = [*_cohort_values(report.cohort), *_by_stage(report, COHORT)]
    return _with_id("cohort", section("Cohort", *parts)) if parts else None


def _by_stage(report: RunReport, name: str) -> Iterator[Element]:
    columns = [one for one in report.columns if one.spec.section == name]
    for stage in dict.fromkeys(one.stage for one in columns):
        own = [one for one in columns if one.stage == stage]
        figures = [distribution(one, report.samples) for one in own]
        by_name = {one.spec.name: one for one in own}
        figures += [
            scatter(one, by_name[one.spec.against])
            for one in own
            if one.spec.against in by_name and one.spread and by_name[one.spec.against].spread
        ]
        yield element("h3", stage)
        yield element("div", *figures, class_="metrics")


def scatter(values: MetricValues, against: MetricValues) -> Element:
    """Return a metric drawn against another one, a point for each of the first samples.

    Args:
        values: The metric of the vertical axis.
        against: The metric of the horizontal axis.
    """
    words = f"{values.spec.heading} against {against.spec.heading}"
    one, two = against.spread, values.spread
    points = []
    for x, y in zip(against.numbers[:POINTS], values.numbers[:POINTS], strict=True):
        if one is not None and two is not None and not isnan(x + y):
            left = (x - one.least) / ((one.greatest - one.least) or 1) * (SIDE - 20) + 10
            top = SIDE - 10 - (y - two.least) / ((two.greatest - two.least) or 1) * (SIDE - 20)
            points.append(f"M{left:.1f} {top:.1f}h0")
    drawn = element("path", class_="points", d="".join(points))
    frame = element("path", class_="frame", d=f"M1 1V{SIDE - 1}H{SIDE - 1}")
    picture = element("svg", frame, drawn, viewBox=f"0 0 {SIDE} {SIDE}", class_="scatter", role="img", aria_label=words)
    ends = [
        f"{spec.title}: {column.with_unit(column.spread.least)} to {column.with_unit(column.spread.greatest)}"
        for spec, column in ((against.spec, against), (values.spec, values))
        if column.spread
    ]
    caption = element("figcaption", element("h4", words))
    return element("figure", caption, picture, *(element("p", end, class_="figures") for end in ends), class_="metric")


def _cohort_values(metrics: Sequence[CohortMetric]) -> Iterator[Element]:
    rows = [_cohort_row(one) for one in metrics if not isinstance(one.value, list)]
    if rows:
        heads = ("stage", "metric", "value", "verdict", "meaning, or reason of the verdict")
        yield scrolled(table(heads, rows, [2]), "Metrics of the cohort")
    for one in metrics:
        if isinstance(one.value, list):
            yield from _list_metric(one)


def _cohort_row(one: CohortMetric) -> tuple[Element | str, ...]:
    verdict = one.spec.verdict(one.value)
    reason = reason_of(one.value) or one.spec.summary
    return one.stage, one.spec.heading, one.spec.text(one.value), _verdict(verdict), reason


def _verdict(verdict: str | None) -> Element | str:
    words = {GOOD: "good", WARN: "doubtful", BAD: "bad"}
    return element("span", words[verdict], class_=verdict) if verdict in words else ""


def _list_metric(one: CohortMetric) -> Iterator[Element]:
    """Yield a metric that is a list of objects as a table; of an empty one, a sentence."""
    rows = [row for row in one.value if isinstance(row, Mapping)]
    yield element("h4", one.spec.title)
    if one.spec.summary:
        yield element("p", one.spec.summary, class_="note")
    if not rows:
        yield element("p", "None.")
        return
    heads = list(dict.fromkeys(str(key) for row in rows[:SHOWN_ROWS] for key in row))
    cells = [[_cell(row.get(head)) for head in heads] for row in rows[:SHOWN_ROWS]]
    yield scrolled(table(heads, cells), one.spec.title)
    if len(rows) > SHOWN_ROWS:
        yield element("p", f"And {len(rows) - SHOWN_ROWS:,} more.", class_="note")


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int | float) else str(value)


def samples_section(report: RunReport, order: Sequence[int]) -> Element:
    """Return the table of samples that works without JavaScript: the first ones in an order.

    Args:
        report: The report.
        order: The numbers of the samples.
    """
    columns = [one for one in report.columns if one.spec.table]
    heads = ["sample", "state", *(one.spec.heading for one in columns)]
    rows = [
        (report.samples[index], _state(report.states[index]), *(_value(one, index) for one in columns))
        for index in order[:SHOWN]
    ]
    shown = scrolled(table(heads, rows, range(2, len(heads))), "Samples")
    total = len(report.samples)
    words = "All samples." if len(rows) == total else f"The worst {len(rows):,} of {total:,} samples."
    static = element("div", element("p", words, class_="note"), shown, id="samples-static")
    return _with_id("samples", section("Samples", static, element("div", id="samples-table", hidden="")))


def _state(state: int) -> Element:
    return element("span", STATES[state], class_=STATES[state])


def _value(column: MetricValues, index: int) -> Element | str:
    verdict = column.verdicts.get(index)
    return element("span", f"{column.text(index)} {verdict}", class_=verdict) if verdict else column.text(index)


def _with_id(id_: str, made: Element) -> Element:
    made.set("id", id_)
    return made

"""The HTML pages of plans: of runs on AWS, on this machine, and over records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from genomics_pipeline.planning.limits import REFUSES, Usage
from genomics_pipeline.planning.local_plan import LocalPlan
from genomics_pipeline.planning.plan import Plan
from genomics_pipeline.planning.record_plan import RecordRunPlan
from genomics_pipeline.planning.resource_model import Quantiles
from genomics_pipeline.planning.savings import PricedChange
from genomics_pipeline.planning.what_if import SWITCHES
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.html_page import (
    TimelineBar,
    element,
    explanation,
    page,
    section,
    share_bar,
    table,
    timeline,
)
from genomics_pipeline.report.local_plan_table import local_explanations, local_plan_lines, local_title
from genomics_pipeline.report.plan_explanation import explanations
from genomics_pipeline.report.plan_table import (
    count_rows,
    left_words,
    limit_number,
    plan_title,
    stopped_words,
    sum_of,
    total_dollars,
    used_number,
)
from genomics_pipeline.report.record_plan_table import record_explanations, record_plan_lines
from genomics_pipeline.report.savings_table import NONE, savings_rows


def plan_page(plan: Plan) -> str:
    """Return the page of a run on AWS."""
    counts = table(("", "number", ""), ((name, f"{number:,}", note) for name, number, note in count_rows(plan)), [1])
    return page(
        plan_title(plan),
        *_verdict(plan),
        section("Counts", counts),
        section("Duration", *_durations(plan)),
        section("Limits", _limits(plan)),
        section("Dollars", _dollars(plan)),
        section("Other choices", *_comparison(plan)),
        section("Changes that would save most", *_savings(plan.savings)),
        section("Rests on", *(element("p", note) for note in plan.assumptions)),
        section("Where each figure comes from", *explanation(explanations(plan))),
    )


def local_plan_page(plan: LocalPlan) -> str:
    """Return the page of a run on this machine."""
    spans = [TimelineBar(one.stage, one.first_s, one.last_s, f"{one.jobs:,} jobs") for one in plan.timeline]
    return page(
        local_title(plan),
        section("Timeline", timeline(spans, plan.duration_s.p50)),
        section("Figures", _screen(list(local_plan_lines(plan))[1:])),
        section("Where each figure comes from", *explanation(local_explanations(plan))),
    )


def record_plan_page(plan: RecordRunPlan) -> str:
    """Return the page of a run over records."""
    first, *others = record_plan_lines(plan)
    return page(
        first,
        section("Figures", _screen(others)),
        section("Changes that would save most", *_savings(plan.savings)),
        section("Where each figure comes from", *explanation(record_explanations(plan))),
    )


def _savings(savings: Sequence[PricedChange]) -> Iterator[Element]:
    if savings:
        yield table(("", "dollars", "change", ""), savings_rows(savings), [1])
    else:
        yield element("p", NONE)


def _screen(lines: list[str]) -> Element:
    """Return lines of a screen, in columns of its own."""
    return element("pre", *(element("span", line or " ") for line in lines))


def _verdict(plan: Plan) -> Iterator[Element]:
    """Yield what a reader wants to know first: what it takes, whether it fails, and what fails next."""
    words = f"{duration(plan.duration_s.p50)} and ${total_dollars(plan, 'dollars'):,.2f}"
    failing = [one.name for one in plan.usages if one.effect == REFUSES and one.exceeded]
    if plan.stopped or plan.counts.status != "SUCCEEDED":
        words += ". It fails: more items fail than are tolerated."
    elif failing:
        words += f". It fails, since these limits are exceeded: {', '.join(failing)}."
    else:
        words += ", within all limits that fail a run."
    yield element("p", words, class_="verdict")
    if plan.first is None:
        yield element("p", "More samples would exceed no limit.")
    else:
        yield element("p", f"The first limit to break: {plan.first.name}, from {plan.first.samples:,} samples on.")


def _quantiles(name: str, times: Quantiles) -> tuple[str, ...]:
    return (name, *(duration(getattr(times, one)) for one in ("p10", "p50", "p90")))


def _durations(plan: Plan) -> Iterator[Element]:
    rows = [_quantiles("duration", plan.duration_s)]
    if plan.sample_s is not None:
        rows.append(_quantiles("of a sample", plan.sample_s))
    yield table(("", "p10", "p50", "p90"), rows, (1, 2, 3))
    if plan.stopped:
        yield element("p", stopped_words(plan))
    spans = []
    for one in plan.timeline:
        waits = f", {duration(one.waited_s)} in the queue" if one.waited_s >= 1 else ""
        note = f"{one.jobs:,} × {duration(one.job_s)}{waits}"
        spans.append(TimelineBar(one.stage, one.first_s, one.last_s, note))
    yield timeline(spans, plan.duration_s.p50)


def _limits(plan: Plan) -> Element:
    def row(one: Usage) -> tuple[Element | str, ...]:
        share, left = 1 - one.headroom, left_words(one)
        bar = share_bar(share, f"{share:.0%} used")
        return one.name, used_number(one), limit_number(one), one.unit, bar, left, one.source

    rows = [row(one) for one in sorted(plan.usages, key=lambda one: one.headroom)]
    return table(("limit", "used", "limit", "unit", "", "left", "source"), rows, (1, 2))


def _dollars(plan: Plan) -> Element:
    def row(name: str, dollars: float, low: float, high: float, *words: str) -> tuple[str, ...]:
        return name, *(f"{number:,.2f}" for number in (dollars, low, high)), *words

    rows = []
    for one in plan.costs:
        mark = "" if one.price.verified else ", not verified"
        rows.append(row(one.name, one.dollars, one.low, one.high, f"{one.price.date or 'no date'}{mark}", one.formula))
    total, low, high = (total_dollars(plan, one) for one in ("dollars", "low", "high"))
    rows.append(row("total", total, low, high, "", f"${total / max(1, plan.samples):,.2f} a sample"))
    year = plan.storage_year
    rows.append(row(year.name, year.dollars, year.low, year.high, "not in the sum", year.formula))
    return table(("", "dollars", "least Spot prices", "greatest", "price of", "from"), rows, (1, 2, 3, 4))


def _comparison(plan: Plan) -> Iterator[Element]:
    """Yield the prices of other choices, and the lines of the naive definition beside those of the plan."""
    found = plan.comparison
    words = "as planned on Spot hosts, without failures"
    rows = [
        ("what if", f"{found.as_planned:,.2f}", "", words),
        ("of which state transitions", f"{found.orchestration:,.2f}", f"{found.orchestration_share:.2%}", ""),
    ]
    for one in found.alone:
        choice = SWITCHES[one.name]
        factor = f"x {1 + one.dollars / found.as_planned:.3f}"
        rows.append((one.name, f"{one.dollars:+,.2f}", factor, f"{choice.words} ({choice.source})"))
    if found.alone:
        rows.append(("together", f"{found.together:,.2f}", f"x {found.together / found.as_planned:.3f}", ""))
    for name, lines in (("naive, on Spot hosts", found.naive), ("naive, on On-Demand hosts", found.naive_on_demand)):
        total = sum_of(lines)
        rows.append((name, f"{total:,.2f}", "", f"as planned is {found.as_planned / total:.2f} of it"))
    yield table(("choice", "dollars", "factor", ""), rows, (1, 2))
    yield element("h3", "A naive definition by line")
    on_demand = {one.name: one.dollars for one in found.naive_on_demand}
    by_line = ((one.name, f"{one.dollars:,.2f}", f"{on_demand[one.name]:,.2f}", one.formula) for one in found.naive)
    yield table(("", "on Spot hosts", "on On-Demand hosts", "from"), by_line, (1, 2))

"""The sections of a report on time, resources and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from genomics_pipeline.report.cost_table import dollar_words, spread_words
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.html_page import element, section, share_bar, table
from genomics_pipeline.report.run_page.run_report import RunReport
from genomics_pipeline.report.run_page.stage_work import WorkOfStage, percentile
from genomics_pipeline.report.run_page.verdict_section import scrolled

WIDTH, ROW, LABELS, BUCKETS = 900, 46, 150, 180  # of the timeline: pixels, and parts of the time


def time_section(report: RunReport) -> Element | None:
    """Return when each stage ran; None before the first task is done."""
    work = [one for one in report.work if one.tasks]
    if not work:
        return None
    first, last = min(one.first_s for one in work), max(one.last_s for one in work)
    begin = datetime.fromtimestamp(first, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    heads = ("stage", "tasks", "working", "waiting", "a task: median", "95 %", "longest")
    note = "Waiting is the time from the submission of a task's job to its start."
    return _with_id(
        "time",
        section(
            "Time",
            element("p", f"From {begin}, {duration(last - first)}; the height is the number of tasks that ran."),
            scrolled(_timeline(work, first, last), "Timeline"),
            scrolled(table(heads, map(_time_row, work), range(1, len(heads))), "Time by stage"),
            element("p", note, class_="note"),
        ),
    )


def _time_row(one: WorkOfStage) -> tuple[str, ...]:
    ordered = sorted(one.seconds)
    times = (percentile(ordered, 50), percentile(ordered, 95), ordered[-1])
    return one.stage, f"{one.tasks:,}", *map(short, (one.working_s, one.waiting_s, *times))


def short(seconds: float) -> str:
    """Return a duration in words, with tenths where it is short.

    >>> short(0.42), short(61)
    ('0.4 s', '1 min 01 s')
    """
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def _timeline(work: Sequence[WorkOfStage], first: float, last: float) -> Element:
    drawn = []
    for row, one in enumerate(work):
        base = row * ROW + ROW - 8
        running = one.running(first, last, BUCKETS)
        top = max(running)
        width = (WIDTH - LABELS) / BUCKETS
        steps = "".join(f"V{base - (ROW - 16) * count / top if count else base:.1f}h{width:.2f}" for count in running)
        title = element("title", f"{one.stage}: at most {top:,.1f} tasks at a time")
        drawn += [
            element("text", one.stage, x="0", y=f"{base - 10}"),
            element("path", title, class_="bar", d=f"M{LABELS} {base}{steps}V{base}z"),
            element("path", class_="frame", d=f"M{LABELS} {base}H{WIDTH}"),
        ]
    height = len(work) * ROW
    words = "; ".join(
        f"{one.stage}: from {duration(one.first_s - first)} to {duration(one.last_s - first)}" for one in work
    )
    return element(
        "svg",
        *drawn,
        viewBox=f"0 0 {WIDTH} {height}",
        width=str(WIDTH),
        height=str(height),
        role="img",
        aria_label=words,
    )


def resources_section(report: RunReport) -> Element | None:
    """Return what tasks could use against what they used; None before the first task is done."""
    work = [one for one in report.work if one.tasks]
    if not work:
        return None
    heads = ("stage", "cores", "busy", "", "memory (MiB)", "peak: median", "95 %", "most", "")
    parts: list[Element] = [scrolled(table(heads, map(_resource_row, work), (1, 2, 4, 5, 6, 7)), "Resources by stage")]
    if "://" in report.place:
        parts += [element("p", line) for line in _savings(work)]
    else:
        parts.append(element("p", "On this machine, tasks share the memory that is there.", class_="note"))
    return _with_id("resources", section("Resources", *parts))


def _resource_row(one: WorkOfStage) -> tuple[Element | str, ...]:
    ordered = sorted(one.peaks_mib)
    peaks = (percentile(ordered, 50), percentile(ordered, 95), ordered[-1])
    busy, full = one.processor_s / (one.core_s or 1), ordered[-1] / (one.memory_mib or 1)
    return (
        one.stage,
        f"{one.vcpus:,}",
        f"{busy:.0%}",
        share_bar(busy, f"{busy:.0%} of the time of its cores"),
        f"{one.memory_mib:,}",
        *(f"{peak:,.0f}" for peak in peaks),
        share_bar(full, f"{full:.0%} of its memory"),
    )


def _savings(work: Sequence[WorkOfStage]) -> Iterator[str]:
    for one in work:
        share = one.saved_share()
        if share >= 0.1:
            yield (
                f"{one.stage}: no task used more than {max(one.peaks_mib):,.0f} MiB. With memory_mib = "
                f"{one.enough_mib():,} in its step.toml it would ask for {share:.0%} less memory, of "
                f"{one.asked_gib_hours():,.1f} GiB-hours."
            )


def cost_section(report: RunReport) -> Element | None:
    """Return the costs; None where they are not known."""
    cost = report.cost
    if cost is None or not cost.lines:
        return None
    rows = [
        (one.name, f"{one.count:,.6g}", one.unit, dollar_words(one.dollars), ", ".join(one.dates)) for one in cost.lines
    ]
    if cost.wasted.tasks:
        wasted = cost.wasted
        rows.append(("failed attempts", f"{wasted.core_hours:,.6g}", "core-hour", dollar_words(wasted.dollars), ""))
    rows.append(("total", "", "", dollar_words(cost.dollars), spread_words(cost)))
    parts = [scrolled(table(("", "count", "unit", "dollars", "prices of"), rows, (1, 3)), "Cost by line")]
    parts += [element("p", f"Not counted: {one}.", class_="note") for one in cost.not_counted]
    return _with_id("cost", section("Cost", *parts))


def _with_id(id_: str, made: Element) -> Element:
    made.set("id", id_)
    return made

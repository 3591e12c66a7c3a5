"""The sections of a report on time, resources and cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from genomics_pipeline.planning.memory_saving import MemorySaving
from genomics_pipeline.planning.run_cost import CostTally
from genomics_pipeline.report.cost_table import dollar_words, spread_words
from genomics_pipeline.report.duration import duration, short_duration
from genomics_pipeline.report.html_page import element, section, share_bar, table
from genomics_pipeline.report.run_page.run_report import RunReport
from genomics_pipeline.report.run_page.stage_work import WorkOfStage, percentile
from genomics_pipeline.report.run_page.verdict_section import scrolled

HOUR_S = 3600
TIMES = ("stage", "tasks", "working", "waiting", "a task: median", "95 %", "longest")
LEAST_SAVED = 0.1  # of the memory that was asked for: less is not worth a change
WIDTH, ROW, LABELS, AXIS, BUCKETS = 900, 46, 150, 22, 180  # of the timeline: pixels, and parts of the time


def time_section(report: RunReport) -> Element | None:
    """Return when each stage ran, and when its attempts failed; None before the first one has ended."""
    work = [one for one in report.work if one.has_times]
    if not work:
        return None
    first, last = min(one.first_s for one in work), max(one.last_s for one in work)
    begin = datetime.fromtimestamp(first, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    heads = (*TIMES, "failed attempts") if any(one.failed for one in work) else TIMES
    rows = (_time_row(one)[: len(heads)] for one in work)
    note = "Waiting is the time from the submission of a task's job to its start."
    legend = "; attempts that failed are hatched, their ends marked below the line" if len(heads) > len(TIMES) else ""
    return _with_id(
        "time",
        section(
            "Time",
            element(
                "p", f"From {begin}, {duration(last - first)}; the height is the number of tasks that ran{legend}."
            ),
            scrolled(_timeline(work, first, last), "Timeline"),
            scrolled(table(heads, rows, range(1, len(TIMES))), "Time by stage"),
            element("p", note, class_="note"),
        ),
    )


def _time_row(one: WorkOfStage) -> tuple[str, ...]:
    ordered = sorted(one.seconds)
    times = (percentile(ordered, 50), percentile(ordered, 95), ordered[-1]) if ordered else ()
    shown = [*map(short_duration, (one.working_s, one.waiting_s, *times)), *([] if ordered else [""] * 3)]
    return one.stage, f"{one.tasks:,}", *shown, _failure_words(one)


def _failure_words(one: WorkOfStage) -> str:
    """Return the number of failed attempts of a stage by class, and how long they ran; empty for none."""
    if not one.failed:
        return ""
    classes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in one.failed_by_class.most_common())
    return f"{classes}: {short_duration(one.failed_s)}"


def amount(number: float) -> str:
    """Return a number for people, with as many digits as can matter.

    >>> amount(12345.6), amount(12.34), amount(3), amount(0.0004), amount(0)
    ('12,346', '12.3', '3', 'under 0.001', '0')
    """
    if 0 < number < 0.001:
        return "under 0.001"
    digits = 0 if number == int(number) or number >= 100 else 1 if number >= 10 else 3
    return f"{number:,.{digits}f}"


def _timeline(work: Sequence[WorkOfStage], first: float, last: float) -> Element:
    drawn = []
    for row, one in enumerate(work):
        base = row * ROW + ROW - 8
        done, all_ = (one.running(first, last, BUCKETS, failed) for failed in (False, True))
        top = max(all_) or 1.0
        title = element("title", f"{one.stage}: at most {max(done):,.1f} tasks at a time")
        drawn.append(element("text", one.stage, x="0", y=f"{base - 10}"))
        if one.failed:
            failed = element("title", f"{one.stage}: failed attempts: {_failure_words(one)}")
            drawn.append(element("path", failed, class_="attempts", d=_outline(all_, top, base)))
            drawn.append(element("path", class_="ends", d=_failed_ends(one, first, last, base)))
        drawn += [
            element("path", title, class_="bar", d=_outline(done, top, base)),
            element("path", class_="frame", d=f"M{LABELS} {base}H{WIDTH}"),
        ]
    height = len(work) * ROW + AXIS
    drawn += _axis(last - first, height - 6)
    words = "; ".join(
        f"{one.stage}: from {duration(one.first_s - first)} to {duration(one.last_s - first)}"
        + (f", failed attempts: {_failure_words(one)}" if one.failed else "")
        for one in work
    )
    return element(
        "svg",
        _hatching(),
        *drawn,
        viewBox=f"0 0 {WIDTH} {height}",
        width=str(WIDTH),
        height=str(height),
        role="img",
        aria_label=words,
    )


def _outline(counts: Sequence[float], top: float, base: int) -> str:
    """Return the path of a number of tasks over the time.

    Args:
        counts: The number in each part of the time.
        top: The number that has the whole height.
        base: The vertical place of none.
    """
    width = (WIDTH - LABELS) / BUCKETS
    steps = "".join(f"V{base - (ROW - 16) * count / top if count else base:.1f}h{width:.2f}" for count in counts)
    return f"M{LABELS} {base}{steps}V{base}z"


def _failed_ends(one: WorkOfStage, first: float, last: float, base: int) -> str:
    """Return the path of marks below the line of a stage where attempts failed, which may have taken no time.

    Args:
        one: The stage.
        first: The beginning of the time.
        last: Its end.
        base: The vertical place of the line.
    """
    width = max(last - first, 1e-3)
    buckets = {round((start + seconds - first) / width * BUCKETS) for start, seconds in one.failed_times}
    places = (LABELS + bucket / BUCKETS * (WIDTH - LABELS) for bucket in sorted(buckets))
    return "".join(f"M{place:.1f} {base}v5" for place in places)


def _hatching() -> Element:
    """Return the pattern of failed attempts, which is seen without colours, too."""
    lines = element("path", d="M0 6L6 0", class_="hatch")
    pattern = element("pattern", lines, id="failed-attempts", width="6", height="6", patternUnits="userSpaceOnUse")
    return element("defs", pattern)


def _axis(seconds: float, base: int) -> Iterator[Element]:
    """Yield the times below a timeline.

    Args:
        seconds: The time of its whole width.
        base: The vertical place of the texts.
    """
    for part, anchor in ((0.0, "start"), (0.25, "middle"), (0.5, "middle"), (0.75, "middle"), (1.0, "end")):
        place, words = LABELS + part * (WIDTH - LABELS), short_duration(part * seconds) if part else "0"
        yield element("text", words, x=f"{place:.0f}", y=str(base), text_anchor=anchor)


def resources_section(report: RunReport) -> Element | None:
    """Return what tasks asked for against what they used, and the saving; None before the first task is done."""
    work = [one for one in report.work if one.tasks]
    if not work:
        return None
    cores = ("stage", "cores of a task", "core-hours asked", "used", "")
    memory = ("stage", "of a task (MiB)", "peak: median", "95 %", "most", "", "GiB-hours asked", "saving")
    asked = [_memory_row(one, report.savings.get(one.stage)) for one in work]
    parts = [
        element("h3", "Cores"),
        scrolled(table(cores, map(_cores_row, work), (1, 2, 3)), "Cores by stage"),
        element("h3", "Memory"),
        scrolled(table(memory, asked, (1, 2, 3, 4, 6, 7)), "Memory by stage"),
    ]
    parts += [element("p", line) for line in _saving_lines(report)]
    parts += [element("p", line, class_="note") for line in _saving_notes(report)]
    return _with_id("resources", section("Resources", *parts))


def _cores_row(one: WorkOfStage) -> tuple[Element | str, ...]:
    busy = one.processor_s / (one.core_s or 1)
    hours = (amount(one.core_s / HOUR_S), amount(one.processor_s / HOUR_S))
    return one.stage, f"{one.vcpus:,}", *hours, share_bar(busy, f"{busy:.0%} of the time of its cores")


def _memory_row(one: WorkOfStage, saving: MemorySaving | None) -> tuple[Element | str, ...]:
    ordered = sorted(one.peaks_mib)
    peaks = (percentile(ordered, 50), percentile(ordered, 95), ordered[-1])
    full = ordered[-1] / (one.memory_mib or 1)
    return (
        one.stage,
        f"{one.memory_mib:,}",
        *(f"{peak:,.0f}" for peak in peaks),
        share_bar(full, f"{full:.0%} of its memory"),
        amount(saving.asked_gib_hours) if saving else "",
        _saved_words(saving),
    )


def _saved_words(saving: MemorySaving | None) -> str:
    """Return a saving in dollars where hosts have a price, else in GiB-hours; nothing where it is small."""
    if saving is None or not _is_worthwhile(saving):
        return ""
    if saving.dollars is None:
        return f"{amount(saving.saved_gib_hours)} GiB-hours"
    return f"${dollar_words(saving.saved_dollars)}"


def _is_worthwhile(saving: MemorySaving) -> bool:
    return saving.saved_gib_hours >= LEAST_SAVED * saving.asked_gib_hours > 0


def _saving_lines(report: RunReport) -> Iterator[str]:
    """Yield how each saving of dollars is made, and all of them together."""
    priced = {stage: one for stage, one in report.savings.items() if one.dollars is not None and _is_worthwhile(one)}
    peaks = {one.stage: max(one.peaks_mib) for one in report.work if one.tasks}
    for stage, one in priced.items():
        yield (
            f"{stage}: no task used more than {peaks[stage]:,.0f} MiB. With memory_mib = {one.enough_mib:,} in its "
            f"step.toml, a fifth more than that, it would ask for {amount(one.saved_gib_hours)} of "
            f"{amount(one.asked_gib_hours)} GiB-hours less{_dollar_words(one)}."
        )
    if len(priced) > 1:
        yield f"All together: ${dollar_words(sum(one.saved_dollars for one in priced.values()))}."


def _dollar_words(saving: MemorySaving) -> str:
    whole = dollar_words(saving.dollars or 0.0)
    if saving.saved_dollars <= 0:
        return f", which saves none of ${whole}: its cores decide its share of the hosts"
    return f", and cost ${dollar_words(saving.saved_dollars)} of ${whole} less"


def _saving_notes(report: RunReport) -> Iterator[str]:
    yield "Asked is what a task could use, over its duration; used are the processor time and the peak of its program."
    dates = sorted({date for one in report.savings.values() for date in one.dates})
    if dates:
        yield f"Dollars are of the shares of the hosts that the tasks had, by prices of {', '.join(dates)}."
    elif "://" not in report.place:
        yield "Tasks of one machine share its memory: what one does not ask for, another can use at the same time."


def _by_partition(partitions: Mapping[str, CostTally], is_priced: bool) -> Element:
    heads = ("partition", "tasks", "core-hours", "dollars")[: 4 if is_priced else 3]
    rows = [
        (name, f"{one.tasks:,}", amount(one.core_hours), dollar_words(one.dollars))[: len(heads)]
        for name, one in sorted(partitions.items())
    ]
    return table(heads, rows, (1, 2, 3))


def cost_section(report: RunReport) -> Element | None:
    """Return the costs; None where they are not known."""
    cost = report.cost
    if cost is None or not cost.lines:
        return None
    rows = [
        (one.name, amount(one.count), one.unit, dollar_words(one.dollars), ", ".join(one.dates)) for one in cost.lines
    ]
    if cost.wasted.tasks:
        wasted = cost.wasted
        rows.append(("failed attempts", amount(wasted.core_hours), "core-hour", dollar_words(wasted.dollars), ""))
    if cost.is_priced:
        rows.append(("total", "", "", dollar_words(cost.dollars), spread_words(cost)))
    heads = ("", "count", "unit", "dollars", "prices of")
    shown = len(heads) if cost.is_priced else heads.index("dollars")
    parts = [scrolled(table(heads[:shown], [row[:shown] for row in rows], (1, 3)), "Cost by line")]
    if cost.partitions:
        parts.append(scrolled(_by_partition(cost.partitions, cost.is_priced), "Cost by partition"))
    parts += [element("p", f"Not counted: {one}.", class_="note") for one in cost.not_counted]
    return _with_id("cost", section("Cost", *parts))


def _with_id(id_: str, made: Element) -> Element:
    made.set("id", id_)
    return made

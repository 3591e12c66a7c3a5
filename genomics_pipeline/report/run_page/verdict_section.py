"""The first sections of a report: the verdict, the samples that stand out, the failures by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from genomics_pipeline.model.metric_spec import BAD
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.records.verification import VerificationRecord
from genomics_pipeline.report.command_line import PROGRAM, command_line
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.html_page import element, section, table
from genomics_pipeline.report.ledger import missing_lines
from genomics_pipeline.report.run_page.metric_values import FAR, FEWEST
from genomics_pipeline.report.run_page.outstanding import Outstanding
from genomics_pipeline.report.run_page.run_report import (
    DONE,
    INJECTED,
    PENDING,
    FailuresOfClass,
    ReportedFailure,
    RunReport,
)
from genomics_pipeline.report.run_state import UNKNOWN, RunState
from genomics_pipeline.report.verification import unchecked_words

SHOWN, OPEN = 200, 20  # samples in a table that works without JavaScript, and those that nobody has to open
REASONS = 4  # of a sample that are shown
_WORDS = {"SUCCEEDED": "succeeded", "RUNNING": "is running", "FAILED": "failed"}
INCOMPLETE = "ended incomplete"


def verdict_section(report: RunReport, found: Sequence[Outstanding]) -> Element:
    """Return the verdict: what is done, what is missing, and what to do.

    Args:
        report: The report.
        found: The samples that stand out.
    """
    return element(
        "section",
        element("h2", "Verdict", class_="hidden"),
        element("p", _verdict(report), class_=f"verdict {_tone(report)}"),
        *(element("p", line) for line in _lines(report, found)),
        *_commands(report),
        id="verdict",
    )


def _tone(report: RunReport) -> str:
    if report.state.status in ("RUNNING", UNKNOWN):
        return "pending"
    return "done" if report.state.is_accepted else "failed"


def _verdict(report: RunReport) -> str:
    state, counts = report.state, report.counts()
    lacks = state.status == "SUCCEEDED" and not state.is_accepted
    words = f"The run {INCOMPLETE if lacks else _WORDS.get(state.status, 'was interrupted')}"
    words = "The files of the run do not show its end" if state.status == UNKNOWN else words
    words += f": {counts[DONE]:,} of {quantity(len(report.samples), 'sample', ',')} done"
    words += f", {counts['failed']:,} failed" if counts["failed"] else ""
    words += f", {counts[PENDING]:,} pending" if counts[PENDING] else ""
    undone = [stage for stage, done in state.cohort if not done]
    if state.cohort:
        without = "" if counts[DONE] == len(report.samples) else " without the others"
        words += f"; the cohort lacks {', '.join(undone)}" if undone else f"; the cohort is done{without}"
    return words + "."


def _lines(report: RunReport, found: Sequence[Outstanding]) -> Iterator[str]:
    state = report.state
    if state.status == "RUNNING" and report.read_at is not None:
        yield f"It began at {_moment(state.started)}; this page shows it as of {_moment(report.read_at)}."
    if any(name == INJECTED for name, _ in report.facts):
        yield "Faults were injected into this run on purpose (--inject, see Provenance): failures may be theirs."
    if state.status == UNKNOWN:
        yield "Only its bucket was read, which does not tell whether the run is running or was stopped."
    if state.status == UNKNOWN and state.last_record:
        yield f"Its newest record is of {_moment(state.last_record)}."
    if state.error:
        yield f"Error: {state.error}"
    if state.missing:
        succeeded = state.status == "SUCCEEDED"
        lines = missing_lines(state.missing, state.place, succeeded, state.is_accepted)
        yield from (f"{line}." for line in lines if PROGRAM not in line)
    bad = sum(1 for column in report.columns for verdict in column.verdicts.values() if verdict == BAD)
    if bad:
        yield f"{quantity(bad, 'value', ',')} of metrics are bad by the bounds of this run."
    if found:
        yield f"{quantity(len(found), 'sample', ',')} stand out, see below."
    for check in state.checks:
        yield f"{check.stage}, {check.metric.replace('_', ' ')}: {check.verdict}: {check.reason}."
    if report.signed is not None:
        yield _signed_words(report.signed, state)
    if report.seconds is not None:
        yield f"The newest execution began at {_moment(state.started)}, and took {duration(report.seconds)}."
    yield from report.notes


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _signed_words(signed: VerificationRecord, state: RunState) -> str:
    """Return the verdict of a verification, or that the run has changed since."""
    at = f"{datetime.fromisoformat(signed.at):%Y-%m-%d %H:%M:%S} UTC, by {PROGRAM} {signed.version}"
    if not signed.is_of(state.execution, state.stopped):
        return f"The run has changed since it was verified on {at}: verify it again."
    words = f"Verification on {at}: {signed.verdict}."
    return f"{words} {unchecked_words(signed.unchecked).capitalize()}." if signed.unchecked else words


def to_do(state: RunState, is_verified: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what a user may do next, with the command.

    Args:
        state: The state of the run.
        is_verified: Whether a verification of this state found no deviation.
    """
    place = state.place
    if state.status == "RUNNING":
        yield "Follow it", command_line("status", place, "--watch")
        return
    if state.status == UNKNOWN:
        yield "Ask Step Functions whether it is running", command_line("status", place)
        yield "List what is missing, and why", command_line("results", place, "--failed")
        return
    if state.failures:
        yield "Read the logs of what failed", command_line("logs", place, "--failed")
    if state.missing or state.status != "SUCCEEDED":
        yield "List what is missing, and why", command_line("results", place, "--failed")
        yield "Run it again; what is done is kept", command_line("rerun", place)
        return
    yield "List the files", command_line("results", place)
    if not is_verified:
        yield "Verify them by their digests", command_line("verify", place)


def _commands(report: RunReport) -> Iterator[Element]:
    state, signed = report.state, report.signed
    is_verified = signed is not None and signed.verified and signed.is_of(state.execution, state.stopped)
    steps = list(to_do(state, is_verified))
    rows = [element("dt", words) for words, _ in steps]
    commands = [element("dd", command_element(one)) for _, one in steps]
    yield element("dl", *(one for pair in zip(rows, commands, strict=True) for one in pair), class_="commands")


def command_element(command: str) -> Element:
    """Return a command, ready to be copied."""
    return element("code", command, class_="command")


def outstanding_section(report: RunReport, found: Sequence[Outstanding]) -> Element:
    """Return the samples that stand out, each with the reasons.

    Args:
        report: The report.
        found: The samples that stand out.
    """
    if not found:
        words = "None: no sample failed, and no metric is doubtful or bad by its bounds"
        if len(report.samples) < FEWEST:
            words += f". Fewer than {FEWEST} samples are not compared with each other."
        else:
            words += f", or {FAR} robust deviations or more from its median."
        return _section("stand-out", "Samples that stand out", element("p", words))
    rows = [(report.samples[one.index], _reason_list(one.reasons)) for one in found[:SHOWN]]
    more, heads = len(found) - len(rows), ("sample", "why")
    note = f"A sample stands out if it failed, if a metric is not good, or if one is {FAR} deviations or more from the "
    note += f"median of {FEWEST} samples or more. A deviation is the median distance from the median, times 1.4826, "
    note += "which is the standard deviation where values are normally distributed (so that this is a robust z-score)."
    parts = [element("p", note, class_="note"), scrolled(table(heads, rows[:OPEN]), "Samples that stand out")]
    if following := rows[OPEN:]:
        words = f"The next {len(following):,}"
        parts.append(element("details", element("summary", words), scrolled(table(heads, following), words)))
    return _section(
        "stand-out",
        "Samples that stand out",
        *parts,
        *([element("p", f"And {more:,} more.", class_="note")] if more else []),
    )


def _reason_list(reasons: Sequence[str]) -> Element:
    shown = [element("li", reason) for reason in reasons[:REASONS]]
    more = len(reasons) - len(shown)
    return element("ul", *shown, *([element("li", f"and {more:,} more reasons")] if more else []))


def failures_section(report: RunReport) -> Element | None:
    """Return the failures by class; None where nothing failed."""
    if not report.failures:
        return None
    counts = Counter({one.label: one.count for one in report.failures})
    words = ", ".join(f"{count:,} {_words(label)}" for label, count in counts.items())
    return _section(
        "failures",
        "Failures",
        element("p", f"{quantity(counts.total(), 'item', ',')} failed: {words}."),
        *(_class_element(one) for one in report.failures),
    )


def _words(label: str) -> str:
    return label.replace("_", " ")


def _class_element(group: FailuresOfClass) -> Element:
    advice = group.advice
    return element(
        "section",
        element("h3", f"{_words(group.label)}: {group.count:,}"),
        element("p", f"Meaning: {advice.means}."),
        element("p", f"By itself: {advice.by_itself}."),
        element("p", f"To do: {advice.to_do}."),
        *map(_failure_element, group.shown),
        *([_more(group)] if group.count > len(group.shown) else []),
    )


def _more(group: FailuresOfClass) -> Element:
    return element("p", f"And {group.count - len(group.shown):,} more.", class_="note")


def _failure_element(one: ReportedFailure) -> Element:
    place = " ".join(filter(None, (one.item, f"({one.stage})" if one.stage else "")))
    first, *others = one.message.splitlines() or [""]
    details = [element("p", line) for line in others]
    if one.tried:
        details.append(element("p", f"Tried: {one.tried}"))
    if one.excerpt:
        lines = (element("span", line or " ") for line in one.excerpt)
        details += [element("p", f"The end of {one.log}:"), element("pre", *lines, tabindex="0")]
    elif one.log:
        details.append(element("p", f"Log: {one.log}"))
    for words, shown in (("Run it again: ", one.rerun), ("Find out why, on this machine: ", one.replay)):
        if shown:
            details.append(element("p", words, command_element(shown)))
    return element("details", element("summary", f"{place}: {first}"), *details)


def scrolled(content: Element, name: str) -> Element:
    """Return content that may be wider than the page, in a part of it that scrolls by mouse and by keys.

    Args:
        content: The content.
        name: Its name, for those who cannot see it.
    """
    return element("div", content, class_="scrolled", tabindex="0", role="region", aria_label=name)


def _section(id_: str, heading: str, *content: Element) -> Element:
    made = section(heading, *content)
    made.set("id", id_)
    return made

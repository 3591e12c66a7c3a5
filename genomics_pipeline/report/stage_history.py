"""The history of a stage over an item, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.printable import indented
from genomics_pipeline.model.provenance import Difference, DifferenceKind
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.report.explanation import WIDTH, explanation_json, render_explanation
from genomics_pipeline.report.planned_tasks import PlannedTask, ending


@dataclass(frozen=True, slots=True)
class StageHistory:
    """The history of a stage over an item.

    Attributes:
        stage: The stage.
        item: The item.
        record: Its completion record; None unless it is done.
        failure: Its failure; None unless it failed.
        log: The path or URI of its log; empty if it failed without one.
        now: What it would do if the run were continued now; None where that is not known.
        unknown: Why that is not known.
        is_here: Whether it is of a run on this machine or its cluster.
        because: Why the attempt that failed ran; nothing unless it failed.
    """

    stage: str
    item: str
    record: CompletionRecord | None
    failure: Failure | None
    log: str
    now: PlannedTask | None
    unknown: str
    is_here: bool
    because: tuple[Difference, ...] = ()

    @property
    def state(self) -> str:
        """SUCCEEDED, FAILED, or PENDING where it never ran, or waits for an earlier stage."""
        return "SUCCEEDED" if self.record else "FAILED" if self.failure else "PENDING"

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``why --json`` prints."""
        record = self.record
        return {
            "stage": self.stage,
            "item": self.item,
            "state": self.state,
            "started": record.started if record else None,
            "because": [one.to_json() for one in (record.because if record else self.because)],
            "compared_with": (record.compared_with or None) if record else None,
            "failure": explanation_json(self.failure, self.is_here) if self.failure else None,
            "log": self.log or None,
            "now": self.now.to_json() if self.now else None,
            "unknown": self.unknown or None,
        }


def render_history(history: StageHistory) -> str:
    """Return the history of a stage as text: a heading, and a line for each fact."""
    lines = [f"{history.stage} of {history.item}: {history.state}"]
    if history.failure:
        lines += render_explanation(history.failure, history.is_here).splitlines()
    for name, text in _facts(history):
        lines.append(f"{name:<{WIDTH}}{indented(text, WIDTH)}")
    return "\n".join(lines)


def _past(reason: Difference) -> str:
    """Return a reason for which a stage ran."""
    words = str(reason)
    return words.replace("it is", "it was", 1) if reason.kind is DifferenceKind.RECORD else words


def _facts(history: StageHistory) -> Iterator[tuple[str, str]]:
    record = history.record
    if record:
        yield "ran", f"{record.started}, {record.seconds:,.1f} s"
        yield "because", "\n".join(map(_past, record.because)) or "not recorded"
        if record.compared_with:
            yield "against", f"the record of {record.compared_with}"
    elif history.because:
        yield "because", "\n".join(map(_past, history.because))
    if history.state != "PENDING" and (history.log or history.is_here):
        yield "log", history.log or "none: the program was never started"
    if history.now:
        yield "now", ending(history.now)
        if history.now.notes:
            yield "", "\n".join(history.now.notes)
    else:
        yield "now", f"not known: {history.unknown}"

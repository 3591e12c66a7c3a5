"""The tasks that a run would run, and those whose outputs it would reuse, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from genomics_pipeline.model.provenance import Difference, DifferenceKind
from genomics_pipeline.model.quantity import quantity

NAMES = 5  # items that are named in a line


class Verdict(StrEnum):
    """The fate of a task in a run; `DEPENDS` where outputs that an earlier stage makes anew decide."""

    REUSED = "reused"
    RUNS = "runs"
    DEPENDS = "depends"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A stage over an item.

    Attributes:
        stage: The stage.
        item: The item's id.
        verdict: What the run would do.
        reasons: Why it would run.
        makers: The earlier stages whose new outputs decide whether it runs.
        error: Why it would fail, if its inputs cannot be read.
        notes: What it would not read, since earlier runs packed it.
    """

    stage: str
    item: str
    verdict: Verdict
    reasons: tuple[Difference, ...] = ()
    makers: tuple[str, ...] = ()
    error: str | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run --dry-run --json`` prints."""
        return {
            "stage": self.stage,
            "item": self.item,
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "depends_on": list(self.makers),
            "error": self.error,
            "notes": list(self.notes),
        }


def counts(tasks: Sequence[PlannedTask]) -> dict[str, int]:
    """Return the number of tasks by verdict."""
    return {str(verdict): sum(task.verdict is verdict for task in tasks) for verdict in Verdict}


def planned_lines(tasks: Sequence[PlannedTask]) -> Iterator[str]:
    """Yield a line for the tasks of each stage that have one verdict for the same reasons, in the order of the run."""
    for _, of_stage in groupby(tasks, key=lambda task: task.stage):
        alike: dict[str, list[PlannedTask]] = {}
        for task in of_stage:
            alike.setdefault(ending(task), []).append(task)
        for words, group in alike.items():
            names = item_names([task.item for task in group])
            yield f"{group[0].stage} of {names} {words if len(group) == 1 else _plural(words)}"


def last_line(tasks: Sequence[PlannedTask]) -> str:
    """Return the summary: how many tasks would run, and how many may."""
    number = counts(tasks)
    may = f", {number[Verdict.DEPENDS]:,} more may" if number[Verdict.DEPENDS] else ""
    return f"{quantity(number[Verdict.RUNS], 'task', ',')} would run{may}; nothing was written or started"


def ending(task: PlannedTask) -> str:
    """Return the rest of the sentence about one task.

    >>> ending(PlannedTask("alignment", "NA1", Verdict.REUSED))
    'is reused'
    """
    if task.verdict is Verdict.REUSED:
        return "is reused"
    if task.verdict is Verdict.FAILS:
        return f"fails: {task.error}"
    if task.verdict is Verdict.DEPENDS and not task.makers:
        return "runs again unless the reference, once it is indexed, is the same as before"
    if task.verdict is Verdict.DEPENDS:
        return f"runs again unless {' and '.join(task.makers)} makes the same outputs as before"
    if any(reason.kind is DifferenceKind.RECORD for reason in task.reasons):
        return "; ".join([f"runs: {task.reasons[0]}", *task.notes])
    return f"runs again because {'; '.join([*map(str, task.reasons), *task.notes])}"


def _plural(words: str) -> str:
    verb, _, rest = words.partition(" ")
    plural = {"is": "are", "runs": "run", "runs:": "run:", "fails:": "fail:"}[verb]
    return f"{plural} {rest}".replace("run: it is not done yet", "run: they are not done yet")


def item_names(items: Sequence[str]) -> str:
    """Return the names of items: `S1, S2 and 3 others`."""
    shown = items[:NAMES]
    others = len(items) - len(shown)
    return f"{', '.join(shown)} and {quantity(others, 'other', ',')}" if others else ", ".join(shown)

"""`plan.json`: the plan that was made of a run before it began, as `plan --json` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.records.fields import RecordKind, find_fields, record_text
from genomics_pipeline.stores.protocol import Store

KIND = RecordKind("a plan", "delete the file")
CORE_HOURS, DOLLARS = "core_hours", "dollars"


@dataclass(frozen=True, slots=True)
class PlannedFigures:
    """The figures of a plan.

    Attributes:
        dollars: US dollars by line; None of a plan for machines of one's own, without a price of their core-hours.
        core_hours: Core-hours by stage; None of a plan for AWS.
    """

    dollars: Mapping[str, float] | None = None
    core_hours: Mapping[str, float] | None = None


def read_planned_figures(store: Store, uri: str) -> PlannedFigures:
    """Return the figures of a run's plan; none where the run has no plan.

    Raises:
        UnreadableRecord: if the file is in an unknown form.
    """
    if (fields := find_fields(store, uri, KIND)) is None:
        return PlannedFigures()
    hours = fields.object(CORE_HOURS).object("by_stage").number_by_name() if fields.has(CORE_HOURS) else None
    without_dollars = hours is not None and not fields.has(DOLLARS)
    return PlannedFigures(None if without_dollars else fields.object(DOLLARS).object("by_line").number_by_name(), hours)


def write_plan(store: Store, uri: str, members: Mapping[str, Any]) -> None:
    """Write a run's plan, in place of an earlier one."""
    store.write(uri, record_text(members).encode())

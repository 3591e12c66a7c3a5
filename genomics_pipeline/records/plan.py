"""`plan.json`: the plan that was made of a run before it began, as `plan --json` prints it."""

from __future__ import annotations

from genomics_pipeline.records.fields import RecordKind, find_fields
from genomics_pipeline.stores.protocol import Store

KIND = RecordKind("a plan", "delete the file")


def read_planned_dollars(store: Store, uri: str) -> dict[str, float] | None:
    """Return the dollars of a run's plan by line; None where the run has no plan.

    Raises:
        UnreadableRecord: if the file is in an unknown form.
    """
    if (fields := find_fields(store, uri, KIND)) is None:
        return None
    return fields.object("dollars").object("by_line").number_by_name()

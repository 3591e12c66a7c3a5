"""`definition.json`: the state machine document of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.records.fields import ADVICE, RecordKind, read_fields
from genomics_pipeline.stores.protocol import ObjectReader

KIND = RecordKind("the definition of a run", ADVICE)


def read_run_definition(store: ObjectReader, uri: str) -> Mapping[str, Any]:
    """Read the document of a run; its states are not validated.

    Raises:
        MissingObject: if there is no such file.
        UnreadableRecord: if it is no JSON object with states.
    """
    fields = read_fields(store, uri, KIND)
    fields.text("StartAt")
    fields.object("States")
    return fields.members

"""Records that tests write for runs that they do not run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from genomics_pipeline.model.provenance import Provenance
from genomics_pipeline.records.local_run import LocalRunRecord, RunArguments

NO_PROVENANCE = Provenance("s", "1", "p", {}, {}, {}, {}, {})
STARTED = "2026-11-24T10:00:00+00:00"


def local_run(**changes: Any) -> LocalRunRecord:
    """Return the record of a run that succeeded, with some fields changed."""
    arguments = RunArguments("/sheet.csv", "/ref.fa", "germline", (), (), (), None, None, "")
    tolerated = {"percentage": 50, "count": 100_000_000}
    record = LocalRunRecord(
        "run", "SUCCEEDED", 1, 1, "input.json", "d", "germline", {}, tolerated, None, arguments, STARTED, {}
    )
    return replace(record, **changes)

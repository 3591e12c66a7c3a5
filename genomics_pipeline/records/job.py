"""`job.json`: the Batch job of an item's newest task, written at its start, so that its log can be found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import Fields, RecordKind, find_fields
from genomics_pipeline.stores.protocol import Store

KIND = RecordKind("the record of a Batch job", "run the item again")


@dataclass(frozen=True, slots=True)
class BatchAttempt:
    """One attempt of a Batch job.

    Attributes:
        job_id: The job's id.
        attempt: The attempt's number, from 1.
    """

    job_id: str
    attempt: int


def write_job(store: Store, run: RunPlace, stage: str, item: str, attempt: BatchAttempt, started: str) -> None:
    """Write ``job.json``.

    Args:
        store: The store of the run.
        run: The run.
        stage: The stage.
        item: The item's id.
        attempt: The job and its attempt.
        started: The start of the attempt, ISO 8601 in UTC.
    """
    members = {**asdict(attempt), "started": started}
    store.write(job_uri(run, stage, item), json.dumps(members).encode() + b"\n")


def read_job(store: Store, run: RunPlace, stage: str, item: str) -> BatchAttempt | None:
    """Return the Batch job of an item's newest task; None if none has started.

    Raises:
        UnreadableRecord: if the file is in an unknown form.
    """
    if (fields := find_fields(store, job_uri(run, stage, item), KIND)) is None:
        return None
    return read_attempt(fields)


def read_attempt(fields: Fields) -> BatchAttempt:
    """Return the attempt that a record's object describes."""
    return BatchAttempt(fields.text("job_id"), fields.integer("attempt"))


def job_uri(run: RunPlace, stage: str, item: str) -> str:
    """Return the URI of ``job.json``."""
    return run.uri(run_layout.job_record(stage, item))

"""`job.json`: the Batch job of an item's newest task, written at its start, so that its log can be found."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class StartedJob:
    """An attempt of a Batch job that has started.

    Attributes:
        attempt: The job and its attempt.
        started: The start of the attempt, ISO 8601 in UTC.
        vcpus: The number of cores that it may use.
        memory_mib: The memory that it may use.
        host: See `records.completion.CompletionRecord`.
    """

    attempt: BatchAttempt
    started: str
    vcpus: int
    memory_mib: int
    host: Mapping[str, str]


def write_job(store: Store, run: RunPlace, stage: str, item: str, job: StartedJob) -> None:
    """Write ``job.json``.

    Args:
        store: The store of the run.
        run: The run.
        stage: The stage.
        item: The item's id.
        job: The job.
    """
    members = {**asdict(job.attempt), "started": job.started, "vcpus": job.vcpus, "memory_mib": job.memory_mib}
    members["host"] = dict(job.host)
    store.write(job_uri(run, stage, item), json.dumps(members).encode() + b"\n")


def read_job(store: Store, run: RunPlace, stage: str, item: str) -> StartedJob | None:
    """Return the Batch job of an item's newest task; None if none has started.

    Raises:
        UnreadableRecord: if the file is in an unknown form.
    """
    if (fields := find_fields(store, job_uri(run, stage, item), KIND)) is None:
        return None
    return StartedJob(
        read_attempt(fields),
        fields.time("started"),
        fields.integer("vcpus"),
        fields.integer("memory_mib"),
        fields.object("host").text_by_name(),
    )


def read_attempt(fields: Fields) -> BatchAttempt:
    """Return the attempt that a record's object describes."""
    return BatchAttempt(fields.text("job_id"), fields.integer("attempt"))


def job_uri(run: RunPlace, stage: str, item: str) -> str:
    """Return the URI of ``job.json``."""
    return run.uri(run_layout.job_record(stage, item))

"""`failure.json`: why the newest attempt of a stage over an item failed, and those that failed before it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.provenance import Difference
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.differences import read_differences
from genomics_pipeline.records.fields import Fields, RecordKind, UnreadableRecord, delete_record, read_fields
from genomics_pipeline.records.job import BatchAttempt, read_attempt
from genomics_pipeline.stores.protocol import MissingObject, ObjectReader, Store

KIND = RecordKind("the record of a failure", "run the item again")
KEPT = 20  # attempts that failed before


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """An attempt of a step over an item that failed.

    Attributes:
        failure_class: The class of the failure.
        message: The message for the user.
        exit_code: The exit code of the program, or of the worker; None where neither ended by itself.
        attempt: The Batch job and its attempt; None if the task was no Batch job.
        seconds: The duration of the attempt; 0 where its end is not known.
        vcpus: The number of cores that it could use.
        memory_mib: The memory that it could use.
        host: See `records.completion.CompletionRecord`.
        step: The step's name.
        version: The step's version.
        submitted: The time of the job's submission, ISO 8601 in UTC; empty where it is not known.
        started: The start of the attempt, ISO 8601 in UTC.
        peak_memory_mib: The peak memory of the program; 0 if it was not started.
        processor_seconds: The time of the program on all cores.
        number: The number of the attempt among those of the item that failed one after another, from 1.
        program: sha256 of the files of the step's folder.
        because: See `records.completion.CompletionRecord`; nothing where the attempt failed before its review.
        earlier: The attempts that failed before this one, since the item was done, if ever; the newest `KEPT`.
    """

    failure_class: FailureClass
    message: str
    exit_code: int | None
    attempt: BatchAttempt | None = None
    seconds: float = 0
    vcpus: int = 0
    memory_mib: int = 0
    host: Mapping[str, str] = field(default_factory=dict)
    step: str = ""
    version: str = ""
    submitted: str = ""
    started: str = ""
    peak_memory_mib: int = 0
    processor_seconds: float = 0
    number: int = 1
    program: str = ""
    because: tuple[Difference, ...] = ()
    earlier: tuple[FailureRecord, ...] = ()

    @property
    def attempts(self) -> tuple[FailureRecord, ...]:
        """The attempts that failed one after another, the newest last."""
        return (*self.earlier, replace(self, earlier=()))[-KEPT:]

    def after(self, before: FailureRecord | None) -> FailureRecord:
        """Return this attempt as the one that followed another.

        Args:
            before: The newest attempt that failed before it; None if none did.
        """
        if before is None:
            return self
        return replace(self, number=before.number + 1, earlier=before.attempts)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``failure.json`` holds."""
        return {
            "class": str(self.failure_class),
            "message": self.message,
            "exit_code": self.exit_code,
            **(asdict(self.attempt) if self.attempt else {}),
            "seconds": self.seconds,
            "vcpus": self.vcpus,
            "memory_mib": self.memory_mib,
            "host": dict(self.host),
            "step": self.step,
            "version": self.version,
            "submitted": self.submitted,
            "started": self.started,
            "peak_memory_mib": self.peak_memory_mib,
            "processor_seconds": self.processor_seconds,
            "number": self.number,
            "program": self.program,
            "because": [asdict(one) for one in self.because],
            **failed_attempts_to_json("earlier", self.earlier),
        }


def failed_attempts_to_json(name: str, attempts: Sequence[FailureRecord]) -> dict[str, Any]:
    """Return the member of a record with attempts that failed; no member where none did.

    Args:
        name: The name of the member.
        attempts: The attempts.
    """
    return {name: [one.to_json() for one in attempts]} if attempts else {}


def read_failed_attempts(fields: Fields, name: str) -> tuple[FailureRecord, ...]:
    """Return the attempts that failed of a member of a record; none where there is no such member.

    Args:
        fields: The object of the record.
        name: The name of the member.
    """
    return tuple(map(_failure, fields.objects(name)[-KEPT:])) if fields.has(name) else ()


def write_failure(store: Store, run: RunPlace, stage: str, item: str, record: FailureRecord) -> None:
    """Write ``failure.json``."""
    store.write(_uri(run, stage, item), json.dumps(record.to_json(), ensure_ascii=False).encode() + b"\n")


def read_failure(store: ObjectReader, run: RunPlace, stage: str, item: str) -> FailureRecord | None:
    """Read the record of an item's failure.

    Returns:
        The record. None if there is none, or it cannot be read: the failure itself is known without it.
    """
    try:
        return _failure(read_fields(store, _uri(run, stage, item), KIND))
    except (MissingObject, UnreadableRecord):
        return None


def _failure(fields: Fields) -> FailureRecord:
    failure_class = FailureClass(fields.one_of("class", list(FailureClass)))
    attempt = read_attempt(fields) if fields.has("job_id") else None
    return FailureRecord(
        failure_class,
        fields.text("message"),
        fields.integer("exit_code") if fields.has("exit_code") else None,
        attempt,
        fields.number("seconds"),
        fields.integer("vcpus"),
        fields.integer("memory_mib"),
        fields.object("host").text_by_name(),
        fields.text("step"),
        fields.text("version"),
        fields.optional_time("submitted"),
        fields.optional_time("started"),
        fields.integer("peak_memory_mib", 0),
        fields.number("processor_seconds"),
        fields.integer("number", 1),
        fields.text("program"),
        read_differences(fields),
        read_failed_attempts(fields, "earlier"),
    )


def delete_failure(store: Store, run: RunPlace, stage: str, item: str) -> None:
    """Delete ``failure.json`` if it exists."""
    delete_record(store, _uri(run, stage, item))


def _uri(run: RunPlace, stage: str, item: str) -> str:
    return run.uri(run_layout.failure_record(stage, item))

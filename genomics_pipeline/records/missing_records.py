"""``missing.json`` of a run over records on AWS: counts of the records without a result, and the first of them.

All rows of ResultWriter's files have to be read for them. So they are kept, with a digest of what they were counted in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.records.fields import Fields, RecordKind, UnreadableRecord, find_fields, record_text
from genomics_pipeline.stores.protocol import Store

_KIND = RecordKind("the counts of records without a result", "delete this file: `status` counts again")


@dataclass(frozen=True, slots=True)
class KeptFailure:
    """A failed record.

    Attributes:
        item: Its name in the run.
        failure_class: The class of its failure.
        message: The message.
        stage: The stage that failed; None where it is not known.
        of_batch: Whether its batch failed as a whole, and has other records.
        pending: Whether its batch never started.
    """

    item: str
    failure_class: FailureClass
    message: str
    stage: str | None
    of_batch: bool
    pending: bool


@dataclass(frozen=True, slots=True)
class MissingRecords:
    """The records of a run that have no result.

    Attributes:
        counted: The sha256 of what they were counted in.
        of_records: The number of records of the run.
        by_class: Their number by failure class, or ``pending``.
        first: The names of the first few.
        failures: The first of them.
    """

    counted: str
    of_records: int
    by_class: Mapping[str, int]
    first: tuple[str, ...]
    failures: tuple[KeptFailure, ...]


def write_missing(store: Store, uri: str, missing: MissingRecords) -> None:
    """Write the counts of a run, in place of those that were there.

    Args:
        store: The store of the run.
        uri: The file.
        missing: The counts.
    """
    store.write(uri, record_text(asdict(missing)).encode())


def read_missing(store: Store, uri: str, counted: str) -> MissingRecords | None:
    """Return the counts of a run; None if there are none of just this, or they cannot be read.

    Args:
        store: The store of the run.
        uri: The file.
        counted: The sha256 of what they must have been counted in.
    """
    try:
        fields = find_fields(store, uri, _KIND)
        if fields is None or fields.sha256("counted") != counted:
            return None
        return MissingRecords(
            counted,
            fields.integer("of_records", 0),
            fields.object("by_class").integer_by_name(),
            fields.texts("first"),
            tuple(map(_failure, fields.objects("failures"))),
        )
    except UnreadableRecord:
        return None


def _failure(fields: Fields) -> KeptFailure:
    return KeptFailure(
        fields.text("item"),
        FailureClass(fields.one_of("failure_class", list(FailureClass))),
        fields.text("message"),
        fields.text("stage") if fields.has("stage") else None,
        fields.flag("of_batch"),
        fields.flag("pending"),
    )

"""Records without a result, from the files of ResultWriter of Map Runs on AWS, one row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.record_rows import records_in, reported_failures
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.map_run_ends import NEVER_STARTED
from genomics_pipeline.stores.protocol import Store

WAITING = "pending"  # in place of the name of a child that never started


@dataclass(frozen=True, slots=True)
class LostRecord:
    """A record without a result.

    Attributes:
        child: The name of its child execution, by which AWS's console finds it.
        number: Its place in the batch, from 1.
        record: The record.
        failure: That of its batch, or the one that the step's program reported.
        of_batch: Whether its batch failed as a whole, and has other records.
        pending: Whether its batch never started.
    """

    child: str
    number: int
    record: Any
    failure: Failure
    of_batch: bool = False
    pending: bool = False

    @property
    def name(self) -> str:
        """Return its name in the run: the child, and its number there, since AWS counts no further."""
        return f"{self.child}:{self.number}"

    def item(self) -> ItemFailure:
        """Return it as one of the items of a run."""
        return ItemFailure(self.name, self.failure, RECORD, of_batch=self.of_batch, pending=self.pending)


def lost_records(store: Store, run: MapRunDescription) -> Iterator[LostRecord]:
    """Yield the records without a result of a Map Run that ended: failed ones, reported ones, then pending ones.

    Args:
        store: The store of its result files.
        run: The Map Run; one without result files has none.

    Raises:
        MissingObject: while AWS has not written the files.
    """
    if run.results is None:
        return
    if run.executions.unsuccessful:
        for row in result_rows(store, run.results, "FAILED"):
            yield from _of_batch(row.child.get("Name", ""), records_in(row), classify(row.error, row.cause))
    if run.executions.succeeded:
        for row in result_rows(store, run.results, "SUCCEEDED"):
            for index, record, failure in reported_failures(row):
                yield LostRecord(str(row.child.get("Name", "")), index + 1, record, failure)
    if run.status != "SUCCEEDED":
        for row in result_rows(store, run.results, "PENDING"):
            yield from _of_batch(WAITING, records_in(row), NEVER_STARTED, pending=True)


def _of_batch(child: Any, records: Sequence[Any], failure: Failure, *, pending: bool = False) -> Iterator[LostRecord]:
    for index, record in enumerate(records):
        yield LostRecord(str(child), index + 1, record, failure, of_batch=len(records) > 1, pending=pending)

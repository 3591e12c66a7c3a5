"""Records without a result, from the files of ResultWriter of Map Runs on AWS, one row at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.record_rows import records_in, reported_failures
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.runs.map_run_ends import NEVER_STARTED
from genomics_pipeline.stores.protocol import Store

WAITING = "pending"  # in place of the name of a child that never started


def failed_records(store: Store, run: MapRunDescription) -> Iterator[FailedRecord]:
    """Yield the records without a result of a Map Run that ended: failed ones, reported ones, then pending ones.

    Args:
        store: The store of its result files.
        run: The Map Run; one without result files has none.

    Raises:
        MissingObject: while AWS has not written the files.
    """
    if run.results is None:
        return
    statuses = {"FAILED": run.executions.unsuccessful, "SUCCEEDED": run.executions.succeeded}
    yield from failures_in_results(store, run.results, [status for status, number in statuses.items() if number])
    if run.status != "SUCCEEDED":
        for row in result_rows(store, run.results, "PENDING"):
            yield from _of_batch(WAITING, records_in(row), NEVER_STARTED, pending=True)


def failures_in_results(
    store: Store, results: Mapping[str, str], statuses: Collection[str] = ("FAILED", "SUCCEEDED")
) -> Iterator[FailedRecord]:
    """Yield the records that failed with their batch, and those that the step's program reported.

    Args:
        store: The store of the result files.
        results: ResultWriterDetails of the Map Run.
        statuses: The statuses of children that the Map Run has.
    """
    if "FAILED" in statuses:
        for row in result_rows(store, results, "FAILED"):
            yield from _of_batch(row.child.get("Name", ""), records_in(row), classify(row.error, row.cause))
    if "SUCCEEDED" in statuses:
        for row in result_rows(store, results, "SUCCEEDED"):
            for index, record, failure in reported_failures(row):
                yield FailedRecord(index + 1, record, failure, str(row.child.get("Name", "")))


def _of_batch(child: Any, records: Sequence[Any], failure: Failure, *, pending: bool = False) -> Iterator[FailedRecord]:
    for index, record in enumerate(records):
        yield FailedRecord(index + 1, record, failure, str(child), of_batch=len(records) > 1, pending=pending)

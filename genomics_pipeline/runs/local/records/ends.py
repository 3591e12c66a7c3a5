"""The ends of records in one execution: results and failures, each with its number among the execution's records."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.record_rows import answer, child_number, records_in, reported_failures
from genomics_pipeline.records.result_files import newest_details, result_rows
from genomics_pipeline.records.result_row import ResultRow
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.runs.map_run_ends import NEVER_STARTED
from genomics_pipeline.stores.protocol import Store


@dataclass(frozen=True, slots=True)
class StageResult:
    """The result of a stage over one batch.

    Attributes:
        stage: The stage.
        value: The JSON value that its program returned.
        records: The number of records of the batch.
    """

    stage: str
    value: Any
    records: int


@dataclass(frozen=True, slots=True)
class _Failed:
    """A failed record by its child and its place there."""

    child: int
    index: int
    record: Any
    failure: Failure
    of_batch: bool
    pending: bool


class RecordEnds:
    """The ends of the records of one Map Run, read in bounded memory.

    Args:
        store: The store of its result files.
        run: The Map Run, which has result files.
    """

    def __init__(self, store: Store, run: MapRunDescription) -> None:
        self._store = store
        self._details = newest_details(store, run.results or {})
        self._sizes = array("q")  # records of each child; -1 for one that is not known yet
        self._reporting: set[int] = set()  # children whose program reported failures
        self._waiting = array("q")  # children that never started

    def results(self) -> Iterator[StageResult]:
        """Yield the results of the batches that succeeded, in the order of the records; call it before `failures`."""
        for row in self._rows("SUCCEEDED"):
            found, child = answer(row), child_number(row)
            self._set_size(child, found.records)
            if found.failures:
                self._reporting.add(child)
            yield StageResult(found.stage, found.result, found.records)
        for row in self._rows("FAILED"):
            self._set_size(child_number(row), len(records_in(row)))
        unknown = iter([child for child, size in enumerate(self._sizes) if size < 0])
        for row in self._rows("PENDING"):  # they have no names, but the order of the records
            child = next(unknown, len(self._sizes))
            self._set_size(child, len(records_in(row)))
            self._waiting.append(child)

    def count(self) -> int:
        """Read all rows, as `results` does, and return the number of records."""
        for _ in self.results():
            pass
        return self.records

    @property
    def records(self) -> int:
        """The number of records of the Map Run."""
        return sum(size for size in self._sizes if size > 0)

    def failures(self) -> Iterator[FailedRecord]:
        """Yield the records that failed or never started, in their order."""
        starts = array("q", [0])
        for size in self._sizes:
            starts.append(starts[-1] + max(size, 0))
        streams = (self._reported(), self._failed(), self._pending())
        for one in heapq.merge(*streams, key=lambda failed: (failed.child, failed.index)):
            number = starts[one.child] + one.index + 1
            yield FailedRecord(number, one.record, one.failure, of_batch=one.of_batch, pending=one.pending)

    def _rows(self, kind: str) -> Iterator[ResultRow]:
        return result_rows(self._store, self._details, kind)

    def _set_size(self, child: int, size: int) -> None:
        while len(self._sizes) <= child:
            self._sizes.append(-1)
        self._sizes[child] = size

    def _reported(self) -> Iterator[_Failed]:
        if not self._reporting:
            return
        for row in self._rows("SUCCEEDED"):
            if (child := child_number(row)) not in self._reporting:
                continue
            for index, record, failure in reported_failures(row):
                yield _Failed(child, index, record, failure, of_batch=False, pending=False)

    def _failed(self) -> Iterator[_Failed]:
        for row in self._rows("FAILED"):
            failure = classify(row.error, row.cause)
            yield from _of_batch(child_number(row), records_in(row), failure, pending=False)

    def _pending(self) -> Iterator[_Failed]:
        for child, row in zip(self._waiting, self._rows("PENDING"), strict=True):
            yield from _of_batch(child, records_in(row), NEVER_STARTED, pending=True)


def _of_batch(child: int, records: Sequence[Any], failure: Failure, pending: bool) -> Iterator[_Failed]:
    for index, record in enumerate(records):
        yield _Failed(child, index, record, failure, of_batch=len(records) > 1, pending=pending)


def renumbered(failures: Iterable[FailedRecord], numbers: Sequence[int]) -> Iterator[FailedRecord]:
    """Yield failures of a rerun with the numbers that their records have in the run.

    Args:
        failures: The failures.
        numbers: The numbers of the rerun's records, in their order.
    """
    return (replace(one, number=numbers[one.number - 1]) for one in failures)

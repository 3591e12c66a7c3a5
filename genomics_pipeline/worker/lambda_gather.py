"""The argument of ``handle`` in the program of a step on Lambda that gathers: the results of all records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.records.record_rows import answer, records_in, reported_failures
from genomics_pipeline.records.result_files import newest_details, result_rows
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.function_files import FunctionFiles
from genomics_pipeline.worker.lambda_batch import HandledCall


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of a batch.

    Attributes:
        value: The JSON value that the program of the stage returned.
        records: The number of records of the batch.
        files: The URIs of the files that it wrote, by output.
    """

    value: Any
    records: int
    files: Mapping[str, str]


class Gathered(HandledCall):
    """The results of all records, with what a step's program may know of its task.

    Attributes:
        missing: The number of records without a result; 0 unless the step's input says ``missing = true``.
    """

    def __init__(self, parameters: Mapping[str, Any], files: FunctionFiles, rows: GatheredRows, missing: int) -> None:
        super().__init__(parameters, files)
        self.missing = missing
        self._rows = rows

    def results(self) -> Iterator[BatchResult]:
        """Yield the results of all batches, those of reruns last; on AWS in no order."""
        return self._rows.results()


class GatheredRows:
    """ResultWriter's rows of the Map Runs of a run, read in bounded memory.

    Args:
        store: The store of the files.
        earlier: ResultWriterDetails of the Map Runs of earlier executions.
        newest: Likewise of this one.
    """

    def __init__(self, store: Store, earlier: Sequence[Mapping[str, str]], newest: Sequence[Mapping[str, str]]) -> None:
        self._store = store
        self._earlier = [newest_details(store, one) for one in earlier]
        self._newest = [newest_details(store, one) for one in newest]

    def results(self) -> Iterator[BatchResult]:
        """Yield the results of all batches."""
        for details in (*self._earlier, *self._newest):
            for row in result_rows(self._store, details, "SUCCEEDED"):
                found = answer(row)
                yield BatchResult(found.result, found.records, found.files)

    def lost(self) -> int:
        """Count the records of this execution without a result: of failed and pending batches, and reported ones."""
        lost = 0
        for details in self._newest:
            for kind in ("FAILED", "PENDING"):
                lost += sum(len(records_in(row)) for row in result_rows(self._store, details, kind))
            lost += sum(len(list(reported_failures(row))) for row in result_rows(self._store, details, "SUCCEEDED"))
        return lost

"""The outcome of a run over records: its file of results, its failures, and their counts, over all its executions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from genomics_pipeline.engine.progress import read_progress
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.records.map_run import describe_map_run
from genomics_pipeline.records.record_rows import result_lines
from genomics_pipeline.report.record_failures import RecordRow, record_table
from genomics_pipeline.report.run_state import ItemFailure, Missing
from genomics_pipeline.runs.local.chain import local_chain
from genomics_pipeline.runs.local.records.ends import FailedRecord, RecordEnds, StageResult, renumbered
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.publish import publishing


@dataclass(slots=True)
class RecordOutcome:
    """The outcome of a run over records.

    Attributes:
        records: The number of records of the run.
        ran: The number of records that the newest execution had.
        lines: The number of lines by key of a file of results.
        missing: The records without a result.
        first_failure: The first record that failed; None if none did.
    """

    records: int = 0
    ran: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    missing: Missing = field(default_factory=lambda: Missing(0))
    first_failure: FailedRecord | None = None


def write_outcome(folder: RunFolder, last_stage: str) -> RecordOutcome:
    """Write ``results/`` and ``failures.tsv`` of a run whose newest execution ended, and return its outcome.

    Results are in the order of the records, those of reruns after those of the run itself. A list has a line for each
    element, null has none, and any other result is a line of its own.

    Args:
        folder: The folder of the run.
        last_stage: The last stage of the pipeline, whose results a child returns.
    """
    outcome = RecordOutcome(lines={run_layout.record_results(last_stage): 0})
    executions = [(execution, list(_ends(folder, execution))) for execution in local_chain(folder)]
    _write_results(folder, executions, last_stage, outcome)
    with publishing(folder.failures, folder.path) as out:
        for line in record_table(map(record_row, _counted(_failures(folder, executions), outcome))):
            out.write(line.encode())
    outcome.missing.samples = outcome.records
    return outcome


def failed_records(folder: RunFolder) -> Iterator[FailedRecord]:
    """Yield the records of a run that failed or never started in the newest execution that had them, in their order."""
    executions = [(execution, list(_ends(folder, execution))) for execution in local_chain(folder)]
    for _, ends in executions:
        for one in ends:
            for _ in one.results():
                pass
    yield from _failures(folder, executions)


def item_failure(one: FailedRecord) -> ItemFailure:
    """Return a failed record as one of the items of a run."""
    return ItemFailure(str(one.number), one.failure, RECORD, of_batch=one.of_batch, pending=one.pending)


def label_of(one: FailedRecord) -> str:
    """Return the class of a failed record."""
    return record_row(one).label


def _ends(folder: RunFolder, execution: RunExecution) -> Iterator[RecordEnds]:
    """Yield the ends of an execution's Map Runs, in the order of their starts."""
    ended = read_progress(folder.journal(execution.name)).ended
    for run in sorted(map(describe_map_run, ended), key=lambda one: (one.started, one.uuid)):
        if run.results is not None:
            yield RecordEnds(folder.store, run)


_Executions = Sequence[tuple[RunExecution, Sequence[RecordEnds]]]


def _write_results(folder: RunFolder, executions: _Executions, last_stage: str, outcome: RecordOutcome) -> None:
    key = run_layout.record_results(last_stage)
    with publishing(folder.path / key, folder.path) as out:
        for execution, ends in executions:
            for one in ends:
                for result in one.results():
                    outcome.lines[key] += _write_lines(out, result)
            outcome.ran = sum(one.records for one in ends)
            if execution.manifest == WHOLE:
                outcome.records = outcome.ran


def _write_lines(out: BinaryIO, result: StageResult) -> int:
    lines = result_lines(result.value)
    out.write(b"".join(lines))
    return len(lines)


def _failures(folder: RunFolder, executions: _Executions) -> Iterator[FailedRecord]:
    """Yield the failures of the newest execution that had each record, in the order of the records."""
    remaining: dict[int, FailedRecord] = {}
    for execution, ends in executions:
        failures = _of_execution(ends)
        if execution.manifest == WHOLE:
            if len(executions) == 1:
                yield from failures
                return
            remaining = {one.number: one for one in failures}
            continue
        numbers = read_numbers(folder, execution.manifest)
        for number in numbers:
            remaining.pop(number, None)
        remaining.update((one.number, one) for one in renumbered(failures, numbers))
    yield from (remaining[number] for number in sorted(remaining))


def _of_execution(ends: Iterable[RecordEnds]) -> Iterator[FailedRecord]:
    before = 0
    for one in ends:
        for failed in one.failures():
            yield FailedRecord(before + failed.number, failed.record, failed.failure, failed.of_batch, failed.pending)
        before += one.records


def read_numbers(folder: RunFolder, manifest: str) -> list[int]:
    """Return the numbers in the run of a rerun's records.

    Args:
        folder: The folder of the run.
        manifest: The key of the rerun's manifest, beside which they are.
    """
    key = f"{manifest.rpartition('/')[0]}/{run_layout.NUMBERS}"
    with folder.store.open(folder.uri(key)) as lines:
        return [int(line) for line in lines]


def _counted(failures: Iterable[FailedRecord], outcome: RecordOutcome) -> Iterator[FailedRecord]:
    for one in failures:
        outcome.missing.add(item_failure(one))
        if outcome.first_failure is None and not one.pending:
            outcome.first_failure = one
        yield one


def record_row(one: FailedRecord) -> RecordRow:
    """Return a failed record as a row of the tables of failures."""
    return RecordRow(one.number, one.failure, one.record, one.pending)

"""The outcome of a run over records: its file of results, its failures, and their counts, over all its executions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from genomics_pipeline.engine.progress import read_progress
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.records.map_run import MapRunDescription, describe_map_run
from genomics_pipeline.records.record_rows import result_lines
from genomics_pipeline.report.record_failures import FailedRecord, record_table
from genomics_pipeline.report.run_state import Missing
from genomics_pipeline.runs.counted_files import counted_files
from genomics_pipeline.runs.local.chain import local_chain
from genomics_pipeline.runs.local.records.ends import RecordEnds, StageResult, renumbered
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.publish import publishing

COUNTED = "counted"  # the member of the summary in the record of a run that says what its records were counted in


@dataclass(slots=True)
class RecordOutcome:
    """The outcome of a run over records.

    Attributes:
        records: The number of records of the run.
        ran: The number of records that the newest execution had.
        lines: The number of lines by key of a file of results.
        files: The sizes in bytes by key of the files that a stage that gathers wrote.
        missing: The records without a result.
        first_failure: The first record that failed; None if none did.
    """

    records: int = 0
    ran: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    missing: Missing = field(default_factory=lambda: Missing(0))
    first_failure: FailedRecord | None = None


def write_outcome(folder: RunFolder, pipeline: Pipeline) -> RecordOutcome:
    """Write ``results/`` and ``failures.tsv`` of a run whose newest execution ended, and return its outcome.

    Results are in the order of the records, those of reruns after those of the run itself. A list has a line for each
    element, null has none, and any other result is a line of its own.

    Args:
        folder: The folder of the run.
        pipeline: The pipeline; a child returns the results of its last stage over records.
    """
    last_stage = pipeline.record_stages[-1].name
    outcome = RecordOutcome(lines={run_layout.record_results(last_stage): 0})
    executions = _executions(folder)
    _write_results(folder, executions, last_stage, outcome)
    with publishing(folder.failures, folder.path) as out:
        for line in record_table(_counted(_failures(folder, executions), outcome)):
            out.write(line.encode())
    outcome.missing.samples = outcome.records
    if pipeline.gather_stage:
        _find_gathered(folder, pipeline.gather_stage, outcome)
    return outcome


def _find_gathered(folder: RunFolder, stage: Stage, outcome: RecordOutcome) -> None:
    """Add the files of a stage that gathers, as far as they are there, to the outcome."""
    lines = folder.path / run_layout.record_results(stage.name)
    if lines.is_file():
        with lines.open("rb") as results:
            outcome.lines[run_layout.record_results(stage.name)] = sum(1 for _ in results)
    for name, where in stage.publish.items():
        spec = stage.step.outputs[name]
        key = f"{run_layout.RESULTS}{where.rstrip('/')}/{spec.path}"
        for one in (key, *(f"{key}.{suffix}" for suffix in spec.indexes)):
            if (file := folder.path / one).is_file():
                outcome.files[one] = file.stat().st_size


def failed_records(folder: RunFolder) -> Iterator[FailedRecord]:
    """Yield the records of a run that failed or never started in the newest execution that had them, in their order."""
    executions = _executions(folder)
    for _, ends in executions:
        for one in ends:
            one.count()
    yield from _failures(folder, executions)


def count_missing(folder: RunFolder) -> Missing | None:
    """Return the counts of the records without a result, from all rows; None where all have one."""
    outcome = RecordOutcome()
    for _ in _counted(failed_records(folder), outcome):
        pass
    ends = (ends for execution, ends in _executions(folder) if execution.manifest == WHOLE)
    for one in next(ends):
        outcome.missing.samples += one.count()
    return outcome.missing if outcome.missing.by_scope else None


def counted_in(folder: RunFolder) -> str:
    """Return the sha256 of what the records without a result are counted in; see `counted_files`."""
    executions = ((execution.manifest, runs_with_results(folder, execution)) for execution in local_chain(folder))
    return counted_files(folder.store, executions)


def _ends(folder: RunFolder, execution: RunExecution) -> Iterator[RecordEnds]:
    """Return the ends of an execution's Map Runs, in the order of their starts."""
    return (RecordEnds(folder.store, run) for run in runs_with_results(folder, execution))


def runs_with_results(folder: RunFolder, execution: RunExecution) -> list[MapRunDescription]:
    """Return the Map Runs of an execution that left result files, in the order of their starts."""
    ended = map(describe_map_run, read_progress(folder.journal(execution.name)).ended)
    runs = sorted(ended, key=lambda one: (one.started, one.uuid))
    return [one for one in runs if one.results is not None]


_Executions = Sequence[tuple[RunExecution, Sequence[RecordEnds]]]


def _executions(folder: RunFolder) -> _Executions:
    return [(execution, list(_ends(folder, execution))) for execution in local_chain(folder)]


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
            yield replace(failed, number=before + failed.number)
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
        outcome.missing.add(one.item())
        if outcome.first_failure is None and not one.pending:
            outcome.first_failure = one
        yield one

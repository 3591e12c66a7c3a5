"""The back end of runs over records in a folder of this machine."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from genomics_pipeline.engine.progress import UnfinishedMapRun, read_progress
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.records.fields import Fields, UnreadableRecord
from genomics_pipeline.records.local_run import KIND, LocalRunRecord
from genomics_pipeline.records.map_run import describe_map_run
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.report.run_state import ItemFailure, MapRunState, Missing, RunState
from genomics_pipeline.report.run_summary import CohortOutcome, Outcomes
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.backend import FolderBackend
from genomics_pipeline.runs.local.records.outcome import COUNTED, count_missing, counted_in, failed_records
from genomics_pipeline.runs.local.records.rerun import rerun_records
from genomics_pipeline.runs.local.state import NOTHING_YET
from genomics_pipeline.runs.map_run_ends import map_run_state
from genomics_pipeline.runs.reruns.outcome import RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunRequest
from genomics_pipeline.runs.run_files import LogEnd
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.seen_records import SeenRecords
from genomics_pipeline.stores.publish import publishing


def is_over_records(folder: RunFolder) -> bool:
    """Return whether the run in a folder is one over records, which has no reference."""
    try:
        record = folder.record()
    except UnreadableRecord:
        return False
    return record is not None and not record.arguments.reference


class RecordFolderBackend(FolderBackend):
    """A run over records in a folder of this machine; implements `runs.backend.RunBackend`."""

    def state(self) -> RunState:
        """Read the state from the journal of the newest execution, and from the record of the run."""
        record = self.record()
        folder, status = self._folder, self._folder.status()
        progress = read_progress(folder.journal(f"{folder.name}-{record.execution}"))
        runs = [map_run_state(describe_map_run(one)) for one in progress.ended]
        runs += [_unfinished(one, status) for one in progress.unfinished]
        started = datetime.fromisoformat(record.started).timestamp()
        return RunState(
            run=folder.name,
            place=str(folder.path),
            pipeline=record.pipeline,
            status=status,
            started=started,
            stopped=None if record.seconds is None else started + record.seconds,
            map_runs=runs,
            cohort=(),
            failures=(),
            error=record.error,
            execution=f"{folder.name}-{record.execution}",
            executions=record.execution - record.first + 1,
            missing=None if status == "RUNNING" else self._missing(record),
            accepted=record.accepted,
        )

    def _missing(self, record: LocalRunRecord) -> Missing | None:
        """Return the records without a result: by the summary of the run, or, if its files changed, by these."""
        summary = Fields(self.files.shown_key(run_layout.RECORD), KIND, record.summary, "summary.")
        if record.summary and summary.text(COUNTED) != counted_in(self._folder):
            return count_missing(self._folder)
        if not summary.has("missing"):
            return None
        fields = summary.object("missing")
        return Missing(
            fields.integer("of_records"),
            Counter({RECORD: fields.integer("records")}),
            Counter(fields.object("by_class").integer_by_name()),
            list(fields.texts("first")),
        )

    def record(self) -> LocalRunRecord:
        """Return the record of the run.

        Raises:
            RunError: if nothing was run yet.
        """
        record = self._folder.record()
        if record is None:
            raise RunError(f"{self._folder.path}: {NOTHING_YET}")
        return record

    def outcomes(self, state: RunState, seen: SeenRecords) -> Outcomes:
        """Return none: records have results, but no metrics."""
        return Outcomes(samples=(), cohort=CohortOutcome())

    def failed_items(self) -> list[ItemFailure]:
        """Read the failures from the result files."""
        return [one for one in self.failures() if not one.pending]

    def failures(self) -> Iterator[ItemFailure]:
        """Read the failures from the result files."""
        return (one.item() for one in self.failed_records())

    def failed_records(self) -> Iterator[FailedRecord]:
        """Yield the records that failed or never started, in their order; implements `RecordRun`."""
        return failed_records(self._folder)

    def result_files(self) -> list[tuple[str, int]]:
        """Return the files of results that are there; implements `RecordRun`."""
        return [(str(file), file.stat().st_size) for file in self._result_files()]

    def _result_files(self) -> list[Path]:
        return sorted(file for file in self._folder.results.rglob("*") if file.is_file())

    def copy_results(self, target: Path) -> Iterator[tuple[str, int]]:
        """Copy the files of results to a folder; implements `RecordRun`.

        Args:
            target: The folder.
        """
        for file in self._result_files():
            copy = target / file.relative_to(self._folder.results)
            with file.open("rb") as source, publishing(copy, target) as out:
                shutil.copyfileobj(source, out)
            yield str(copy), file.stat().st_size

    def log_end(self, stage: str, item: str, lines: int, attempt: int | None, failure: Failure | None) -> LogEnd:
        """Refuse it: records have no logs of their own."""
        log = self.files.shown_key(run_layout.function_log(stage))
        raise UsageError(f"expected a run over samples, found one over records; the log of a step's program: {log}")

    def step_logs(self, lines: int) -> Iterator[tuple[str, LogEnd]]:
        """Read the files of what the steps' programs printed; implements `RecordRun`."""
        for log in sorted((self._folder.path / run_layout.STEPS).glob(f"*/{run_layout.LOG}")):
            step = log.parent.name
            yield step, self.files.end_of(run_layout.function_log(step), lines)

    def rerun(self, request: RerunRequest, display: Display) -> RerunOutcome:
        """Run another execution in the folder, to its end."""
        return rerun_records(self._folder, request, self._adapters, display)


def _unfinished(one: UnfinishedMapRun, status: str) -> MapRunState:
    succeeded = one.items["SUCCEEDED"]
    return MapRunState(
        one.label, status, succeeded=succeeded, failed=one.items.total() - succeeded, started=one.started
    )

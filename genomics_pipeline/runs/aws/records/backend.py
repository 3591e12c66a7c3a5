"""The back end of runs over records on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.report.run_state import ItemFailure, RunState
from genomics_pipeline.report.run_summary import CohortOutcome, Outcomes
from genomics_pipeline.runs.aws.backend import AwsBackend
from genomics_pipeline.runs.aws.records.rerun import rerun_records
from genomics_pipeline.runs.aws.records.results import copy_results, result_objects
from genomics_pipeline.runs.aws.records.state import RecordRunWatcher
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.reruns.outcome import RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunRequest
from genomics_pipeline.runs.run_files import LogEnd
from genomics_pipeline.runs.seen_records import SeenRecords


def is_record_run(run: AwsRun) -> bool:
    """Return whether a run on AWS is one over records, which has no reference."""
    return not run.record.reference


class RecordAwsBackend(AwsBackend):
    """A run over records on AWS; implements `runs.backend.RunBackend`."""

    @cached_property
    def _records(self) -> RecordRunWatcher:
        return RecordRunWatcher(self._run)

    def state(self) -> RunState:
        """Read the state from Step Functions."""
        return self._records.now()

    def outcomes(self, state: RunState, seen: SeenRecords) -> Outcomes:
        """Return none: records have results, but no metrics."""
        return Outcomes(samples=(), cohort=CohortOutcome())

    def failed_items(self) -> list[ItemFailure]:
        """Read the failures from the files of ResultWriter."""
        return [one for one in self.failures() if not one.pending]

    def failures(self) -> Iterator[ItemFailure]:
        """Read the failures from the files of ResultWriter."""
        return (one.item() for one in self.failed_records())

    def failed_records(self) -> Iterator[FailedRecord]:
        """Yield the records without a result; implements `RecordRun`."""
        return self._records.records()

    def result_files(self) -> list[tuple[str, int]]:
        """Return the files of ResultWriter with results; implements `RecordRun`."""
        return list(result_objects(self._run))

    def copy_results(self, target: Path) -> Iterator[tuple[str, int]]:
        """Write the results of all executions as JSON Lines; implements `RecordRun`.

        Args:
            target: The folder.
        """
        return copy_results(self._run, target)

    def step_logs(self, lines: int) -> NoReturn:
        """Refuse it: the functions' logs are in CloudWatch Logs; implements `RecordRun`."""
        group = self._run.names.function_log("STEP")
        raise UsageError(f"{self._run.name}: its steps log to CloudWatch Logs, each to the log group {group}")

    def log_end(self, stage: str, item: str, lines: int, attempt: int | None, failure: Failure | None) -> LogEnd:
        """Refuse it: records have no logs of their own."""
        group = self._run.names.function_log("STEP")
        raise UsageError(f"expected a run over samples, found one over records; the log groups of its steps: {group}")

    def rerun(self, request: RerunRequest, display: Display) -> RerunOutcome:
        """Start another execution of the state machine."""
        return rerun_records(self._run, request, display)

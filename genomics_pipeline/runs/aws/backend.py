"""The back end of runs on AWS, on Step Functions, Batch, CloudWatch Logs and the files of the run in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.metric_spec import DeclaredMetrics
from genomics_pipeline.report.run_state import ItemFailure, RunState
from genomics_pipeline.report.run_summary import Outcomes
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.aws.budget import BudgetGuard
from genomics_pipeline.runs.aws.cancel import cancel
from genomics_pipeline.runs.aws.chain import started_children
from genomics_pipeline.runs.aws.deletion import delete_run, run_contents
from genomics_pipeline.runs.aws.deployed import run_problems
from genomics_pipeline.runs.aws.logs import log_end
from genomics_pipeline.runs.aws.redrive import redrive
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.aws.state import AwsRunWatcher
from genomics_pipeline.runs.backend import CancelledRun
from genomics_pipeline.runs.deletion import DeletionRequest, RunContents
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.outcome import outcomes_of_state
from genomics_pipeline.runs.redrive import RedriveOutcome, RedriveRequest
from genomics_pipeline.runs.reruns.outcome import RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunRequest
from genomics_pipeline.runs.run_files import LogEnd, RunFiles
from genomics_pipeline.runs.seen_records import SeenRecords


class AwsBackend:
    """A run on AWS; implements `runs.backend.RunBackend`.

    Args:
        run: The run.
    """

    folder = None
    # All callers in an account together may call DescribeMapRun once a second, with bursts of 200.
    poll_s = 10.0

    def __init__(self, run: AwsRun) -> None:
        self._run = run
        self.files: RunFiles = run.files

    @property
    def requested_pipeline(self) -> str:
        """The pipeline in the record of the run."""
        return self._run.record.requested_pipeline

    def definition_problems(self) -> Iterator[Problem]:
        """Compare the definition with its digest and the deployed one, and the images with this installation."""
        yield from self._run.definition_problems()
        yield from run_problems(self._run)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Nothing: the stack is asked."""
        return ()

    @cached_property
    def _watcher(self) -> AwsRunWatcher:
        return AwsRunWatcher(self._run)

    def state(self) -> RunState:
        """Read the state from Step Functions."""
        return self._watcher.now()

    def state_with(self, times: TimesByStage) -> RunState:
        """Read the state, and give the records that are read for it to `times`."""
        return self._watcher.now(times)

    def declared_metrics(self) -> DeclaredMetrics:
        """Return the metrics in the record of the run."""
        return self._run.record.metrics

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield what the record of the run says."""
        return self._run.facts()

    def outcomes(self, state: RunState, seen: SeenRecords) -> Outcomes:
        """Read the completion records and metrics from S3."""
        return outcomes_of_state(self.files, self._run.record.metrics, state, seen)

    def failed_items(self) -> list[ItemFailure]:
        """Read the failures from the files of ResultWriter, and from Step Functions while a Map Run is running."""
        return self._watcher.failed_items()

    def failures(self) -> Iterator[ItemFailure]:
        """Read the failures from the files of ResultWriter."""
        return self._watcher.all_failures()

    def started_children(self) -> tuple[int, dict[str, int]]:
        """Ask Step Functions for the Map Runs of each execution."""
        return started_children(self._run)

    def budget_guard(self, dollars: float, prices_folder: Path | None, note: Callable[[str], None]) -> BudgetGuard:
        """Return a guard that lowers the concurrency of Map Runs, then cancels the run."""
        return BudgetGuard(self._run, dollars, prices_folder, note)

    def log_end(self, stage: str, item: str, lines: int, attempt: int | None, failure: Failure | None) -> LogEnd:
        """Read the log stream of the Batch job, or ``log.txt`` where the stream no longer exists."""
        return log_end(self._run, stage, item, lines, attempt, failure) or self.files.log_end(stage, item, lines)

    def cancel(self, note: Callable[[str], None]) -> CancelledRun:
        """Stop the execution and terminate its jobs."""
        return cancel(self._run, note)

    def contents(self, request: DeletionRequest) -> RunContents:
        """List the objects of the run."""
        return run_contents(self._run, request)

    def delete(self, request: DeletionRequest, note: Callable[[str], None]) -> None:
        """Delete the objects of the run."""
        delete_run(self._run, request, note)

    def redrive(self, request: RedriveRequest) -> RedriveOutcome:
        """Redrive the newest execution."""
        return redrive(self._run, request)

    def rerun(self, request: RerunRequest, display: Display) -> RerunOutcome:
        """Start another execution of the state machine."""
        from genomics_pipeline.runs.reruns.aws import rerun_aws

        return rerun_aws(self._run, request, display)

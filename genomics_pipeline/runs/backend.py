"""The port through which commands read and change a run, in a folder or on AWS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.report.run_summary import Outcomes
from genomics_pipeline.runs.deletion import DeletionRequest, RunContents
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.readable_run import VerifiableRun
from genomics_pipeline.runs.redrive import RedriveOutcome, RedriveRequest
from genomics_pipeline.runs.reruns.outcome import RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunRequest
from genomics_pipeline.runs.run_files import LogEnd
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.seen_records import SeenRecords


@dataclass(frozen=True, slots=True)
class CancelledRun:
    """The outcome of a cancellation.

    Attributes:
        run: The name of the run.
        status: The status of its newest execution after the cancellation; empty where none began.
        jobs_ended: The number of Batch jobs that were terminated; None for a run in a folder.
        process: The ID of the process that was ended; None on AWS, and where no process ran in the folder.
    """

    run: str
    status: str
    jobs_ended: int | None = None
    process: int | None = None


class Guard(Protocol):
    """A guard of a run that is watched."""

    def look(self, state: RunState) -> None:
        """Check a state of the run, and act on it if need be.

        Raises:
            RunError: if AWS cannot be reached, or refuses.
        """

    def end(self, state: RunState) -> None:
        """Check the last state of the run, and act on it if need be.

        Raises:
            RunError: if AWS cannot be reached, or refuses.
        """


class RunBackend(VerifiableRun, Protocol):
    """A run, in a folder of this machine or on AWS."""

    @property
    def folder(self) -> RunFolder | None:
        """The folder of the run; None on AWS."""

    @property
    def poll_s(self) -> float:
        """The interval in seconds at which `state` is polled."""

    def outcomes(self, state: RunState, seen: SeenRecords) -> Outcomes:
        """Return the outcomes of the samples and of the cohort.

        Args:
            state: The state of the run, which has ended.
            seen: The records that were read for that, with their outputs.

        Raises:
            UnreadableRecord: if the record of the run has its metrics in an unknown form.
        """

    def budget_guard(self, dollars: float, prices_folder: Path | None, note: Callable[[str], None]) -> Guard:
        """Return a guard that keeps a run within a budget while it is watched.

        Args:
            dollars: The budget.
            prices_folder: The folder of the user's own prices.
            note: Shows a line.

        Raises:
            UsageError: for a run in a folder.
            DataError: for a Region without prices.
        """

    def log_end(self, stage: str, item: str, lines: int, attempt: int | None, failure: Failure | None) -> LogEnd:
        """Return the last lines of the log of a stage over an item.

        Args:
            stage: The stage.
            item: The item.
            lines: The greatest number of lines.
            attempt: The attempt of the Batch job, from 1; the last one where it is None.
            failure: The failure of the item, where it failed.

        Raises:
            UsageError: for an attempt of a run in a folder, which keeps the log of the last attempt only.
            RunError: for an attempt that does not exist, or whose log has expired.
        """

    def cancel(self, note: Callable[[str], None]) -> CancelledRun:
        """Cancel the run; do nothing if it has ended.

        Args:
            note: Shows a line of progress.

        Raises:
            RunError: if it cannot be ended.
        """

    def contents(self, request: DeletionRequest) -> RunContents:
        """Return what the run holds, before it is deleted.

        Raises:
            UsageError: for versions of a run in a folder; for a link to a run's folder.
            RunError: if the run is running, or AWS cannot be reached.
        """

    def delete(self, request: DeletionRequest, note: Callable[[str], None]) -> None:
        """Delete the files of the run, its record last, so that an interrupted deletion can be repeated.

        Args:
            request: The request.
            note: Shows a line of progress.

        Raises:
            UsageError: see `contents`.
            RunError: see `contents`; also if a file cannot be deleted.
        """

    def redrive(self, request: RedriveRequest) -> RedriveOutcome:
        """Redrive the newest execution: AWS continues it where it failed.

        Raises:
            RunError: for a run in a folder; if AWS cannot be reached, or refuses for another reason than its state.
        """

    def rerun(self, request: RerunRequest, display: Display) -> RerunOutcome:
        """Start another execution over the samples that failed or never started.

        Raises:
            UsageError: for options that do not fit the run.
            DataError: for a pipeline, step or file that can no longer be used.
            RunError: while an execution is running, if one left no result files, or if AWS refuses.
        """

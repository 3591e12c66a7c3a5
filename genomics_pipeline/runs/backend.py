"""The port of runs: the questions and actions of every command, in a folder or on AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from genomics_pipeline.model.classify import Failure
    from genomics_pipeline.report.run_state import ItemFailure, RunState
    from genomics_pipeline.runs.display import Display
    from genomics_pipeline.runs.redrive import RedriveOutcome, RedriveRequest
    from genomics_pipeline.runs.reruns.outcome import RerunOutcome
    from genomics_pipeline.runs.reruns.request import RerunRequest
    from genomics_pipeline.runs.run_files import LogEnd, RunFiles


@dataclass(frozen=True, slots=True)
class CancelledRun:
    """The outcome of a cancellation.

    Attributes:
        run: The name of the run.
        status: The status of its newest execution now; empty where none began.
        jobs_ended: How many Batch jobs were terminated; None for a run in a folder.
        process: The process that was ended; None on AWS, and where no process ran in the folder.
    """

    run: str
    status: str
    jobs_ended: int | None = None
    process: int | None = None


class RunBackend(Protocol):
    """A run, in a folder of this machine or on AWS."""

    @property
    def files(self) -> RunFiles:
        """The files of the run."""

    @property
    def poll_s(self) -> float:
        """The seconds between two looks at its state."""

    def state(self) -> RunState:
        """Return the state of the run now; a later call asks only for what may have changed.

        Raises:
            RunError: if the run has no execution yet, or AWS cannot be asked.
        """

    def failures(self) -> Iterator[ItemFailure]:
        """Yield every item that failed or was never started, as it is read: few are held at a time.

        An item of a batch may have succeeded all the same: see `runs.item_ends.not_done`.

        Raises:
            RunError: if AWS cannot be asked, or has not written the result files yet.
        """

    def log_end(self, stage: str, item: str, lines: int, attempt: int | None, failure: Failure | None) -> LogEnd:
        """Return the last lines that the program of a stage wrote for an item.

        Args:
            stage: The stage.
            item: The item.
            lines: How many lines at most.
            attempt: The attempt of the Batch job, from 1; the last one where it is None.
            failure: The failure of the item, where it failed.

        Raises:
            UsageError: for an attempt, in a folder, which keeps only the last log.
            RunError: for an attempt that there was not, or whose log has expired.
        """

    def cancel(self, note: Callable[[str], None]) -> CancelledRun:
        """End what runs. A run that has ended stays as it is.

        Raises:
            RunError: if it cannot be ended.
        """

    def redrive(self, request: RedriveRequest) -> RedriveOutcome:
        """Continue the newest execution where it failed, as AWS redrives it.

        Raises:
            RunError: for a run in a folder; if AWS cannot be asked, or refuses for another reason than its state.
        """

    def rerun(self, request: RerunRequest, display: Display) -> RerunOutcome:
        """Start another execution over the samples that failed or never began.

        Raises:
            UsageError: for options that do not fit the run.
            DataError: for a pipeline, step or file that cannot be used any more.
            RunError: while an execution runs, or left no result files; if AWS refuses.
        """

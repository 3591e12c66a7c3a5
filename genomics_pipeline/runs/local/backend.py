"""The back end of runs in a folder of this machine, on the journal of the engine and the files of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import Problem, RunError, UsageError
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.report.run_summary import Outcomes
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.backend import CancelledRun
from genomics_pipeline.runs.deletion import DeletionRequest, RunContents
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.cancel import cancel
from genomics_pipeline.runs.local.deletion import delete_folder, folder_contents
from genomics_pipeline.runs.local.reader import FolderReader
from genomics_pipeline.runs.outcome import outcomes_of_state
from genomics_pipeline.runs.redrive import RedriveRequest
from genomics_pipeline.runs.reruns.outcome import RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunRequest
from genomics_pipeline.runs.run_files import LogEnd
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.seen_records import SeenRecords
from genomics_pipeline.stores.protocol import MissingObject


class FolderBackend(FolderReader):
    """A run in a folder of this machine; implements `runs.backend.RunBackend`.

    Args:
        folder: The folder.
        adapters: The store that reads files, and the environment of containers, for reruns.
    """

    poll_s = 1.0

    def __init__(self, folder: RunFolder, adapters: Adapters) -> None:
        super().__init__(folder, adapters.store)
        self._adapters = adapters

    @property
    def folder(self) -> RunFolder:
        """The folder."""
        return self._folder

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Nothing: all is in the folder."""
        return ()

    def definition_problems(self) -> Iterator[Problem]:
        """Compare the definition, the input and the items in the folder with the digest in the record of the run."""
        record, folder = self._folder.executed(), self._folder
        is_whole = record.execution == record.first
        place = folder.definition if is_whole else folder.path / record.input
        try:
            found = folder.digest() if is_whole else sha256(folder.store.read(folder.uri(record.input))).hexdigest()
        except MissingObject as error:
            yield Problem(str(error))
            return
        if found != record.digest:
            what = "the definition, input and items" if is_whole else "the input"
            yield Problem(f"expected {what} of the digest {record.digest}, found {found}", str(place))

    def outcomes(self, state: RunState, seen: SeenRecords) -> Outcomes:
        """Read the completion records and metrics from the folder."""
        return outcomes_of_state(self.files, self.declared_metrics(), state, seen)

    def budget_guard(self, dollars: float, prices_folder: Path | None, note: Callable[[str], None]) -> NoReturn:
        """Refuse it: a run here costs nothing while it runs."""
        raise UsageError(f"--budget: expected a run on AWS, found one in a folder, {self.files.shown}; use `cancel`")

    def log_end(self, stage: str, item: str, lines: int, attempt: int | None, failure: Failure | None) -> LogEnd:
        """Read ``log.txt``."""
        if attempt is not None:
            raise UsageError(
                "--attempt: expected a run on AWS, found one in a folder, which keeps the last attempt's log"
            )
        return self.files.log_end(stage, item, lines)

    def state(self) -> RunState:
        """Read the state from the journal, and ask Slurm for the head if that is a job.

        Raises:
            RunError: if nothing was run in the folder, and no head waits or runs.
        """
        path = self._folder.path
        if not (path / run_layout.SLURM_HEAD).is_dir():
            return super().state()
        from genomics_pipeline.runs.slurm.head import RunHead

        run_head = RunHead(path, self._adapters.environment)
        head = run_head.describe()
        if self._folder.record() is None:
            if head is None:
                shown = command_line("logs", str(path), "--head")
                raise RunError(f"{path}: expected an execution, found none, and its head has ended: {shown}")
            began, name = run_head.submitted(), self._folder.name
            return RunState(name, str(path), "not begun", "RUNNING", began, None, [], [], [], head=head)
        state = super().state()
        waits = head is not None and state.status == "ABORTED"  # a head that was put back into the queue
        return replace(state, head=head, status="RUNNING" if waits else state.status)

    def cancel(self, note: Callable[[str], None]) -> CancelledRun:
        """End the process that runs in the folder, and the head and the jobs of the run in Slurm."""
        from genomics_pipeline.runs.slurm.cancelled_jobs import cancel_jobs
        from genomics_pipeline.runs.slurm.head import RunHead

        RunHead(self._folder.path, self._adapters.environment).cancel(note)
        cancelled = cancel(self._folder, note)
        cancel_jobs(self._folder.path, self._adapters.environment, note)
        return cancelled

    def contents(self, request: DeletionRequest) -> RunContents:
        """Count the files of the run."""
        _refuse_versions(request)
        return folder_contents(self._folder)

    def delete(self, request: DeletionRequest, note: Callable[[str], None]) -> None:
        """Delete the files of the run, and its folder."""
        _refuse_versions(request)
        delete_folder(self._folder, note)

    def redrive(self, request: RedriveRequest) -> NoReturn:
        """Refuse: only AWS redrives executions."""
        path = self._folder.path
        rerun = command_line("rerun", str(path))
        advice = f"use `{rerun}` after a failure, `run --resume` after an interruption"
        raise RunError(f"{path}: expected a run on AWS, found one of this machine, which cannot be redriven; {advice}")

    def rerun(self, request: RerunRequest, display: Display) -> RerunOutcome:
        """Run another execution in the folder, to its end."""
        from genomics_pipeline.runs.reruns.local import rerun_local

        return rerun_local(self._folder, request, self._adapters, display)


def _refuse_versions(request: DeletionRequest) -> None:
    if request.versions:
        raise UsageError("--versions: expected a run on AWS, found one in a folder, which has no versions of files")

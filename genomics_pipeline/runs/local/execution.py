"""Executions of a run in a folder: new or resumed, of the run itself or of a rerun."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.progress import read_progress
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.local_run import LocalRunRecord, RunArguments
from genomics_pipeline.records.map_run import MapRunDescription, describe_map_run
from genomics_pipeline.report.ledger import tsv_lines
from genomics_pipeline.report.run_summary import CohortOutcome, RunSummary
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.item_ends import count_missing, unfinished_items
from genomics_pipeline.runs.ledger import ledger_rows
from genomics_pipeline.runs.local.state import folder_failures
from genomics_pipeline.runs.lost_items import reopened_items
from genomics_pipeline.runs.outcome import (
    cohort_outcome,
    declared_metrics,
    failure_message,
    run_error,
    sample_outcomes,
    scopes_of,
)
from genomics_pipeline.runs.run_files import folder_files
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.publish import make_folders, remove
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.step_folder import StepFolder

REOPENED = "outputs were lost or damaged: another execution makes them again; what is done is reused"


@dataclass(slots=True)
class LocalExecution:
    """One execution of a run in a folder.

    Attributes:
        folder: The folder of the run.
        pipeline: The pipeline of the run.
        steps: The steps of the pipeline.
        parameters: The overrides of the run itself, by stage and name.
        arguments: The arguments with which the run was started.
        accepted: The greatest ``percentage`` and ``count`` of samples that the user accepts to miss; None for none.
        number: The number of the execution in the folder, from 1.
        first: The number of the newest execution over the whole manifest.
        input: The file with its input.
        digest: The sha256 of everything that determines it; see `RunFolder.digest`.
        jobs: The runner of its jobs.
        store: The store of the files of the run, local files and S3.
        before: The record of the run before this execution; None for the first, and where it could not be read.
        started: The time of its start, in seconds since the epoch.
    """

    folder: RunFolder
    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    parameters: Mapping[str, Mapping[str, Value]]
    arguments: RunArguments
    accepted: Mapping[str, float] | None
    number: int
    first: int
    input: Path
    digest: str
    jobs: JobRunner
    store: RoutedStore
    before: LocalRunRecord | None = None
    started: float = field(default_factory=time.time)

    @property
    def name(self) -> str:
        """The name of the execution."""
        return f"{self.folder.name}-{self.number}"

    def following(self, jobs: JobRunner) -> LocalExecution:
        """Return another execution over the whole run, which makes again what this one found lost or damaged.

        Args:
            jobs: The runner of its jobs.
        """
        number = self.folder.next_execution()
        return replace(
            self,
            number=number,
            first=number,
            input=self.folder.input,
            digest=self.folder.digest(),
            jobs=jobs,
            before=None,
            started=time.time(),
        )

    def run(self, display: Display, resume: str) -> ExecutionResult:
        """Run the execution to its end.

        Args:
            display: Shows the progress.
            resume: The words for the command that resumes it, for the note after an interruption.
        """
        self.record("RUNNING")
        remove(self.folder.failures)  # left by the execution before
        try:
            result = self._execute(display)
        except KeyboardInterrupt:
            self.record("ABORTED")
            display.note(f"interrupted; {resume} continues the run: {self.folder.path}")
            raise
        self.record(result.status)  # whatever happens from here on, the execution has ended
        return result

    def _execute(self, display: Display) -> ExecutionResult:
        make_folders(self.folder.journal(self.name), self.folder.path)
        return execute(
            dict(read_run_definition(self.folder.store, self._uri(self.folder.definition))),
            read_input(self.folder.store, self._uri(self.input)).to_json(),
            name=self.name,
            state_machine=self.pipeline.name,
            store=self.store,
            tasks=Handlers(BatchTasks(self.jobs).handlers()),
            journal=self.folder.journal(self.name),
            observer=display.event,
        )

    def _uri(self, file: Path) -> str:
        """Return the URI of a file of the run."""
        return self.folder.uri(str(file.relative_to(self.folder.path)))

    def summary(self, result: ExecutionResult) -> RunSummary:
        """Write ``failures.tsv`` after the execution, and return the summary of the run."""
        folder, work = self.folder, self.jobs.report()
        pipeline = self.pipeline.of_run(self.parameters)
        files = folder_files(folder, self.store)
        unfinished = list(unfinished_items(files, files.groups(), folder_failures(folder, files, result.status)))
        folder.write(folder.failures, tsv_lines(ledger_rows(files, unfinished)))
        failures = (one for one in unfinished if one.scope == "sample" and not one.pending)
        failed = {one.item: failure_message(one.failure) for one in failures}
        succeeded = result.status == "SUCCEEDED"
        failure = None if succeeded else classify(result.error or "", result.cause or "")
        missing = count_missing(files, unfinished)
        metrics = declared_metrics(pipeline)
        return RunSummary(
            run=str(folder.path),
            status=result.status,
            samples=list(sample_outcomes(files, metrics["sample"], failed, work.ran)),
            cohort=cohort_outcome(files, metrics[COHORT]) if succeeded else CohortOutcome(),
            metrics=metrics,
            ran=len(work.ran),
            reused=len(work.reused),
            missing=missing,
            accepted=self.accepted,
            reopened=reopened_items(files, files.groups(), unfinished),
            error=run_error(failure, self._map_runs(), scopes_of(files)) if failure else None,
        )

    def _map_runs(self) -> list[MapRunDescription]:
        """Return the Map Runs of the execution that ended."""
        return list(map(describe_map_run, read_progress(self.folder.journal(self.name)).ended))

    def record(self, status: str, summary: RunSummary | None = None) -> None:
        """Replace ``run.json``; it has a summary once the execution has ended.

        An execution that repeats a run that succeeded, and runs nothing, leaves the times of that run as they were.
        """
        started = datetime.fromtimestamp(self.started, UTC).isoformat(timespec="milliseconds")
        members = summary.with_keys().to_json() if summary else {}
        before = self.before
        if before and before.status == "SUCCEEDED" and summary and summary.status == "SUCCEEDED" and not summary.ran:
            started, members = before.started, {**members, "seconds": before.seconds or 0.0}
        self.folder.save(
            LocalRunRecord(
                run=self.folder.name,
                status=status,
                execution=self.number,
                first=self.first,
                input=str(self.input.relative_to(self.folder.path)),
                digest=self.digest,
                pipeline=self.pipeline.name,
                parameters=self.parameters,
                tolerated=read_input(self.store, str(self.input)).tolerated,
                accepted=self.accepted,
                arguments=self.arguments,
                started=started,
                summary=members,
            )
        )

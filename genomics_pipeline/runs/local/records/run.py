"""A run over records on this machine: its execution, or the resumption of an interrupted one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.events import Event, MapRunEnded, Note
from genomics_pipeline.engine.progress import read_progress
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.lambda_invoke import INVOKE, LambdaInvoke
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.record_input import RecordInput
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.fields import UnreadableRecord, record_text
from genomics_pipeline.records.local_run import LocalRunRecord
from genomics_pipeline.records.map_run import describe_map_run
from genomics_pipeline.records.record_input import read_record_input
from genomics_pipeline.report.record_summary import RecordSummary
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.records.functions import concurrency, local_functions
from genomics_pipeline.runs.local.records.outcome import COUNTED, counted_in, write_outcome
from genomics_pipeline.runs.local.records.place import BUCKET as RECORDS_BUCKET
from genomics_pipeline.runs.local.records.request import RecordPlan, RecordRunRequest, check_records_request
from genomics_pipeline.runs.outcome import run_error
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.publish import make_folders, remove

RESUME = "the same command with --resume"


@dataclass(frozen=True, slots=True)
class RecordExecution:
    """One execution of a run over records.

    Attributes:
        folder: The folder of the run.
        plan: The plan of the run.
        accepted: The greatest ``percentage`` and ``count`` of records that the user accepts to miss; None for none.
        number: The number of the execution in the folder, from 1.
        first: The number of the newest execution over all records.
        input_key: The key of its input.
        digest: The sha256 of everything that determines it.
        started: The time of its start, in seconds since the epoch.
        parameters: The parameters of the run itself, where those of a rerun differ.
    """

    folder: RunFolder
    plan: RecordPlan
    accepted: Mapping[str, float] | None
    number: int
    first: int
    input_key: str
    digest: str
    started: float
    parameters: Mapping[str, Mapping[str, Value]] | None = None

    @property
    def name(self) -> str:
        """The name of the execution."""
        return f"{self.folder.name}-{self.number}"

    def run(
        self, execution_input: Mapping[str, Any], adapters: Adapters, display: Display, resume: str
    ) -> RecordSummary:
        """Run the execution to its end, write its results, and return the summary of the run.

        Args:
            execution_input: Its input.
            adapters: The store that reads files, the environment, and what jobs may use of this machine.
            display: Shows the progress.
            resume: The words for the command that resumes it, for the note after an interruption.

        Raises:
            RunError: if there is no container engine, or an image cannot be built.
            KeyboardInterrupt: on SIGINT.
        """
        started = time.monotonic()
        self._record("RUNNING")
        remove(self.folder.failures)  # left by the execution before
        try:
            result, detail = self._execute(execution_input, adapters, display)
        except KeyboardInterrupt:
            self._record("ABORTED")
            display.note(f"interrupted; {resume} continues the run: {self.folder.path}")
            raise
        summary = replace(self._summary(result, detail), seconds=round(time.monotonic() - started, 3))
        self._record(result.status, summary)
        return summary

    def _execute(
        self, execution_input: Mapping[str, Any], adapters: Adapters, display: Display
    ) -> tuple[ExecutionResult, str | None]:
        """Return the result of the execution, and what is to say of its failure besides the cause."""
        folder, plan, detail = self.folder, self.plan, None

        def observe(event: Event) -> None:
            nonlocal detail
            if isinstance(event, Note):
                event = replace(event, message=self._with_paths(event.message))
            elif isinstance(event, MapRunEnded):
                detail = event.detail or detail
            display.event(event)

        journal = folder.journal(self.name)
        make_folders(journal, folder.path)
        with local_functions(
            plan.pipeline,
            plan.steps,
            folder,
            adapters,
            display,
            overrides=plan.overrides,
            containers=bool(plan.arguments.containers),
        ) as functions:
            result = execute(
                dict(read_run_definition(folder.store, folder.uri(run_layout.DEFINITION))),
                dict(execution_input),
                name=self.name,
                state_machine=plan.pipeline.name,
                store=adapters.store.with_buckets({BUCKET: folder.path, **plan.found.buckets}),
                tasks=Handlers({INVOKE: LambdaInvoke(functions)}),
                journal=journal,
                observer=observe,
            )
        return result, detail

    def _summary(self, result: ExecutionResult, detail: str | None) -> RecordSummary:
        outcome = write_outcome(self.folder, self.plan.pipeline)
        error = None
        if result.status != "SUCCEEDED":
            failure = classify(result.error or "", result.cause or "")
            ended = list(map(describe_map_run, read_progress(self.folder.journal(self.name)).ended))
            error = run_error(failure, ended, {one.label: RECORD for one in ended})
            error = self._with_paths(f"{detail}; Step Functions says: {error}" if detail else error)
            if first := outcome.first_failure:
                error += f"; the first failure: record {first.number:,}: {first.failure.message.partition(chr(10))[0]}"
        elif not outcome.records:
            error = f"{self.plan.arguments.manifest}: expected records, found none"
        return RecordSummary(
            run=str(self.folder.path),
            status=result.status,
            records=outcome.records,
            ran=outcome.ran,
            results={str(self.folder.path / key): lines for key, lines in outcome.lines.items()},
            files={str(self.folder.path / key): size for key, size in outcome.files.items()},
            missing=outcome.missing if outcome.missing.by_scope else None,
            accepted=self.accepted,
            error=error,
        )

    def _with_paths(self, message: str) -> str:
        """Return a message of the engine with the user's paths in place of buckets."""
        folders = {RECORDS_BUCKET: self.plan.found.buckets.get(RECORDS_BUCKET), BUCKET: self.folder.path}
        for bucket, path in folders.items():
            message = message.replace(f"s3://{bucket}/", f"{path}/")
        return message

    def _record(self, status: str, summary: RecordSummary | None = None) -> None:
        plan = self.plan
        self.folder.save(
            LocalRunRecord(
                run=self.folder.name,
                status=status,
                execution=self.number,
                first=self.first,
                input=self.input_key,
                digest=self.digest,
                pipeline=plan.pipeline.name,
                parameters=plan.overrides if self.parameters is None else self.parameters,
                tolerated=plan.tolerated,
                accepted=self.accepted,
                arguments=plan.arguments,
                started=datetime.fromtimestamp(self.started, UTC).isoformat(timespec="seconds"),
                summary={**summary.with_keys().to_json(), COUNTED: counted_in(self.folder)} if summary else {},
            )
        )


def run_records(request: RecordRunRequest, adapters: Adapters, display: Display) -> RecordSummary:
    """Check a request and run it to its end.

    Args:
        request: The arguments of the run.
        adapters: The store that reads files, the environment, and what jobs may use of this machine.
        display: Shows the progress.

    Raises:
        UsageError: see `check_records_request`.
        DataError: see `check_records_request`.
        RunError: if another process is running in the folder, or containers cannot be used.
    """
    folder = RunFolder(request.out)
    plan = check_records_request(request, folder, adapters.store)
    document = canonical_json(generate(plan.pipeline))
    folder.create()
    with folder.lock(display.note):
        planned = record_input(folder, plan, adapters)
        # Another number of processes gives the same results, and must not keep a run from being resumed.
        fixed = record_text(replace(planned, max_concurrency=None).to_json())
        digest = sha256(f"{document}\0{fixed}\0{plan.found.version}".encode()).hexdigest()
        number = _resumable(folder, digest, display) if request.resume else None
        started, execution_input = time.time(), planned.to_json()
        if number is not None:
            execution_input = read_record_input(folder.store, folder.uri(run_layout.INPUT)).to_json()
        else:
            number = folder.next_execution()
            folder.write(folder.definition, document)
            folder.write(folder.input, record_text(execution_input))
            if plan.found.texts:
                folder.write(folder.path / run_layout.RECORDS, plan.found.texts())
        execution = RecordExecution(folder, plan, request.accepted, number, number, run_layout.INPUT, digest, started)
        return execution.run(execution_input, adapters, display, RESUME)


def record_input(folder: RunFolder, plan: RecordPlan, adapters: Adapters) -> RecordInput:
    """Return the input of the execution over all records of a run.

    Args:
        folder: The folder of the run.
        plan: The plan of the run.
        adapters: What jobs may use of this machine.
    """
    settings = plan.pipeline.maps[RECORD]
    parts = min(settings.map_runs, len(plan.found.place.prefixes) or 1)
    return RecordInput(
        RunPlace(folder.name, BUCKET, ""),
        plan.found.place,
        settings.source.listed,
        plan.overrides,
        plan.tolerated,
        max(1, concurrency(plan.pipeline, adapters) // parts),
    )


def _resumable(folder: RunFolder, digest: str, display: Display) -> int | None:
    """Return the number of the execution that can be resumed, after showing it; None after showing why none can be."""
    try:
        record = folder.record()
    except UnreadableRecord:
        record = None
    if record is None or record.digest != digest or record.status not in ("RUNNING", "ABORTED"):
        display.note("nothing to resume: the last execution ended, or its records, pipeline or parameters changed")
        return None
    name = f"{folder.name}-{record.execution}"
    if read_progress(folder.journal(name)).result is not None:
        display.note(f"execution {name} had ended; its results are written")
    else:
        display.note(f"resuming execution {name}")
    return record.execution

"""The replay of a record of a run over records: its step over a batch of this record alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomics_pipeline.asl.single_batch import RECORDS, single_batch
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.events import Event
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.lambda_invoke import INVOKE, LambdaInvoke
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.record_task import RecordAnswer
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.record_input import read_record_input
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.report.replay_outcome import ReplayOutcome, replay_verdict
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.local.records.functions import local_functions
from genomics_pipeline.runs.own_definition import is_generated_here
from genomics_pipeline.runs.replays.folder import REPLAYS, ReplayFolder, make_folder
from genomics_pipeline.runs.replays.record_origin import RecordOrigin
from genomics_pipeline.runs.replays.request import ReplayRequest
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.run_folder import RunFolder

ALONE = "batch: this record alone, not its batch"
ON_AWS = "host: this machine, not Lambda; its memory and its time limit are those of the step here"
WITHOUT_CONTAINER = "image: the function runs in a process of this installation, not in the container"


@dataclass(frozen=True, slots=True)
class _Notes:
    """A display of lines only; implements `runs.display.Display`."""

    show: Callable[[str], None]

    def note(self, text: str) -> None:
        self.show(text)

    def event(self, event: Event) -> None:
        pass


def replay_record(
    origin: RecordOrigin, request: ReplayRequest, adapters: Adapters, note: Callable[[str], None]
) -> ReplayOutcome:
    """Replay a record that failed; nothing is written into the run.

    Args:
        origin: A run over records.
        request: The request, whose item is the number of the record; on AWS its child execution and its number there.
        adapters: The store of the run, the environment, and the cores and memory of this machine.
        note: Shows a line of progress.

    Raises:
        UsageError: for options of tasks over samples; for a folder that cannot be used.
        RunError: if no such record failed.
    """
    if request.stage is not None or request.subsample is not None or request.region is not None:
        raise UsageError("--stage, --subsample, --region: expected a run over samples, found one over records")
    row, files = _failed(origin, request.item), origin.files
    unlike = [ALONE, *([WITHOUT_CONTAINER] if origin.in_containers else []), *([ON_AWS] if files.is_on_aws else [])]
    for line in unlike:
        note(f"not the same: {line}")
    run = None if files.is_on_aws else Path(files.shown)
    name = f"{files.place.name}-record-{row.name}".replace(":", "-")
    folder = make_folder(request.out, (run.parent if run else Path.cwd()) / REPLAYS / name, run)
    pipeline, _ = load_pipeline(origin.pipeline)
    definition = read_run_definition(files.store, files.place.uri(run_layout.DEFINITION))
    result = _execute(origin, row, definition, folder, adapters, note)
    after = _failure(result)
    same = "the one" if is_generated_here(definition, pipeline, origin.names) else "not what"
    log = folder.path / run_layout.function_log(row.failure.stage or pipeline.stages[0].step.name)
    return ReplayOutcome(
        run=files.shown,
        item=f"record {row.name}",
        stage=row.failure.stage or pipeline.stages[0].name,
        before=row.failure,
        after=after,
        verdict=replay_verdict(row.failure, after, is_part=False, outputs_differ=False),
        definition=f"the run's own, {same} that this installation generates",
        differences=unlike,
        other_outputs=(),
        folder=str(folder.path),
        scratch=None,
        command="",
        log=str(log) if log.is_file() else None,
    )


def _failed(origin: RecordOrigin, item: str) -> FailedRecord:
    """Return the record of this number that failed."""
    number = item.replace(",", "")
    row = next((one for one in origin.rows() if str(one.name) == number and not one.pending), None)
    if row is None:
        raise RunError(
            f"{item}: expected the number of a record that failed, found none; `results --failed` lists them"
        )
    return row


def _execute(
    origin: RecordOrigin,
    row: FailedRecord,
    definition: Mapping[str, Any],
    folder: ReplayFolder,
    adapters: Adapters,
    note: Callable[[str], None],
) -> ExecutionResult:
    files = origin.files
    own = read_record_input(files.store, files.place.uri(_newest_input(files)))
    pipeline, steps = load_pipeline(origin.pipeline)
    try:
        document = single_batch(definition)
    except (LookupError, TypeError, AttributeError):
        place = files.shown_key(run_layout.DEFINITION)
        raise RunError(f"{place}: expected a definition of ours over records, found another") from None
    with local_functions(
        pipeline,
        steps,
        RunFolder(folder.path),
        adapters,
        _Notes(note),
        overrides=own.parameters,
        containers=False,
        names=origin.names,
    ) as functions:
        return execute(
            document,
            {**own.to_json(), RECORDS: [row.value]},
            name=f"{files.place.name}-replay",
            state_machine=pipeline.name,
            store=adapters.store,
            tasks=Handlers({INVOKE: LambdaInvoke(functions)}),
            journal=folder.journal,
        )


def _newest_input(files: RunFiles) -> str:
    """Return the key of the input of the newest execution."""
    key, number = run_layout.INPUT, 1
    while files.store.stat(files.place.uri(again := run_layout.rerun_file(number, run_layout.INPUT))) is not None:
        key, number = again, number + 1
    return key


def _failure(result: ExecutionResult) -> Failure | None:
    """Return the failure of a batch of one record: of the batch, or the one that the program reported."""
    if result.status != "SUCCEEDED":
        return classify(result.error or "", result.cause or "")
    found = RecordAnswer.from_json(result.output)
    if not found.failures:
        return None
    return Failure(FailureClass.BAD_INPUT, found.failures[0].message, stage=found.stage)

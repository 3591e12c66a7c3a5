"""The rerun of a run over records: another execution over the records that failed or never started."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.model.record_input import GatherAgain, RecordInput, RecordsPlace
from genomics_pipeline.model.rerun import merge_parameters
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import record_text
from genomics_pipeline.records.local_run import LocalRunRecord
from genomics_pipeline.records.record_input import read_record_input
from genomics_pipeline.records.rerun import ChosenSamples
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.record_summary import RecordSummary
from genomics_pipeline.report.run_state import CHECKED
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.chain import local_chain
from genomics_pipeline.runs.local.records.functions import concurrency
from genomics_pipeline.runs.local.records.outcome import failed_records, runs_with_results
from genomics_pipeline.runs.local.records.place import FoundRecords
from genomics_pipeline.runs.local.records.request import RecordPlan, request_of
from genomics_pipeline.runs.local.records.run import RecordExecution, run_records
from genomics_pipeline.runs.reruns.failed_choice import FailedChoice
from genomics_pipeline.runs.reruns.outcome import RerunOutcome, nothing_to_run
from genomics_pipeline.runs.reruns.request import RerunRequest, changes
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.publish import publishing

_RESUME = "`genomics-pipeline rerun`"


def rerun_records(folder: RunFolder, request: RerunRequest, adapters: Adapters, display: Display) -> RerunOutcome:
    """Rerun the records of a run that failed or never started; an interrupted execution is resumed instead.

    Args:
        folder: The folder of the run.
        request: The arguments of the rerun.
        adapters: The store that reads files, the environment, and what jobs may use of this machine.
        display: Shows the progress.

    Raises:
        UsageError: for options that do not fit the run.
        DataError: for a pipeline that can no longer be used.
        RunError: if an execution is running, or has to be finished before this rerun.
    """
    record = _record(folder)
    _refuse_options(request)
    if request.dry_run:
        if folder.status() != record.status or record.status in ("RUNNING", "ABORTED"):
            raise RunError(f"{folder.path}: execution {folder.name}-{record.execution} has not ended")
        chosen = _choose(folder, record, request)
        gather = _gather(folder, record, _plan(record), chosen)
        if not chosen.samples and (gather is None or not gather.only):
            return _nothing(folder, chosen)
        return RerunOutcome(str(folder.path), CHECKED, chosen, kind=RECORD)
    if record.status in ("RUNNING", "ABORTED") and record.execution == record.first:
        _refuse_unless_plain(folder, request)
        summary = run_records(request_of(record.arguments, folder, record.accepted), adapters, display)
        return _outcome(folder, summary)
    with folder.lock(display.note):
        record = _record(folder)
        if record.status in ("RUNNING", "ABORTED"):
            _refuse_unless_plain(folder, request)
            return _resume(folder, record, adapters, display)
        return _rerun(folder, record, request, adapters, display)


def _rerun(
    folder: RunFolder, record: LocalRunRecord, request: RerunRequest, adapters: Adapters, display: Display
) -> RerunOutcome:
    plan = _plan(record)
    parameters = merge_parameters(record.parameters, changes(request, plan.pipeline).parameters)
    key = run_layout.rerun_file(record.execution, run_layout.RECORDS)
    chosen = _write_chosen(folder, record, request, key)
    gather = _gather(folder, record, plan, chosen)
    if not chosen.samples and (gather is None or not gather.only):
        return _nothing(folder, chosen)
    execution_input = RecordInput(
        RunPlace(folder.name, BUCKET, ""),
        RecordsPlace(BUCKET, key),
        listed=False,
        parameters=parameters,
        tolerated=record.tolerated,
        max_concurrency=concurrency(plan.pipeline, adapters),
        again=True,
        gather=gather,
    ).to_json()
    number = record.execution + 1
    input_key = run_layout.rerun_file(record.execution, run_layout.INPUT)
    folder.write(folder.definition, canonical_json(generate(plan.pipeline)))
    folder.write(folder.path / input_key, record_text(execution_input))
    accepted = request.accepted or record.accepted
    plan = replace(plan, overrides=parameters)
    execution = _execution(folder, plan, record, number, input_key, accepted)
    return _outcome(folder, execution.run(execution_input, adapters, display, _RESUME), chosen)


def _gather(folder: RunFolder, record: LocalRunRecord, plan: RecordPlan, chosen: ChosenSamples) -> GatherAgain | None:
    """Return what a rerun hands to the stage that gathers; None without one.

    It gathers alone where all records have results, but it failed.
    """
    if plan.pipeline.gather_stage is None:
        return None
    runs = (run for execution in local_chain(folder) for run in runs_with_results(folder, execution))
    earlier = tuple(dict(run.results or {}) for run in runs)
    only = not chosen.samples and not chosen.left_out and record.status == "FAILED"
    return GatherAgain(earlier, chosen.left_out, only)


def _resume(folder: RunFolder, record: LocalRunRecord, adapters: Adapters, display: Display) -> RerunOutcome:
    """Resume an interrupted rerun."""
    execution_input = read_record_input(folder.store, folder.uri(record.input))
    plan = replace(_plan(record), overrides=execution_input.parameters)
    execution = _execution(folder, plan, record, record.execution, record.input, record.accepted)
    display.note(f"resuming execution {execution.name}")
    return _outcome(folder, execution.run(execution_input.to_json(), adapters, display, _RESUME))


def _execution(
    folder: RunFolder,
    plan: RecordPlan,
    record: LocalRunRecord,
    number: int,
    input_key: str,
    accepted: Mapping[str, float] | None,
) -> RecordExecution:
    digest = sha256(folder.store.read(folder.uri(input_key))).hexdigest()
    return RecordExecution(
        folder, plan, accepted, number, record.first, input_key, digest, time.time(), record.parameters
    )


def _plan(record: LocalRunRecord) -> RecordPlan:
    pipeline, steps = load_pipeline(record.arguments.pipeline)
    found = FoundRecords(RecordsPlace(BUCKET, ""), "")
    return RecordPlan(pipeline, steps, record.parameters, found, record.tolerated, record.arguments)


def _choose(folder: RunFolder, record: LocalRunRecord, request: RerunRequest) -> ChosenSamples:
    """Count the records that a rerun would run."""
    choice = FailedChoice(failed_records(folder), request.selection.classes)
    for _ in choice.records():
        pass
    return choice.counts(f"{folder.name}-{record.execution + 1}")


def _write_chosen(folder: RunFolder, record: LocalRunRecord, request: RerunRequest, key: str) -> ChosenSamples:
    """Write the records of a rerun, and their numbers in the run beside them; return their counts."""
    choice = FailedChoice(failed_records(folder), request.selection.classes)
    numbers = folder.path / run_layout.rerun_file(record.execution, run_layout.NUMBERS)
    with publishing(folder.path / key, folder.path) as lines, publishing(numbers, folder.path) as counted:
        for one in choice.records():
            lines.write(dumps(one.value) + b"\n")
            counted.write(b"%d\n" % one.number)
    return choice.counts(f"{folder.name}-{record.execution + 1}")


def _refuse_options(request: RerunRequest) -> None:
    if request.selection.samples:
        raise UsageError("--sample: expected a run over samples, found one over records; --class chooses among these")
    if request.memory:
        raise UsageError("--memory: expected a run over samples; the memory of a step on Lambda is in its step.toml")


def _refuse_unless_plain(folder: RunFolder, request: RerunRequest) -> None:
    if not request.is_plain:
        command = command_line("rerun", str(folder.path))
        raise RunError(f"{folder.path}: the newest execution was interrupted; finish it first: {command}")


def _record(folder: RunFolder) -> LocalRunRecord:
    record = folder.record()
    if record is None:
        raise RunError(f"{folder.path}: expected an execution, found none yet; start it with `genomics-pipeline run`")
    return record


def _nothing(folder: RunFolder, chosen: ChosenSamples) -> RerunOutcome:
    return nothing_to_run(str(folder.path), chosen, accepted=not chosen.left_out, kind=RECORD)


def _outcome(folder: RunFolder, summary: RecordSummary, chosen: ChosenSamples | None = None) -> RerunOutcome:
    chosen = chosen or ChosenSamples(folder.name, summary.ran, {}, (), 0)
    return RerunOutcome(str(folder.path), summary.status, chosen, records=summary)

"""The rerun of a run over records on AWS: another execution, over the records without a result."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.payload_budget import check_items
from genomics_pipeline.asl.record_budget import check_record_budget
from genomics_pipeline.aws.executions import describe, find_execution, start_execution
from genomics_pipeline.aws.run_names import rerun_name
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import CollectedProblems, RunError, UsageError
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.record_input import GatherAgain, RecordInput, RecordsPlace
from genomics_pipeline.model.rerun import merge_parameters
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.records.execution_input import read_concurrency
from genomics_pipeline.records.fields import record_text
from genomics_pipeline.records.rerun import ChosenSamples, RerunRecord, write_rerun
from genomics_pipeline.report.run_state import CHECKED
from genomics_pipeline.runs.aws.chain import aws_map_runs, started_chain
from genomics_pipeline.runs.aws.deployed import definition_problems, function_problems
from genomics_pipeline.runs.aws.records.state import RecordRunWatcher
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.reruns.aws import ended_status
from genomics_pipeline.runs.reruns.chain import RunExecution
from genomics_pipeline.runs.reruns.failed_choice import FailedChoice
from genomics_pipeline.runs.reruns.outcome import AwsRerun, RerunOutcome, nothing_to_run
from genomics_pipeline.runs.reruns.request import RerunRequest, changes
from genomics_pipeline.stores.publish import publishing


def rerun_records(run: AwsRun, request: RerunRequest, display: Display) -> RerunOutcome:
    """Rerun the records of a run that failed or never started.

    Args:
        run: The run.
        request: The arguments of the rerun.
        display: Shows the progress.

    Raises:
        UsageError: for options that do not fit the run.
        DataError: for a pipeline that can no longer be used, and for too many records.
        RunError: if an execution is running or left no result files, or if AWS refuses.
    """
    _refuse_options(request)
    chain = started_chain(run)
    ended_status(run, chain[-1])
    number = len(chain)
    pipeline, parameters = _checked(run, request)
    with TemporaryDirectory() as folder:
        file = Path(folder) / run_layout.RECORDS
        chosen = _write(run, file, rerun_name(run.name, number), request.selection.classes)
        gather = _gather(run, chain, chosen) if pipeline.gather_stage else None
        if not chosen.samples and (gather is None or not gather.only):
            return nothing_to_run(run.name, chosen, accepted=not chosen.left_out, kind=RECORD)
        check_items(f"the rerun of {run.name}", chosen.samples, file.stat().st_size)
        if request.dry_run:
            return RerunOutcome(run.name, CHECKED, chosen, kind=RECORD)
        display.note(f"uploading to {_uri(run, number, '')}")
        run.store.publish(file, _uri(run, number, run_layout.RECORDS))
    execution_input = _input(run, parameters, number, gather)
    run.store.write(_uri(run, number, run_layout.INPUT), record_text(execution_input).encode())
    arn = run.deployment.execution_arn(run.record.pipeline, chosen.execution)
    record = RerunRecord(
        number=number,
        execution=chosen.execution,
        parent=chain[-1].name,
        manifest=run_layout.rerun_file(number, run_layout.RECORDS),
        classes=tuple(request.selection.classes),
        names=(),
        parameters=execution_input["parameters"],
        memory_mib={},
        chosen=chosen,
        begun=datetime.now(UTC).isoformat(timespec="seconds"),
        execution_arn=arn,
        accepted=request.accepted or chain[-1].accepted,
    )
    write_rerun(run.store, _uri(run, number, run_layout.RECORD), record)
    return _start(run, chosen, execution_input, arn)


def _start(run: AwsRun, chosen: ChosenSamples, execution_input: dict[str, Any], arn: str) -> RerunOutcome:
    machine = run.deployment.state_machine_arn(run.record.pipeline)
    uri = run.place.uri("")
    if start_execution(machine, chosen.execution, json.dumps(execution_input), run.clients):
        return RerunOutcome(run.name, "RUNNING", chosen, aws=AwsRerun(uri, arn, started=True), kind=RECORD)
    execution = find_execution(arn, run.clients)
    if execution is None:
        raise RunError(f"execution {chosen.execution}: one of this name has ended, and AWS does not start another one")
    return RerunOutcome(run.name, execution["status"], chosen, aws=AwsRerun(uri, arn), kind=RECORD)


def _gather(run: AwsRun, chain: Sequence[RunExecution], chosen: ChosenSamples) -> GatherAgain:
    """Return what the rerun hands to the stage that gathers, which it runs alone where it is all that failed."""
    ended = [one for execution in chain for one in aws_map_runs(run, execution)]
    earlier = tuple(dict(one.results) for one in ended if one.results)
    failed = describe(chain[-1].arn, run.clients)["status"] != "SUCCEEDED"
    return GatherAgain(earlier, chosen.left_out, only=failed and not chosen.samples and not chosen.left_out)


def _checked(run: AwsRun, request: RerunRequest) -> tuple[Pipeline, Mapping[str, Mapping[str, Value]]]:
    """Check what is deployed, and return the pipeline and the parameters of the execution.

    Raises:
        UsageError: for parameters that the pipeline does not have.
        DataError: with all problems of the stack.
    """
    pipeline, steps = load_pipeline(run.record.requested_pipeline)
    parameters = merge_parameters(run.record.parameters, changes(request, pipeline).parameters)
    collected = CollectedProblems()
    with collected.check():
        check_record_budget(pipeline, parameters)
    with collected.check():
        document = generate(pipeline, run.deployment.names)
        collected.add(definition_problems(pipeline.name, document, run.deployment, run.clients))
        collected.add(function_problems(steps, run.deployment, run.clients))
    collected.refuse()
    return pipeline, parameters


def _input(
    run: AwsRun, parameters: Mapping[str, Mapping[str, Value]], number: int, gather: GatherAgain | None
) -> dict[str, Any]:
    """Return the input of the execution."""
    key = f"{run.place.prefix}{run_layout.rerun_file(number, run_layout.RECORDS)}"
    return RecordInput(
        run.place,
        RecordsPlace(run.place.bucket, key),
        listed=False,
        parameters=parameters,
        tolerated=run.record.tolerated,
        max_concurrency=read_concurrency(run.store, run.place.uri(run_layout.INPUT)),
        again=True,
        gather=gather,
    ).to_json()


def _write(run: AwsRun, file: Path, execution: str, classes: Collection[str]) -> ChosenSamples:
    """Write the records of the rerun as JSON Lines, and return their counts.

    Args:
        run: The run.
        file: The file.
        execution: The name of the rerun's execution.
        classes: The failure classes to run again; all where none is named.
    """
    choice = FailedChoice(RecordRunWatcher(run).records(), classes)
    with publishing(file, file.parent) as out:
        for one in choice.records():
            out.write(dumps(one.value) + b"\n")
    return choice.counts(execution)


def _refuse_options(request: RerunRequest) -> None:
    """Refuse options of runs over samples.

    Raises:
        UsageError: for such options.
    """
    if request.selection.samples:
        raise UsageError("--sample: expected a run over samples, found one over records; --class chooses among these")
    if request.memory:
        raise UsageError("--memory: expected a run over samples; the memory of a step on Lambda is in its step.toml")


def _uri(run: AwsRun, number: int, name: str) -> str:
    return run.place.uri(run_layout.rerun_file(number, name))

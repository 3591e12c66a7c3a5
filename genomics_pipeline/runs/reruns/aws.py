"""Rerun of a run on AWS: another execution of the deployed state machine, in the run's place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

from genomics_pipeline.asl.canonical import canonical
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.payload_budget import payload_budgets
from genomics_pipeline.aws.executions import describe, find_execution, start_execution
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.aws.run_names import rerun_name
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import CollectedProblems, RunError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.records.rerun import RerunRecord, write_rerun
from genomics_pipeline.runs.aws import files as aws_files
from genomics_pipeline.runs.aws.deployed import definition_problems, image_problems
from genomics_pipeline.runs.aws.items import Items, write_items
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution, aws_map_runs, since_whole, started_chain
from genomics_pipeline.runs.reruns.choice import Choice, first_names, told
from genomics_pipeline.runs.reruns.request import (
    CHECKED,
    Changes,
    RerunRequest,
    changes,
    execution_input,
    nothing,
    refuse_wanted,
)
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class _Rerun:
    """A rerun that was checked.

    Attributes:
        run: The run.
        number: It is the run's so-manieth rerun.
        parent: The execution before it.
        pipeline: What is run.
        document: The state machine that is deployed.
        given: Its input.
        what: What it runs; see `rerun_choice.told`.
    """

    run: AwsRun
    number: int
    parent: str
    pipeline: Pipeline
    document: Mapping[str, Any]
    given: ExecutionInput
    what: Mapping[str, Any]

    @property
    def name(self) -> str:
        return rerun_name(self.run.name, self.number)

    @property
    def arn(self) -> str:
        return self.run.deployment.execution_arn(self.pipeline.name, self.name)

    def uri(self, name: str) -> str:
        return self.run.place.uri(run_layout.rerun_file(self.number, name))


def rerun_aws(run: AwsRun, request: RerunRequest, note: Callable[[str], None]) -> dict[str, Any]:
    """Start an execution over what failed; the same again while it runs starts nothing.

    Args:
        run: The run.
        request: What to run again.
        note: Is told what happens.

    Returns:
        ``run, uri, execution, execution_arn, status, started, samples, by_class, first, left_out``; ``status`` is the
        execution's, CHECKED of a dry run, or NOTHING where there is nothing to do.

    Raises:
        UsageError: for options that do not fit the run.
        DataError: for what is wrong in the stack, with the pipeline and on S3.
        RunError: while an execution runs, or left no result files, or if AWS refuses.
    """
    chain = started_chain(run)
    status = _ended(run, chain[-1])
    pipeline, steps = _pipeline(run)
    changed = changes(request, pipeline)
    document = generate(pipeline, run.deployment.names)
    _check(run, pipeline, steps, document, changed)
    instead = f"AWS may still be writing them; otherwise: genomics-pipeline redrive {run.name}"
    choice = Choice(run.files, since_whole(chain), partial(aws_map_runs, run), instead)
    refuse_wanted(request.wanted, choice)
    number = len(chain)
    with TemporaryDirectory() as folder, (Path(folder) / "planned.jsonl").open("w+b") as lines:
        manifest = cast(BinaryIO, lines)
        planned = choice.write(request.wanted, manifest, told=bool(request.wanted.classes) or request.dry_run)
        what = {"execution": rerun_name(run.name, number), **told(planned, first_names(manifest))}
        if not planned.items:
            if not request.wanted.all or status == "SUCCEEDED":
                return nothing(run.name, what, not planned.filtered)
            what["carried"] = choice.carry(manifest)
        given = _input(run, number, changed, choice, planned.filtered)
        rerun = _Rerun(run, number, chain[-1].name, pipeline, document, given, what)
        room = payload_budgets(pipeline, document, given.to_json()).get("sample")
        manifest.seek(0)
        text = (line.decode() for line in manifest)
        items = write_items(Path(folder) / WHOLE, "sample", text, room, run.place)
        answer = {"run": run.name, "uri": run.place.uri(""), "execution_arn": rerun.arn, **what}
        if request.dry_run:
            return {**answer, "status": CHECKED, "started": False}
        _upload(rerun, request, items, whole=choice.is_whole, note=note)
    return {**answer, **_start(rerun)}


def _ended(run: AwsRun, newest: RunExecution) -> str:
    """How the newest execution ended.

    Raises:
        RunError: if it has not.
    """
    status = describe(newest.arn, run.clients)["status"]
    if status in ("RUNNING", "PENDING_REDRIVE"):
        advice = f"wait for it (genomics-pipeline status {run.name} --watch), or genomics-pipeline cancel {run.name}"
        raise RunError(f"run {run.name}: execution {newest.name} is running; {advice}")
    return status


def _pipeline(run: AwsRun) -> tuple[Pipeline, dict[str, StepFolder]]:
    return load_pipeline(run.record.requested_pipeline)


def _check(
    run: AwsRun,
    pipeline: Pipeline,
    steps: Mapping[str, StepFolder],
    document: Mapping[str, Any],
    changed: Changes,
) -> None:
    """What is deployed, and the files that parameters name: everything that can be wrong, at once."""
    collected = CollectedProblems()
    with collected.check():
        collected.add(definition_problems(pipeline.name, document, run.deployment, run.clients))
    with collected.check():
        collected.add(image_problems(steps, run.deployment, run.clients))
    with collected.check():
        files = aws_files.parameter_files(pipeline, changed.parameters)
        collected.add(aws_files.problems(files, run.deployment.bucket, run.clients))
    collected.refuse()


def _input(run: AwsRun, number: int, changed: Changes, choice: Choice, left_out: int) -> ExecutionInput:
    """The run's own input with what the rerun changes."""
    own = json.loads(run.store.read(run.place.uri(run_layout.INPUT)))
    key = WHOLE if choice.is_whole else run_layout.rerun_file(number, WHOLE)
    return execution_input(own, key, run.record.samples, left_out, changed, choice)


def _upload(rerun: _Rerun, request: RerunRequest, items: Items, *, whole: bool, note: Callable[[str], None]) -> None:
    """The rerun's files, its record last, and the definition that is deployed now."""
    run, store = rerun.run, rerun.run.store
    note(f"uploading to {rerun.uri('')}")
    apart: Sequence[tuple[str, str]] = list(items.apart.items())
    for _ in in_parallel(lambda pair: store.write(run.place.uri(pair[0]), pair[1].encode()), apart):
        pass
    if not whole:
        store.publish(items.file, rerun.uri(WHOLE))
    definition = canonical(rerun.document).encode()
    if store.read(run.place.uri(run_layout.DEFINITION)) != definition:
        note("the deployed definition is not the run's any more; samples that succeeded stay as they are")
        store.write(run.place.uri(run_layout.DEFINITION), definition)
    record = RerunRecord(
        number=rerun.number,
        execution=rerun.name,
        parent=rerun.parent,
        manifest=rerun.given.manifest,
        classes=tuple(request.wanted.classes),
        names=tuple(request.wanted.samples),
        parameters=rerun.given.parameters,
        memory_mib=rerun.given.memory_mib,
        counts=rerun.what,
        begun=datetime.now(UTC).isoformat(timespec="seconds"),
        execution_arn=rerun.arn,
        carried=int("carried" in rerun.what and rerun.given.manifest != WHOLE),
    )
    store.write(rerun.uri(run_layout.INPUT), f"{json.dumps(rerun.given.to_json(), indent=2)}\n".encode())
    write_rerun(store, rerun.uri(run_layout.RECORD), record)


def _start(rerun: _Rerun) -> dict[str, Any]:
    machine = rerun.run.deployment.state_machine_arn(rerun.pipeline.name)
    clients = rerun.run.clients
    if start_execution(machine, rerun.name, json.dumps(rerun.given.to_json()), clients):
        return {"status": "RUNNING", "started": True}
    found = find_execution(rerun.arn, clients)
    if found is None:
        raise RunError(f"execution {rerun.name}: AWS keeps the name of one that ended; it cannot be started again")
    return {"status": found["status"], "started": False}

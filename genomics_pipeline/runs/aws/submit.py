"""`submit`: a manifest to the deployed stack: check everything, upload the files of the run, start one execution."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.payload_budget import least_duration, payload_budgets
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import Deployment, find_deployment
from genomics_pipeline.aws.executions import find_execution, start_execution
from genomics_pipeline.aws.run_names import rerun_name
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import CollectedProblems, RunError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.manifest import manifest_lines
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.resource_names import DEFAULT_STACK, ResourceNames
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.model.tolerance import tolerance_words
from genomics_pipeline.records.aws_run import AwsRunRecord
from genomics_pipeline.records.execution_input import input_text, read_input
from genomics_pipeline.reference.intervals import interval_lines
from genomics_pipeline.report.counted import counted
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws import files as aws_files
from genomics_pipeline.runs.aws.deployed import definition_problems, image_problems
from genomics_pipeline.runs.aws.items import Items, upload_large_items, write_items
from genomics_pipeline.runs.aws.reference import (
    AwsReference,
    find_reference,
    indexes_of,
    upload_reference,
)
from genomics_pipeline.runs.aws.run import run_place
from genomics_pipeline.runs.catalog import load_pipeline, located
from genomics_pipeline.runs.containers.images import tag
from genomics_pipeline.runs.plan import RunPlan, RunRequest, plan
from genomics_pipeline.stores.protocol import MissingObject, Store

CHECKED = "CHECKED"  # the status of a dry run
SHORT_DIGEST = 12
# Of an execution's name that stem from the sheet's: a digest and the suffix of a rerun follow.
NAME_CHARACTERS = quotas.EXECUTION_NAME.value - SHORT_DIGEST - 1 - len(rerun_name("", 999))
SHEET = re.compile(r"(\.(csv|tsv|jsonl|ndjson))?(\.(gz|bz2))?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SubmitRequest(RunRequest):
    """The arguments of a run on AWS: those of `RunRequest`, and its stack.

    Attributes:
        stack: The stack to run in.
        dry_run: Check everything; upload and start nothing.
    """

    stack: str = DEFAULT_STACK
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Submission:
    """A request that was checked against the stack and the files on S3."""

    request: SubmitRequest
    plan: RunPlan
    deployment: Deployment
    document: Mapping[str, Any]
    reference: AwsReference
    warnings: Sequence[str]
    digest: str

    @property
    def place(self) -> RunPlace:
        stem = SHEET.sub("", PurePosixPath(self.request.manifest).name)
        clean = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:NAME_CHARACTERS] or "run"
        return run_place(f"{clean}-{self.digest[:SHORT_DIGEST]}", self.deployment.bucket)

    @property
    def execution_arn(self) -> str:
        return self.deployment.execution_arn(self.plan.pipeline.name, self.place.name)

    @property
    def input(self) -> ExecutionInput:
        plan = self.plan
        return ExecutionInput(self.place, self.reference.uri, plan.overrides, plan.tolerated)


@dataclass(frozen=True, slots=True)
class SubmitOutcome:
    """The outcome of `submit`.

    Attributes:
        run: The name of the run.
        uri: The URI of its folder.
        stack: The stack that it runs in.
        status: The status of its execution; `CHECKED` of a dry run.
        started: Whether this call started the execution.
        execution_arn: The ARN of the execution.
        samples: The number of its samples.
        intervals: The number of its intervals.
        jobs: The number of its jobs, where none is retried.
        least_seconds: The least time in which AWS starts all of them.
        warnings: Warnings about the request.
    """

    run: str
    uri: str
    stack: str
    status: str
    started: bool
    execution_arn: str
    samples: int
    intervals: int
    jobs: int
    least_seconds: float
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``submit --json`` prints."""
        return {**asdict(self), "warnings": list(self.warnings)}


def submit(request: SubmitRequest, adapters: Adapters, note: Callable[[str], None]) -> SubmitOutcome:
    """Check a request in full, upload the run's files and start its execution; the same call again starts nothing.

    Args:
        request: The run.
        adapters: Where files are read and written, and AWS is reached.
        note: Called with a line about each thing that happens.

    Raises:
        UsageError: if only parameters or samples are wrong.
        DataError: for everything that is wrong in the request, on S3 and in the stack.
        RunError: if AWS refuses.
    """
    clients = adapters.clients
    submission = _check(request, adapters, note)
    with TemporaryDirectory() as folder:
        files = _write(submission, Path(folder))
        checked = _checked_run(submission, files)
        if before := find_execution(submission.execution_arn, clients):
            warnings = (*checked.warnings, *_other_tolerance(submission, adapters.store))
            return replace(checked, status=before["status"], warnings=warnings)
        if request.dry_run:
            return checked
        _upload(submission, files, adapters, note)
    started = _start(submission, clients)
    return replace(checked, status="RUNNING" if started else _status(submission, clients), started=started)


def _checked_run(submission: _Submission, files: Mapping[str, Items]) -> SubmitOutcome:
    counts = {scope: items.count for scope, items in files.items()}
    jobs, seconds = least_duration(submission.plan.pipeline, counts)
    return SubmitOutcome(
        run=submission.place.name,
        uri=submission.place.uri(""),
        stack=submission.request.stack,
        status=CHECKED,
        started=False,
        execution_arn=submission.execution_arn,
        samples=counts["sample"],
        intervals=counts["interval"],
        jobs=jobs,
        least_seconds=seconds,
        warnings=tuple(submission.warnings),
    )


def _check(request: SubmitRequest, adapters: Adapters, note: Callable[[str], None]) -> _Submission:
    """Check everything that can be wrong, at once."""
    clients = adapters.clients
    pipeline, steps = load_pipeline(request.pipeline)
    document = generate(pipeline, ResourceNames(request.stack))
    collected = CollectedProblems()
    planned, deployment, reference = None, None, None
    warnings: list[str] = []
    with collected.check():
        planned = plan(request)
    with collected.check():
        deployment = find_deployment(request.stack, clients)
    if deployment is not None:  # without a stack, nothing on AWS can be checked
        with collected.check():
            note(f"reference: {request.reference}")
            reference = find_reference(request.reference, indexes_of(pipeline), deployment.bucket, adapters)
        with collected.check():
            collected.add(definition_problems(pipeline.name, document, deployment, clients))
        with collected.check():
            collected.add(image_problems(steps, deployment, clients))
    if deployment is not None and planned is not None:
        note(f"looking at the files of {counted(len(planned.samples), 'sample')}")
        wanted = [*aws_files.reads(planned.samples), *aws_files.parameter_files(pipeline, planned.overrides)]
        with collected.check():
            collected.add(aws_files.problems(wanted, deployment.bucket, clients))
            warnings += aws_files.region_warnings(planned.samples, deployment.region, clients)
    collected.refuse()
    assert planned is not None
    assert deployment is not None
    assert reference is not None
    digest = _digest(planned, document, reference)
    return _Submission(request, planned, deployment, document, reference, warnings, digest)


def _digest(planned: RunPlan, document: Mapping[str, Any], reference: AwsReference) -> str:
    """Return the sha256 of what decides the results: definition, steps' images, parameters, reference, items."""
    parts = [
        canonical_json(document),
        json.dumps({name: tag(step) for name, step in planned.steps.items()}, sort_keys=True),
        json.dumps(planned.overrides, sort_keys=True),
        reference.uri,
        manifest_lines(planned.samples),
        _intervals(planned.pipeline, reference),
    ]
    return sha256("\0".join(parts).encode()).hexdigest()


def _intervals(pipeline: Pipeline, reference: AwsReference) -> str:
    return interval_lines(reference.contigs, pipeline.maps["interval"].interval_size_bp)


def _write(submission: _Submission, folder: Path) -> dict[str, Items]:
    """Write the files of the run into a folder of this machine; return its items by scope."""
    planned, place = submission.plan, submission.place
    budgets = payload_budgets(planned.pipeline, submission.document, submission.input.to_json())
    lines = {
        "sample": (run_layout.MANIFEST, manifest_lines(planned.samples)),
        "interval": (run_layout.INTERVALS, _intervals(planned.pipeline, submission.reference)),
    }
    items = {
        scope: write_items(folder / name, scope, StringIO(text), budgets.get(scope), place)
        for scope, (name, text) in lines.items()
    }
    (folder / run_layout.DEFINITION).write_text(canonical_json(submission.document))
    (folder / run_layout.INPUT).write_text(input_text(submission.input))
    (folder / run_layout.RECORD).write_bytes(_record(submission).to_bytes())
    return items


def _record(submission: _Submission) -> AwsRunRecord:
    planned = submission.plan
    return AwsRunRecord(
        run=submission.place.name,
        pipeline=planned.pipeline.name,
        stack=submission.request.stack,
        state_machine_arn=submission.deployment.state_machine_arn(planned.pipeline.name),
        execution_arn=submission.execution_arn,
        digest=submission.digest,
        parameters=planned.overrides,
        tolerated=dict(planned.tolerated),
        reference=submission.reference.uri,
        manifest=submission.request.manifest,
        requested_pipeline=located(submission.request.pipeline),
        samples=len(planned.samples),
        submitted=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _upload(
    submission: _Submission,
    files: Mapping[str, Items],
    adapters: Adapters,
    note: Callable[[str], None],
) -> None:
    place, store = submission.place, adapters.store
    indexes = indexes_of(submission.plan.pipeline)
    upload_reference(submission.reference, indexes, adapters, note)
    note(f"uploading to {place.uri('')}")
    upload_large_items(files.values(), place, store)
    folder = files["sample"].file.parent
    for name in (run_layout.MANIFEST, run_layout.INTERVALS, run_layout.DEFINITION, run_layout.INPUT, run_layout.RECORD):
        store.publish(folder / name, place.uri(name))


def _other_tolerance(submission: _Submission, store: Store) -> Iterator[str]:
    """Yield a warning where the run has another tolerance, which does not change its results and so not its name."""
    place = submission.place
    try:
        there = read_input(store, place.uri(run_layout.INPUT)).tolerated
    except MissingObject:  # its files were deleted since
        return
    if there != submission.input.tolerated:
        kept, asked = tolerance_words(there), tolerance_words(submission.plan.tolerated)
        yield f"{place.name} was submitted to tolerate {kept} of its samples, and keeps that; found {asked}"


def _start(submission: _Submission, clients: Clients) -> bool:
    place, name = submission.place, submission.plan.pipeline.name
    machine = submission.deployment.state_machine_arn(name)
    try:
        return start_execution(machine, place.name, json.dumps(submission.input.to_json()), clients)
    except RunError as error:
        advice = f"nothing runs; what lies in {place.uri('')} does no harm, and the same command uses it"
        raise RunError(f"{error}; {advice}") from None


def _status(submission: _Submission, clients: Clients) -> str:
    """Return the status of the execution that has the name of this one."""
    execution = find_execution(submission.execution_arn, clients)
    if execution is None:
        name = submission.place.name
        raise RunError(
            f"run {name}: an execution of this name ended, and AWS keeps its name for {quotas.RETENTION_DAYS}; "
            "change an input, or wait"
        )
    return execution["status"]

"""The submission of a run over records: checks, the files of the run, and the start of its execution."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.asl.canonical import canonical_digest, canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.record_budget import check_record_budget
from genomics_pipeline.aws.deployment import Deployment, find_deployment
from genomics_pipeline.aws.executions import find_execution
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.checked_sheet import CheckedSheet
from genomics_pipeline.model.errors import CollectedProblems, Problem, UsageError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.record_input import RecordInput, RecordsPlace
from genomics_pipeline.model.record_source import SHEET, VCF
from genomics_pipeline.model.resource_names import DEFAULT_STACK, ResourceNames
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.model.tolerance import map_run_limit
from genomics_pipeline.records.aws_run import AwsRunRecord
from genomics_pipeline.records.fields import record_text
from genomics_pipeline.report.run_state import CHECKED
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws import files as aws_files
from genomics_pipeline.runs.aws.deployed import definition_problems, function_problems
from genomics_pipeline.runs.aws.records.first_records import check_first_records
from genomics_pipeline.runs.aws.records.place import (
    RecordsOnS3,
    bucket_problem,
    find_on_s3,
    joined_problem,
    lanes_on_s3,
    shards_on_s3,
)
from genomics_pipeline.runs.aws.submission import (
    RecordsSize,
    SubmitOutcome,
    name_taken,
    place_of,
    start_submitted,
)
from genomics_pipeline.runs.catalog import absolute_name, load_pipeline, with_real_parents
from genomics_pipeline.runs.containers.images import tag
from genomics_pipeline.runs.definition_check import aws_diagnostics
from genomics_pipeline.runs.given_files import parameter_files
from genomics_pipeline.runs.plan import RunRequest, given_overrides
from genomics_pipeline.runs.record_files import record_file_problems
from genomics_pipeline.runs.reference_indexes import Overrides
from genomics_pipeline.runs.sheet_lanes import read_sheet_lanes, sheet_lanes
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class RecordSubmitRequest:
    """The arguments of a run over records on AWS.

    Attributes:
        records: The URI of an object or a prefix; the path or URI of a sample sheet for a pipeline that reads one.
        pipeline: The name of a shipped pipeline, or the path of a pipeline file.
        stack: The stack to run in.
        parameters: Overrides, ``STAGE.NAME=VALUE``.
        params_file: A file of overrides, which `parameters` precede; None for none.
        accepted: The greatest ``percentage`` and ``count`` of records that the user accepts to miss; None for none.
        most_failures: Likewise of records that may fail before no new ones start; None for those of the pipeline.
        max_concurrency: The greatest number of children of a Map Run at a time; None for the pipeline's.
        dry_run: Whether to check everything without uploading or starting anything.
        samples: The samples of the sheet to take; None for all.
    """

    records: str
    pipeline: str
    stack: str = DEFAULT_STACK
    parameters: Sequence[str] = ()
    params_file: Path | None = None
    accepted: Mapping[str, float] | None = None
    most_failures: Mapping[str, float] | None = None
    max_concurrency: int | None = None
    dry_run: bool = False
    samples: Sequence[Sample] | None = None


@dataclass(frozen=True, slots=True)
class RecordSubmission:
    """A request after all checks.

    Attributes:
        request: The request.
        pipeline: The pipeline.
        deployment: The deployed stack.
        document: The definition of the state machine.
        overrides: The overridden parameters by stage and name.
        found: The records.
        digest: The sha256 of everything that determines the results.
    """

    request: RecordSubmitRequest
    pipeline: Pipeline
    deployment: Deployment
    document: Mapping[str, Any]
    overrides: Overrides
    found: RecordsOnS3
    digest: str

    @property
    def place(self) -> RunPlace:
        """The place of the run: its name has that of the records and the digest."""
        return place_of(self.request.records, self.digest, self.deployment.bucket)

    @property
    def execution_arn(self) -> str:
        """The ARN of the execution."""
        return self.deployment.execution_arn(self.pipeline.name, self.place.name)

    @property
    def tolerated(self) -> Mapping[str, float]:
        """The records in failed batches before no new batches start."""
        limit = self.request.most_failures or self.pipeline.maps[RECORD].tolerance()
        return map_run_limit(limit, self.request.accepted, quotas.MAP_RUN_ITEMS.value)

    @property
    def input(self) -> RecordInput:
        """The input of the execution."""
        listed = self.pipeline.maps[RECORD].source.listed
        most, records = self.request.max_concurrency, self.found.place
        if self.found.texts:
            records = RecordsPlace(self.place.bucket, f"{self.place.prefix}{run_layout.RECORDS}")
        return RecordInput(self.place, records, listed, self.overrides, self.tolerated, most)


def submit_records(
    request: RecordSubmitRequest, adapters: Adapters, note: Callable[[str], None]
) -> SubmitOutcome[RecordsSize]:
    """Check a request, write the files of the run and start its execution; the same call again starts nothing.

    Args:
        request: The arguments of the run.
        adapters: The store and the clients that read and write files and start the execution.
        note: Shows a line of progress.

    Raises:
        UsageError: if only parameters are wrong.
        DataError: with all problems of the request, the records and the stack.
        RunError: if AWS refuses.
    """
    submission = check_records(request, adapters, note)
    clients, found = adapters.clients, submission.found
    outcome = SubmitOutcome(
        run=submission.place.name,
        uri=submission.place.uri(""),
        stack=request.stack,
        status=CHECKED,
        started=False,
        execution_arn=submission.execution_arn,
        size=RecordsSize(found.objects, found.size_bytes, len(found.place.prefixes) or 1),
    )
    if before := find_execution(submission.execution_arn, clients):
        return replace(outcome, status=before["status"])
    if request.dry_run:
        return outcome
    note(f"writing {submission.place.uri('')}")
    if found.texts:
        with TemporaryDirectory() as folder:
            file = Path(folder, run_layout.RECORDS)
            with file.open("w", encoding="utf-8") as out:
                out.writelines(found.texts())
            adapters.store.publish(file, submission.place.uri(run_layout.RECORDS))
    text = json.dumps(submission.input.to_json())
    for name, content in (
        (run_layout.DEFINITION, canonical_json(submission.document).encode()),
        (run_layout.INPUT, record_text(submission.input.to_json()).encode()),
        (run_layout.RECORD, _record(submission).to_bytes()),
    ):
        adapters.store.write(submission.place.uri(name), content)
    machine = submission.deployment.state_machine_arn(submission.pipeline.name)
    if not start_submitted(machine, submission.place, text, clients):
        raise name_taken(submission.place.name)
    return replace(outcome, status="RUNNING", started=True)


def check_records(request: RecordSubmitRequest, adapters: Adapters, note: Callable[[str], None]) -> RecordSubmission:
    """Check a request against the stack and the objects on S3.

    Raises:
        UsageError: if only parameters are wrong.
        DataError: with all problems.
    """
    pipeline, steps = load_pipeline(request.pipeline)
    document = generate(pipeline, ResourceNames(request.stack))
    collected, clients = CollectedProblems(), adapters.clients
    overrides: Overrides = {}
    deployment, found = None, None
    with collected.check():
        overrides = _overrides(request, pipeline)
        check_record_budget(pipeline, overrides)
    with collected.check():
        note(f"records: {without_secrets(request.records)}")
        found = _found(request, pipeline, adapters)
        if problem := joined_problem(pipeline, without_secrets(request.records), found):
            collected.add([problem])
        check_first_records(found.uris, pipeline.maps[RECORD].source, adapters.store, note)
    with collected.check():
        deployment = find_deployment(request.stack, clients)
        collected.add(definition_problems(pipeline.name, document, deployment, clients))
        collected.add(function_problems(steps, deployment, clients))
        if request.dry_run:
            definitions = {deployment.names.state_machine(pipeline.name): canonical_json(document)}
            collected.add(aws_diagnostics(definitions, clients, note))
        files = aws_files.file_problems(
            (file for file, _ in parameter_files(pipeline, overrides)), deployment.bucket, clients
        )
        problems = [problem for _, problem in files]
        if not problems and found is not None:
            problems = list(record_file_problems(pipeline, overrides, request.records, found.contigs, adapters.store))
        collected.add(problems)
        for bucket in sorted(found.buckets) if found else ():
            if message := bucket_problem(bucket, deployment.bucket, request.stack, adapters):
                collected.add([Problem(f"{without_secrets(request.records)}: s3://{bucket}: {message}")])
    collected.refuse()
    assert deployment is not None
    assert found is not None
    digest = _digest(document, steps, overrides, found, deployment)
    return RecordSubmission(request, pipeline, deployment, document, overrides, found, digest)


def _found(request: RecordSubmitRequest, pipeline: Pipeline, adapters: Adapters) -> RecordsOnS3:
    """Return the records of a request: those in S3, the lanes of a sample sheet, or the shards of a VCF."""
    settings = pipeline.maps[RECORD]
    if settings.source.format == VCF:
        return shards_on_s3(request.records, settings.source.shard_bytes, adapters.store)
    if settings.source.format != SHEET:
        return find_on_s3(request.records, settings, adapters.store)
    if request.samples is None:
        return lanes_on_s3(read_sheet_lanes(request.records), adapters.clients)
    return lanes_on_s3(sheet_lanes(CheckedSheet(request.samples), request.records), adapters.clients)


def _overrides(request: RecordSubmitRequest, pipeline: Pipeline) -> Overrides:
    given = RunRequest(
        request.records,
        "",
        pipeline=request.pipeline,
        parameters=request.parameters,
        params_file=request.params_file,
    )
    overrides = with_real_parents(given_overrides(given, pipeline).values, pipeline)
    if lacking := pipeline.lacking_values(overrides):
        raise UsageError([Problem(message) for message in lacking])
    return overrides


def _digest(
    document: Mapping[str, Any],
    steps: Mapping[str, StepFolder],
    overrides: Overrides,
    found: RecordsOnS3,
    deployment: Deployment,
) -> str:
    parts = [
        canonical_json(document),
        json.dumps({name: tag(step, deployment.architecture) for name, step in steps.items()}, sort_keys=True),
        json.dumps(overrides, sort_keys=True),
        found.version,
    ]
    return sha256("\0".join(parts).encode()).hexdigest()


def _record(submission: RecordSubmission) -> AwsRunRecord:
    request = submission.request
    return AwsRunRecord(
        run=submission.place.name,
        pipeline=submission.pipeline.name,
        stack=request.stack,
        state_machine_arn=submission.deployment.state_machine_arn(submission.pipeline.name),
        execution_arn=submission.execution_arn,
        digest=submission.digest,
        definition=canonical_digest(submission.document),
        parameters=submission.overrides,
        tolerated=dict(submission.tolerated),
        accepted=request.accepted,
        reference="",
        manifest=without_secrets(request.records),
        requested_pipeline=absolute_name(request.pipeline),
        samples=0,
        submitted=datetime.now(UTC).isoformat(timespec="seconds"),
    )

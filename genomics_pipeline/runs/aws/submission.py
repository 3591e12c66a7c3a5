"""Submissions to AWS: requests after all checks against the stack and the files on S3."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.deployment import Deployment, find_deployment
from genomics_pipeline.aws.run_names import rerun_name
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import CollectedProblems, Problem
from genomics_pipeline.model.execution_input import WAIT_S, ExecutionInput
from genomics_pipeline.model.manifest import gvcf_lines, manifest_lines
from genomics_pipeline.model.overrides import aws_defaults
from genomics_pipeline.model.parameters import ParameterSpec, value_words
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.resource_names import DEFAULT_STACK, ResourceNames
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.model.tolerance import is_accepted
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws import files as aws_files
from genomics_pipeline.runs.aws.deployed import definition_problems, deployed_jobs, image_problems, revision_arns
from genomics_pipeline.runs.aws.reference import AwsReference, aws_obstacle, find_reference, indexes_of
from genomics_pipeline.runs.aws.run import run_place
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.containers.images import tag
from genomics_pipeline.runs.definition_check import aws_diagnostics
from genomics_pipeline.runs.given_files import RequiredFile, parameter_files, parameter_problems, reads
from genomics_pipeline.runs.gvcf_checks import gvcf_files, gvcf_problems
from genomics_pipeline.runs.intervals import intervals_text
from genomics_pipeline.runs.plan import RunPlan, RunRequest, plan
from genomics_pipeline.runs.reference_indexes import choose_indexes

SHORT_DIGEST = 12
# The greatest length of the part of a run's name that comes from the sheet: a digest and the suffix of a rerun follow.
NAME_CHARACTERS = quotas.EXECUTION_NAME.value - SHORT_DIGEST - 1 - len(rerun_name("", 999))
SHEET = re.compile(r"(\.(csv|tsv|jsonl|ndjson))?(\.(gz|bgz|bz2|xz|zst))?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SubmitRequest(RunRequest):
    """The arguments of a run on AWS, in addition to those of `RunRequest`.

    Attributes:
        max_concurrency: The greatest number of samples or intervals at a time; None for the pipeline's.
        stack: The stack to run in.
        dry_run: Whether to check everything without uploading or starting anything.
        check_rights: Whether to check the rights of the job role by a job, before the run is started.
        wait_s: The longest time in seconds that a job may wait for hosts.
    """

    max_concurrency: int | None = None
    stack: str = DEFAULT_STACK
    dry_run: bool = False
    check_rights: bool = False
    wait_s: int = WAIT_S


@dataclass(frozen=True, slots=True)
class Submission:
    """A request after all checks against the stack and the files on S3.

    Attributes:
        request: The request.
        plan: The plan of the run.
        deployment: The deployed stack.
        document: The definition of the state machine.
        reference: The reference.
        intervals: The intervals, one JSON line each.
        warnings: Warnings about the request.
        digest: The sha256 of everything that determines the results.
        job_definitions: By step, the ARN of the revision of its job definition.
    """

    request: SubmitRequest
    plan: RunPlan
    deployment: Deployment
    document: Mapping[str, Any]
    reference: AwsReference
    intervals: str
    warnings: Sequence[str]
    digest: str
    job_definitions: Mapping[str, str]

    @property
    def place(self) -> RunPlace:
        """The place of the run, whose name begins with that of the sheet and ends with the digest."""
        stem = SHEET.sub("", PurePosixPath(without_secrets(self.request.manifest)).name)
        clean = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:NAME_CHARACTERS] or "run"
        return run_place(f"{clean}-{self.digest[:SHORT_DIGEST]}", self.deployment.bucket)

    @property
    def execution_arn(self) -> str:
        """The ARN of the execution."""
        return self.deployment.execution_arn(self.plan.pipeline.name, self.place.name)

    @property
    def input(self) -> ExecutionInput:
        """The input of the execution."""
        plan = self.plan
        return ExecutionInput(
            self.place,
            self.reference.uri,
            plan.overrides,
            plan.tolerated,
            wait_s=self.request.wait_s,
            job_definitions=self.job_definitions,
            max_concurrency=self.request.max_concurrency,
            optional=plan.optional,
        )


def check_request(request: SubmitRequest, adapters: Adapters, note: Callable[[str], None]) -> Submission:
    """Check a request against the stack and the files on S3.

    Args:
        request: The arguments of the run.
        adapters: The store and the clients that read the files and the stack.
        note: Shows a line of progress.

    Raises:
        UsageError: if only parameters or samples are wrong.
        DataError: with all problems of the request, the files on S3 and the stack.
    """
    clients = adapters.clients
    pipeline, steps = load_pipeline(request.pipeline)
    document = generate(pipeline, ResourceNames(request.stack))
    collected = CollectedProblems()
    planned, deployment, reference = None, None, None
    warnings: list[str] = []
    job_definitions: dict[str, str] = {}
    with collected.check():
        planned = _with_aws_defaults(plan(request), note)
    with collected.check():
        deployment = find_deployment(request.stack, clients)
    if deployment is not None:  # without a stack, nothing on AWS can be checked
        with collected.check():
            note(f"reference: {request.reference}")
            if planned is not None:
                planned = choose_indexes(planned, aws_obstacle(request.reference, adapters, note), note)
            indexes = indexes_of(pipeline, planned.overrides if planned else {})
            reference = find_reference(request.reference, indexes, deployment.bucket, adapters, note)
        with collected.check():
            collected.add(definition_problems(pipeline.name, document, deployment, clients))
        if request.dry_run:
            with collected.check():
                definitions = {deployment.names.state_machine(pipeline.name): canonical_json(document)}
                collected.add(aws_diagnostics(definitions, clients, note))
        with collected.check():
            jobs = deployed_jobs(steps, deployment, clients)
            job_definitions = revision_arns(jobs)
            collected.add(image_problems(steps, jobs, deployment, clients))
    if deployment is not None and planned is not None:
        note(f"checking the files of {quantity(len(planned.samples), 'sample')}")
        with collected.check():
            found = aws_files.file_problems(reads(planned.samples), deployment.bucket, clients)
            aligned = sum(1 for sample in planned.samples if sample.gvcf is None)
            lacking, problems = _accepted_problems(list(found), request, aligned)
            warnings += lacking
            collected.add(problems)
            warnings += aws_files.region_warnings(planned.samples, deployment.region, clients)
        contigs = {} if reference is None else dict(reference.contigs)
        with collected.check():
            collected.add(_gvcf_problems(planned, request.manifest, deployment.bucket, adapters, contigs))
        with collected.check():
            files = parameter_files(pipeline, planned.overrides)
            collected.add(parameter_file_problems(files, deployment.bucket, adapters, contigs))
    collected.refuse()
    assert planned is not None
    warnings = [*planned.warnings, *warnings]
    assert deployment is not None
    assert reference is not None
    intervals = intervals_text(planned, reference.contigs, adapters.store)
    digest = _digest(planned, document, reference, intervals, deployment.architecture)
    return Submission(request, planned, deployment, document, reference, intervals, warnings, digest, job_definitions)


def _gvcf_problems(
    planned: RunPlan, sheet: str, bucket: str, adapters: Adapters, contigs: Mapping[str, int]
) -> Iterator[Problem]:
    """Yield the problems of given gVCFs: those of S3, or those of their content.

    Args:
        planned: The plan of the run.
        sheet: The path or URI of the sample sheet.
        bucket: The bucket of the stack.
        adapters: The store and the clients that read the files.
        contigs: The length of each contig of the reference, by name; without contigs, they are not compared.
    """
    unusable = dict(aws_files.file_problems(gvcf_files(planned.samples), bucket, adapters.clients))
    yield from unusable.values()
    names = {file.sample for file in unusable}
    usable = [sample for sample in planned.samples if sample.sample not in names]
    yield from gvcf_problems(usable, planned.pipeline, without_secrets(sheet), adapters.store, contigs)


def _with_aws_defaults(planned: RunPlan, note: Callable[[str], None]) -> RunPlan:
    """Return a plan with the parameters that have another default on AWS, and say which."""
    defaults = aws_defaults(planned.pipeline, planned.overrides)
    for stage, values in defaults.items():
        for name, value in values.items():
            usual = next(one for one in planned.pipeline.stages if one.name == stage).step.parameters[name].default
            here, there = value_words(usual), value_words(value)
            note(f"{stage}.{name}={there}, the default on AWS; for another: --param {stage}.{name}={here}")
    stages = {**planned.overrides, **defaults}
    merged = {stage: {**defaults.get(stage, {}), **planned.overrides.get(stage, {})} for stage in stages}
    return replace(planned, overrides=merged)


def _accepted_problems(
    found: Sequence[tuple[RequiredFile, Problem]], request: SubmitRequest, samples: int
) -> tuple[list[str], list[Problem]]:
    """Return the problems of reads as warnings, if the user accepts that their samples are missing, else as problems.

    Args:
        found: The files with their problems.
        request: The arguments of the run.
        samples: The number of all samples.
    """
    problems = [problem for _, problem in found]
    names = {file.sample for file, _ in found}
    if names and len(names) < samples and is_accepted(request.accepted, len(names), samples):
        return [f"{problem}; the sample will fail" for problem in problems], []
    return [], problems


def parameter_file_problems(
    files: Iterable[tuple[RequiredFile, ParameterSpec]], bucket: str, adapters: Adapters, contigs: Mapping[str, int]
) -> Iterator[Problem]:
    """Yield the problems of the files that parameters name: those of S3, then those of their content.

    Args:
        files: The files, with the declarations of their parameters.
        bucket: The bucket of the stack.
        adapters: The store and the clients that read the files.
        contigs: The length of each contig of the reference, by name; without contigs, no content is read.
    """
    specs = dict(files)
    unusable = dict(aws_files.file_problems(specs, bucket, adapters.clients))
    yield from unusable.values()
    usable = ((file, spec) for file, spec in specs.items() if file not in unusable)
    yield from parameter_problems(usable, adapters.store, contigs)


def _digest(
    planned: RunPlan, document: Mapping[str, Any], reference: AwsReference, intervals: str, architecture: Architecture
) -> str:
    """Return the sha256 of everything that determines the results: definition, images, parameters, reference, items.

    Args:
        planned: The plan of the run.
        document: The definition of the state machine.
        reference: The reference.
        intervals: The intervals, one JSON line each.
        architecture: The processor architecture of the images.
    """
    parts = [
        canonical_json(document),
        json.dumps({name: tag(step, architecture) for name, step in planned.steps.items()}, sort_keys=True),
        json.dumps(planned.overrides, sort_keys=True),
        reference.uri,
        *([reference.alt] if reference.alt else []),
        manifest_lines(planned.samples),
        *filter(None, [gvcf_lines(planned.samples)]),
        intervals,
    ]
    return sha256("\0".join(parts).encode()).hexdigest()

"""All checks of a request to AWS before anything is uploaded: the plan, the stack, the reference and the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.deployment import Deployment, find_deployment
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import CollectedProblems, Problem
from genomics_pipeline.model.overrides import aws_defaults
from genomics_pipeline.model.parameters import resolve, value_words
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.deployed import definition_problems, deployed_jobs, image_problems, revision_arns
from genomics_pipeline.runs.aws.given_checks import GivenFiles
from genomics_pipeline.runs.aws.reference import AwsReference, aws_obstacle, find_reference, indexes_of
from genomics_pipeline.runs.aws.submission import Submission, SubmitRequest, submission_digest
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.definition_check import aws_diagnostics
from genomics_pipeline.runs.intervals import intervals_text
from genomics_pipeline.runs.learned_attempts import NOTHING_LEARNED, LearnedAttempts, learned_attempts
from genomics_pipeline.runs.plan import RunInputs, plan, refuse_over_records
from genomics_pipeline.runs.plan_request import PlanRequest
from genomics_pipeline.runs.ploidy_warnings import ploidy_warnings
from genomics_pipeline.runs.reference_indexes import choose_indexes
from genomics_pipeline.worker.step_folder import StepFolder


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
    pipeline, steps = load_pipeline(request.pipeline)
    refuse_over_records(pipeline)
    document = generate(pipeline, ResourceNames(request.stack))
    checks = _Checks(request, adapters, note)
    planned, deployment, reference = None, None, None
    job_definitions: Mapping[str, str] = {}
    warnings: list[str] = []
    with checks.collected.check():
        planned = _with_aws_defaults(plan(request), note)
    with checks.collected.check():
        deployment = find_deployment(request.stack, adapters.clients)
    if deployment is not None:  # without a stack, nothing on AWS can be checked
        planned, reference = checks.reference(planned, pipeline, deployment)
        job_definitions = checks.deployed(pipeline, steps, document, deployment)
    if deployment is not None and planned is not None:
        note(f"checking the files of {quantity(len(planned.samples), 'sample')}")
        checks.collected.add(architecture_problems(planned, deployment.architecture))
        files = GivenFiles(planned, request.manifest, request.accepted, deployment, reference, adapters)
        warnings = files.check(checks.collected)
    attempts = checks.first_attempts(planned, reference)
    checks.collected.refuse()
    assert planned is not None
    assert deployment is not None
    assert reference is not None
    warnings = [*planned.warnings, *warnings]
    warnings += ploidy_warnings(planned.pipeline, planned.overrides, dict(reference.contigs))
    intervals = intervals_text(planned, reference.contigs, adapters.store)
    digest = submission_digest(planned, document, reference, intervals, deployment.architecture)
    return Submission(
        request, planned, deployment, document, reference, intervals, warnings, digest, job_definitions, attempts
    )


def architecture_problems(planned: RunInputs, architecture: Architecture) -> Iterator[Problem]:
    """Yield a problem for each parameter that asks for what the images of an architecture cannot do."""
    for stage in planned.pipeline.stages:
        values = resolve(stage.step.parameters, planned.overrides.get(stage.name, {}))
        for spec in stage.step.parameters.values():
            usable = spec.architectures or (architecture,)
            if architecture not in usable and values[spec.name] != spec.default:
                expected = f"expected hosts of {' or '.join(usable)}, found {architecture}"
                advice = f"choose a stack of {usable[0]}, or leave this parameter out"
                yield Problem(f"{expected}; {advice}", column=f"{stage.name}.{spec.name}")


@dataclass(frozen=True, slots=True)
class _Checks:
    """Checks of a request, which collect all problems.

    Attributes:
        request: The request.
        adapters: The store and the clients that read the files and the stack.
        note: Shows a line of progress.
        collected: The problems.
    """

    request: SubmitRequest
    adapters: Adapters
    note: Callable[[str], None]
    collected: CollectedProblems = field(default_factory=CollectedProblems)

    def reference(
        self, planned: RunInputs | None, pipeline: Pipeline, deployment: Deployment
    ) -> tuple[RunInputs | None, AwsReference | None]:
        """Return the plan with the aligner whose index can be used, and the reference; None for what cannot be used.

        Args:
            planned: The plan of the run; None for one that cannot be used.
            pipeline: The pipeline.
            deployment: The deployed stack.
        """
        fasta, adapters, note = self.request.reference, self.adapters, self.note
        with self.collected.check():
            note(f"reference: {fasta}")
            if planned is not None:
                planned = choose_indexes(planned, aws_obstacle(fasta, adapters, note), note)
            indexes = indexes_of(pipeline, planned.overrides if planned else {})
            return planned, find_reference(fasta, indexes, deployment.bucket, adapters, note)
        return planned, None

    def deployed(
        self, pipeline: Pipeline, steps: Mapping[str, StepFolder], document: Mapping[str, Any], deployment: Deployment
    ) -> Mapping[str, str]:
        """Check what is deployed, and return the ARN of the revision of each step's job definition.

        Args:
            pipeline: The pipeline.
            steps: Its steps by name.
            document: The definition of its state machine.
            deployment: The deployed stack.
        """
        clients = self.adapters.clients
        with self.collected.check():
            self.collected.add(definition_problems(pipeline.name, document, deployment, clients))
        if self.request.dry_run:
            with self.collected.check():
                definitions = {deployment.names.state_machine(pipeline.name): canonical_json(document)}
                self.collected.add(aws_diagnostics(definitions, clients, self.note))
        with self.collected.check():
            jobs = deployed_jobs(steps, deployment, clients)
            self.collected.add(image_problems(steps, jobs, deployment, clients))
            return revision_arns(jobs)
        return {}

    def first_attempts(self, planned: RunInputs | None, reference: AwsReference | None) -> LearnedAttempts:
        """Return the first attempts that are learned from earlier runs; none for a run that cannot be submitted.

        Args:
            planned: The plan of the run; None for one that cannot be used.
            reference: The reference, likewise.
        """
        request = self.request
        with self.collected.check():
            if planned is not None and reference is not None:
                as_planned = PlanRequest(request.manifest)
                return learned_attempts(request.history, planned, as_planned, reference.contigs, self.adapters)
        return NOTHING_LEARNED


def _with_aws_defaults(planned: RunInputs, note: Callable[[str], None]) -> RunInputs:
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

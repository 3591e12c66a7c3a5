"""Comparison of the deployed stack with the definition and images of this installation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.asl.canonical import canonical_digest
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.aws.executions import read_definition
from genomics_pipeline.aws.functions import function_image
from genomics_pipeline.aws.jobs import DeployedJob, deployed_job
from genomics_pipeline.aws.registry import has_tag
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError, Problem, RunError
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.containers.images import tag
from genomics_pipeline.worker.step_folder import StepFolder

SHOWN_DIFFERENCES = 3
SHOWN_CHARACTERS = 60  # of a value
ABSENT = object()


def definition_problems(
    pipeline: str, document: Mapping[str, Any], deployment: Deployment, clients: Clients
) -> Iterator[Problem]:
    """Yield the differences between the deployed state machine of a pipeline and the definition.

    Args:
        pipeline: The name of the pipeline.
        document: The definition that this installation generates.
        deployment: The deployed stack.
        clients: The AWS clients.

    Raises:
        RunError: if AWS cannot be reached.
    """
    deployed = read_definition(deployment.state_machine_arn(pipeline), clients)
    machine = f"state machine {deployment.names.state_machine(pipeline)}"
    if deployed is None:
        yield Problem(f"{machine}: expected it in the stack, found none; `genomics-pipeline deploy` creates it")
        return
    differences = list(_differences("$", document, json.loads(deployed)))
    if differences:
        hidden = len(differences) - SHOWN_DIFFERENCES
        message = "; ".join(differences[:SHOWN_DIFFERENCES]) + (f"; {hidden} more" if hidden > 0 else "")
        yield Problem(
            f"{machine}: expected the definition of this installation; `genomics-pipeline deploy` first: {message}"
        )


def run_problems(run: AwsRun) -> Iterator[Problem]:
    """Yield the differences between a run and what is deployed: its definition, and the images of its steps.

    Raises:
        RunError: if AWS cannot be reached, or the run has no definition.
    """
    files = run.files
    machine, place = run.record.state_machine_arn, files.shown_key(run_layout.DEFINITION)
    own = files.definition_digest()
    text = read_definition(machine, run.clients)
    found = "none" if text is None else canonical_digest(json.loads(text))
    if found != own:
        yield Problem(
            f"expected the deployed definition to be that of the run, of the digest {own}, found {found}", place
        )
    try:
        steps = load_pipeline(run.record.requested_pipeline)[1]
    except DataError as error:
        yield Problem(f"expected the pipeline of the run, to compare its images: {error.problems[0]}")
        return
    jobs = deployed_jobs(steps, run.deployment, run.clients)
    used, newest = read_input(run.store, run.place.uri(run_layout.INPUT)).job_definitions, revision_arns(jobs)
    for step, arn in used.items():
        if step in newest and newest[step] != arn:
            yield Problem(f"image of {step}: expected the job definition of the run, {arn}, found {newest[step]}")
    yield from image_problems(steps, jobs, run.deployment, run.clients)


def _differences(path: str, expected: Any, found: Any) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in {**expected, **found}:
            yield from _differences(f"{path}.{key}", expected.get(key, ABSENT), found.get(key, ABSENT))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(f"{path}[{number}]", one, other)
    elif type(expected) is not type(found) or expected != found:
        yield f"{path}: expected {_shortened_json(expected)}, found {_shortened_json(found)}"


def _shortened_json(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def deployed_jobs(
    steps: Mapping[str, StepFolder], deployment: Deployment, clients: Clients
) -> dict[str, DeployedJob | None]:
    """Return the newest revision of each step's job definition by step; None where there is none.

    Raises:
        RunError: if AWS cannot be reached.
    """
    names = {step.spec.name: deployment.names.job_definition(step.spec.name) for step in steps.values()}
    return {step: deployed_job(name, clients) for step, name in names.items()}


def revision_arns(jobs: Mapping[str, DeployedJob | None]) -> dict[str, str]:
    """Return the ARNs of the revisions by step: what a run that is started now uses to its end."""
    return {step: job.arn for step, job in jobs.items() if job is not None}


def image_problems(
    steps: Mapping[str, StepFolder], jobs: Mapping[str, DeployedJob | None], deployment: Deployment, clients: Clients
) -> Iterator[Problem]:
    """Yield the problems of the deployed job definitions and the images of steps.

    Args:
        steps: The steps by name.
        jobs: Their job definitions; see `deployed_jobs`.
        deployment: The deployed stack.
        clients: The AWS clients.

    Raises:
        RunError: if AWS cannot be reached.
    """
    names = deployment.names
    for step in steps.values():
        repository, content = names.repository(step.spec.name), tag(step, deployment.architecture)
        expected = f"{repository}:{content}"
        definition_name = names.job_definition(step.spec.name)
        job = jobs[step.spec.name]
        if job is None:
            message = "expected an ACTIVE one, found none; `genomics-pipeline deploy` creates it"
            yield Problem(f"job definition {definition_name}: {message}")
        elif (found := job.image.partition("/")[2] or job.image) != expected:
            message = f"expected the image {expected}, found {found}"
            yield Problem(f"job definition {definition_name}: {message}; `genomics-pipeline deploy` first")
        yield from _push_problems(repository, content, clients)


def _push_problems(repository: str, content: str, clients: Clients) -> Iterator[Problem]:
    try:
        is_pushed = has_tag(repository, content, clients)
    except RunError as error:
        if "RepositoryNotFoundException" not in str(error):
            raise
        is_pushed = False
    if not is_pushed:
        message = "expected it in ECR, found none; `genomics-pipeline containers push`"
        yield Problem(f"image {repository}:{content}: {message}")


def function_problems(steps: Mapping[str, StepFolder], deployment: Deployment, clients: Clients) -> Iterator[Problem]:
    """Yield the problems of the deployed Lambda functions of steps.

    Args:
        steps: The steps by name.
        deployment: The deployed stack.
        clients: The AWS clients.

    Raises:
        RunError: if AWS cannot be reached.
    """
    for step in steps.values():
        name = deployment.names.function(step.spec.name)
        expected = f"{deployment.names.repository(step.spec.name)}:{tag(step, deployment.architecture)}"
        found = function_image(name, clients)
        if found is None:
            message = "expected it in the stack, found none; `genomics-pipeline deploy` creates it"
            yield Problem(f"function {name}: {message}")
        elif found.partition("/")[2] != expected:
            message = f"expected the image {expected}, found {found}"
            yield Problem(f"function {name}: {message}; `genomics-pipeline deploy` first")

"""Comparison of the deployed stack with the definition and images of this installation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.aws.executions import read_definition
from genomics_pipeline.aws.jobs import image
from genomics_pipeline.aws.registry import has_tag
from genomics_pipeline.model.errors import Problem, RunError
from genomics_pipeline.runs.containers.images import tag
from genomics_pipeline.worker.step_folder import StepFolder

NAMED = 3  # differences
SHOWN = 60  # characters of a value
ABSENT = object()


def definition_problems(
    pipeline: str, document: Mapping[str, Any], deployment: Deployment, clients: Clients
) -> Iterator[Problem]:
    """Yield the problems of a pipeline's state machine.

    Raises:
        RunError: if AWS cannot be asked.
    """
    found = read_definition(deployment.state_machine_arn(pipeline), clients)
    machine = f"state machine {deployment.names.state_machine(pipeline)}"
    if found is None:
        yield Problem(f"{machine}: expected it in the stack, found none; `genomics-pipeline deploy` makes it")
        return
    others = list(_differences("$", document, json.loads(found)))
    if others:
        more = f"; {len(others) - NAMED} more" if len(others) > NAMED else ""
        message = "; ".join(others[:NAMED]) + more
        yield Problem(
            f"{machine}: expected the definition that is made here; `genomics-pipeline deploy` first: {message}"
        )


def _differences(path: str, here: Any, there: Any) -> Iterator[str]:
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in {**here, **there}:
            yield from _differences(f"{path}.{key}", here.get(key, ABSENT), there.get(key, ABSENT))
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for number, (one, other) in enumerate(zip(here, there, strict=True)):
            yield from _differences(f"{path}[{number}]", one, other)
    elif type(here) is not type(there) or here != there:
        yield f"{path}: expected {_shown(here)}, found {_shown(there)}"


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def image_problems(steps: Mapping[str, StepFolder], deployment: Deployment, clients: Clients) -> Iterator[Problem]:
    """Yield the problems of the steps' job definitions and images.

    Raises:
        RunError: if AWS cannot be asked.
    """
    names = deployment.names
    for step in steps.values():
        repository, content = names.repository(step.spec.name), tag(step)
        wanted = f"{repository}:{content}"
        definition_name = names.job_definition(step.spec.name)
        found = image(definition_name, clients)
        if found is None:
            message = "expected an ACTIVE one, found none; `genomics-pipeline deploy` makes it"
            yield Problem(f"job definition {definition_name}: {message}")
        elif found.partition("/")[2] != wanted:
            message = f"expected the image {wanted}, found {found.partition('/')[2] or found}"
            yield Problem(f"job definition {definition_name}: {message}; `genomics-pipeline deploy` first")
        try:
            there = has_tag(repository, content, clients)
        except RunError as error:
            if "RepositoryNotFoundException" not in str(error):
                raise
            there = False
        if not there:
            yield Problem(f"image {wanted}: expected it in ECR, found none; `genomics-pipeline containers push`")

"""The images of Lambda functions, without which CloudFormation cannot create or change these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import ARCHITECTURE
from genomics_pipeline.aws.registry import has_repository, has_tag
from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.images import build, image
from genomics_pipeline.runs.containers.push_images import push
from genomics_pipeline.worker.step_folder import StepFolder

PushFunctions = Callable[[Sequence[StepFolder], Architecture], None]


def lacking_repositories(steps: Sequence[StepFolder], names: ResourceNames, clients: Clients) -> list[StepFolder]:
    """Return the steps without a repository for their image; a change set has to create it first.

    Args:
        steps: The steps that run on Lambda.
        names: The names of the stack's resources.
        clients: The AWS clients.
    """
    return [step for step in steps if not has_repository(names.repository(step.spec.name), clients)]


def architecture_of(values: Mapping[str, str]) -> Architecture:
    """Return the architecture of a stack with these values of parameters."""
    return Architecture(values.get(ARCHITECTURE) or PARAMETERS[ARCHITECTURE]["Default"])


class FunctionImages:
    """The images that are built and pushed while a stack is deployed.

    Args:
        names: The names of the stack's resources.
        adapters: The AWS clients, and the cache of wheels.
        note: Shows a line of progress.
    """

    def __init__(self, names: ResourceNames, adapters: Adapters, note: Callable[[str], None]) -> None:
        self._names = names
        self._adapters = adapters
        self._note = note

    def push(self, steps: Sequence[StepFolder], architecture: Architecture) -> None:
        """Build and push the images that their repositories lack; implements `PushFunctions`.

        Raises:
            RunError: without a container engine, or if it or AWS refuses. The same deployment can be repeated.
        """
        clients = self._adapters.clients
        for step in steps:
            one = image(step, self._names, architecture)
            repository, _, tag = one.name.partition(":")
            if has_tag(repository, tag, clients):
                continue
            self._note(f"building and pushing {one.name}")
            try:
                engine = ContainerEngine(self._adapters.environment)
                build(one, engine, self._adapters.cache)
                push(one, engine, clients)
            except RunError as error:
                advice = (
                    "the function needs its image: push it where there is an engine (`containers push`), and repeat"
                )
                raise RunError(f"image {one.name}: {error}; {advice} this command") from None

"""The template of a stack that runs pipelines, shipped ones or the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.limits import check_limits
from genomics_pipeline.aws.instance_types import default_host_types
from genomics_pipeline.aws.template.intake import Intake
from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.aws.template.tasks import StepImage
from genomics_pipeline.aws.template.template import template
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.hosts import HostChoice, HostType
from genomics_pipeline.model.resource_names import ResourceNames, resource_names
from genomics_pipeline.runs.catalog import load_pipeline, pipeline_names
from genomics_pipeline.runs.containers.images import content_tag
from genomics_pipeline.runs.stack.intake import ArrivingSheets, stack_intake
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """The parts of a stack's template.

    Attributes:
        names: The names of its resources.
        machines: The state machines of its pipelines, in the order of their names.
        images: The images of the steps, each once, in the order of their names.
        intake: The intake; None for none.
    """

    names: ResourceNames
    machines: tuple[PipelineStateMachine, ...]
    images: tuple[StepImage, ...]
    intake: Intake | None = None

    def document(self) -> dict[str, Any]:
        """Return the CloudFormation template; see `aws.template.template.template`."""
        volume = int(PARAMETERS["VolumeGiB"]["Default"])
        hosts = {
            architecture: self.host_choice(
                [one for one in default_host_types() if one.architecture is architecture], volume
            )
            for architecture in Architecture
        }
        return template(self.machines, self.images, self.names, hosts, self.intake)

    def host_choice(self, types: Sequence[HostType], volume_gib: int) -> HostChoice:
        """Return the choice among instance types, by the disk that the steps declare.

        Args:
            types: The types in question.
            volume_gib: The EBS volume of each host.
        """
        return HostChoice([image.step for image in self.images], volume_gib, types)


def stack_template(pipelines: Sequence[str], stack: str, arriving: ArrivingSheets | None = None) -> StackTemplate:
    """Return the template of a stack.

    Args:
        pipelines: The pipelines that it runs; all shipped ones where none is named.
        stack: The name of the stack.
        arriving: The sheets that it submits as they arrive; None for none.

    Raises:
        UsageError: for an invalid name of a stack.
        DataError: for a pipeline or step that cannot be used, or two with the same name.
    """
    names = resource_names(stack)
    machines: dict[str, PipelineStateMachine] = {}
    steps: dict[str, StepFolder] = {}
    for name_or_file in pipelines or pipeline_names():
        pipeline, folders = load_pipeline(name_or_file)
        if pipeline.name in machines:
            raise DataError(f"two pipelines are named {pipeline.name!r}; give one of them another name")
        jobs = tuple(sorted({names.job_definition(stage.step.name) for stage in pipeline.stages}))
        document = generate(pipeline, names)
        check_limits(document)  # also of shipped pipelines, since the stack's name is part of it
        machines[pipeline.name] = PipelineStateMachine(pipeline.name, canonical_json(document), jobs)
        for name, step in folders.items():
            if steps.setdefault(name, step).path != step.path:
                raise DataError(f"two steps are named {name!r}: {steps[name].path} and {step.path}")
    images = tuple(StepImage(step.spec, content_tag(step)) for _, step in sorted(steps.items()))
    intake = stack_intake(arriving, machines, tuple(sorted(steps))) if arriving else None
    return StackTemplate(names, tuple(machine for _, machine in sorted(machines.items())), images, intake)

"""The template of a stack that runs pipelines, shipped ones or the user's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
from genomics_pipeline.aws.template.template import FunctionImage, template
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.hosts import HostChoice, HostType
from genomics_pipeline.model.resource_names import ResourceNames, resource_names
from genomics_pipeline.runs.catalog import load_pipeline, usual_pipelines
from genomics_pipeline.runs.containers.images import content_tag
from genomics_pipeline.runs.stack.intake import ArrivingSheets, stack_intake
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """The parts of a stack's template.

    Attributes:
        names: The names of its resources.
        machines: The state machines of its pipelines, in the order of their names.
        images: The images of the steps that are jobs, each once, in the order of their names.
        functions: The steps that are functions, likewise.
        intake: The intake; None for none.
    """

    names: ResourceNames
    machines: tuple[PipelineStateMachine, ...]
    images: tuple[StepImage, ...]
    intake: Intake | None = None
    functions: tuple[StepFolder, ...] = ()

    def document(self, without: Collection[str] = ()) -> dict[str, Any]:
        """Return the CloudFormation template; see `aws.template.template.template`.

        Args:
            without: The steps on Lambda that have no repository for their image yet, and so no function.
        """
        functions = [FunctionImage(_image(one), one.spec.name not in without) for one in self.functions]
        volume = int(PARAMETERS["VolumeGiB"]["Default"])
        hosts = {
            architecture: self.host_choice(
                [one for one in default_host_types() if one.architecture is architecture], volume
            )
            for architecture in Architecture
        }
        return template(self.machines, self.images, self.names, hosts, self.intake, functions)

    @property
    def has_jobs(self) -> bool:
        """Return whether anything of the stack is a job of AWS Batch."""
        return bool(self.images) or self.intake is not None

    @property
    def steps(self) -> list[str]:
        """The names of all steps, in the order of their names."""
        return sorted([*(image.step.name for image in self.images), *(one.spec.name for one in self.functions)])

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
        pipelines: The pipelines that it runs; all shipped ones over samples where none is named.
        stack: The name of the stack.
        arriving: The sheets that it submits as they arrive; None for none.

    Raises:
        UsageError: for an invalid name of a stack.
        DataError: for a pipeline or step that cannot be used, or two with the same name.
    """
    names = resource_names(stack)
    machines: dict[str, PipelineStateMachine] = {}
    steps: dict[str, StepFolder] = {}
    for name_or_file in pipelines or usual_pipelines():
        pipeline, folders = load_pipeline(name_or_file)
        if pipeline.name in machines:
            raise DataError(f"two pipelines are named {pipeline.name!r}; give one of them another name")
        jobs, functions = (
            tuple(
                sorted({name_of(stage.step.name) for stage in pipeline.stages if stage.step.is_function is on_lambda})
            )
            for name_of, on_lambda in ((names.job_definition, False), (names.function, True))
        )
        document = generate(pipeline, names)
        check_limits(document)  # also of shipped pipelines, since the stack's name is part of it
        machines[pipeline.name] = PipelineStateMachine(pipeline.name, canonical_json(document), jobs, functions)
        for name, step in folders.items():
            if steps.setdefault(name, step).path != step.path:
                raise DataError(f"two steps are named {name!r}: {steps[name].path} and {step.path}")
    jobs_of, functions_of = (
        tuple(step for _, step in sorted(steps.items()) if step.spec.is_function is on_lambda)
        for on_lambda in (False, True)
    )
    intake = stack_intake(arriving, machines, tuple(sorted(steps))) if arriving else None
    by_name = tuple(machine for _, machine in sorted(machines.items()))
    return StackTemplate(names, by_name, tuple(map(_image, jobs_of)), intake, functions_of)


def _image(step: StepFolder) -> StepImage:
    return StepImage(step.spec, content_tag(step))

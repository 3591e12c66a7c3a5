"""The template of a stack, composed of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.aws.deployment import ARCHITECTURE, BUCKET_OUTPUT, INTAKE_OUTPUT
from genomics_pipeline.aws.template.compute import HOST_TYPES, JOB_QUEUE, ON_DEMAND_QUEUE, compute, host_types
from genomics_pipeline.aws.template.functions import TemplateResources, ref, sub
from genomics_pipeline.aws.template.index_job import INDEX_ROLE, index_job
from genomics_pipeline.aws.template.intake import Intake, intake_events, intake_resources
from genomics_pipeline.aws.template.lambda_functions import function_repository, function_resources
from genomics_pipeline.aws.template.logs import logs
from genomics_pipeline.aws.template.monitoring import monitoring
from genomics_pipeline.aws.template.network import network
from genomics_pipeline.aws.template.notifications import partitions
from genomics_pipeline.aws.template.parameters import CONDITIONS, FUNCTION_CONDITIONS, FUNCTION_PARAMETERS, PARAMETERS
from genomics_pipeline.aws.template.registry import repository
from genomics_pipeline.aws.template.roles import instance_role, optional_policies, states_role, task_roles
from genomics_pipeline.aws.template.states import PipelineStateMachine, machine_id, role_id, state_machine
from genomics_pipeline.aws.template.storage import BUCKET, storage
from genomics_pipeline.aws.template.tasks import JOB_ROLE, StepImage, job_definition
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.hosts import HostChoice
from genomics_pipeline.model.resource_names import INTAKE, ResourceNames

FORMAT = "2010-09-09"
DESCRIPTION = "Batch genomics on Step Functions and AWS Batch: genomics-pipeline template"
# The first deployment takes all parameters, so that AWS checks their values, and uses few of them. A stack without jobs
# keeps those of hosts: `deploy` may be given them again.
UNUSED = {"cfn-lint": {"config": {"ignore_checks": ["W2001", "W8001"]}}}


@dataclass(frozen=True, slots=True)
class FunctionImage:
    """A step that is a function.

    Attributes:
        image: The step, with the tag of its images.
        is_pushed: Its image is in its repository, or can be; a function is not created without one.
    """

    image: StepImage
    is_pushed: bool = True


def first_template() -> dict[str, Any]:
    """Return the template of a first deployment: the bucket, to which the whole template is uploaded afterwards.

    A template in a request may have 51,200 bytes, one in a bucket 1 MB.
    """
    return {
        "AWSTemplateFormatVersion": FORMAT,
        "Description": DESCRIPTION,
        "Metadata": UNUSED,
        "Parameters": PARAMETERS,
        "Conditions": CONDITIONS,
        "Resources": storage(),
        "Outputs": {BUCKET_OUTPUT: {"Value": ref(BUCKET)}},
    }


def template(
    machines: Sequence[PipelineStateMachine],
    images: Sequence[StepImage],
    names: ResourceNames,
    hosts: Mapping[Architecture, HostChoice],
    intake: Intake | None = None,
    functions: Sequence[FunctionImage] = (),
) -> dict[str, Any]:
    """Return the CloudFormation template of a stack.

    Args:
        machines: The state machines of the pipelines.
        images: The steps of the pipelines that are jobs, each once, with the tags of their images.
        names: The names of the resources.
        hosts: The instance types of each architecture.
        intake: The intake of the stack; None for none.
        functions: The steps that are functions.

    Raises:
        DataError: if two steps or pipelines have the same logical id, or a name is too long.
    """
    steps = [image.step.name for image in images]
    pulled = [*steps, INTAKE] if intake else steps
    batch_users = [role_id(machine.pipeline) for machine in machines if not machine.functions]
    resources: TemplateResources = {}
    parts = [
        storage(intake_events() if intake else None),
        logs(names),
        *((network(names), instance_role(), compute(names), task_roles(pulled)) if pulled else ()),
        *(repository(step, names) for step in steps),
        *(job_definition(image, names) for image in images),
        *({role_id(machine.pipeline): states_role(machine, names)} for machine in machines),
        *((optional_policies(JOB_ROLE, batch_users),) if pulled else ()),
        *(optional_policies(role_id(machine.pipeline)) for machine in machines if machine.functions),
        *(function_repository(one.image.step, names) for one in functions),
        *(part for one in functions if one.is_pushed for part in function_resources(one.image, names)),
        *(state_machine(machine, names) for machine in machines),
        *monitoring(machines, names, has_jobs=bool(pulled), has_intake=intake is not None),
        *((index_job(images, names), optional_policies(INDEX_ROLE)) if images else ()),
        *(intake_resources(intake, machines, names) if intake else ()),
    ]
    for part in parts:
        for name, resource in part.items():
            if name in resources:
                raise DataError(f"two names result in the same resource name {name}: rename a step or a pipeline")
            resources[name] = resource
    _check_names(machines, names)
    has_functions = any(one.is_pushed for one in functions)
    arithmetic = [line for choice in hosts.values() for line in choice.arithmetic()]
    return {
        "AWSTemplateFormatVersion": FORMAT,
        "Description": DESCRIPTION,
        "Metadata": {HOST_TYPES: arithmetic} if pulled else UNUSED,
        **({"Mappings": {**host_types(hosts), **partitions()}} if pulled else {}),
        "Parameters": {**PARAMETERS, **(FUNCTION_PARAMETERS if has_functions else {})},
        "Conditions": {**CONDITIONS, **(FUNCTION_CONDITIONS if has_functions else {})},
        "Resources": resources,
        "Outputs": _outputs(machines, intake, has_jobs=bool(pulled)),
    }


def _check_names(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> None:
    for machine in machines:
        name = names.state_machine(machine.pipeline)
        if len(name) > quotas.STATE_MACHINE_NAME.value:
            raise DataError(
                f"state machine {name}: AWS allows {quotas.STATE_MACHINE_NAME}, found {len(name)}; "
                "shorten the stack's or the pipeline's name"
            )


def _outputs(machines: Sequence[PipelineStateMachine], intake: Intake | None, *, has_jobs: bool) -> dict[str, Any]:
    values = {
        BUCKET_OUTPUT: ref(BUCKET),
        ARCHITECTURE: ref(ARCHITECTURE),
        **({"JobQueue": ref(JOB_QUEUE), "OnDemandQueue": ref(ON_DEMAND_QUEUE)} if has_jobs else {}),
        **({INTAKE_OUTPUT: sub(f"s3://${{{BUCKET}}}/{intake.prefix}")} if intake else {}),
        **{machine_id(machine.pipeline): ref(machine_id(machine.pipeline)) for machine in machines},
    }
    return {name: {"Value": value} for name, value in values.items()}

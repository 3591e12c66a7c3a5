"""The template of a stack, composed of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.aws.deployment import ARCHITECTURE, BUCKET_OUTPUT
from genomics_pipeline.aws.template.compute import HOST_TYPES, JOB_QUEUE, ON_DEMAND_QUEUE, compute, host_types
from genomics_pipeline.aws.template.functions import TemplateResources, ref
from genomics_pipeline.aws.template.logs import logs
from genomics_pipeline.aws.template.monitoring import monitoring
from genomics_pipeline.aws.template.network import network
from genomics_pipeline.aws.template.notifications import partitions
from genomics_pipeline.aws.template.parameters import CONDITIONS, PARAMETERS
from genomics_pipeline.aws.template.registry import repository
from genomics_pipeline.aws.template.roles import instance_role, optional_policies, states_role, task_roles
from genomics_pipeline.aws.template.states import PipelineStateMachine, machine_id, role_id, state_machine
from genomics_pipeline.aws.template.storage import BUCKET, storage
from genomics_pipeline.aws.template.tasks import StepImage, job_definition
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.hosts import HostChoice
from genomics_pipeline.model.resource_names import ResourceNames

# The first deployment takes the parameters of the monitoring, which it does not create yet.
UNUSED_MONITORING = {"cfn-lint": {"config": {"ignore_checks": ["W2001", "W8001"]}}}


def template(
    machines: Sequence[PipelineStateMachine],
    images: Sequence[StepImage],
    names: ResourceNames,
    hosts: Mapping[Architecture, HostChoice],
    *,
    with_machines: bool = True,
) -> dict[str, Any]:
    """Return the CloudFormation template of a stack.

    Args:
        machines: The state machines of the pipelines.
        images: The steps of the pipelines, each once, with the tags of their images.
        names: The names of the resources.
        hosts: The instance types of each architecture.
        with_machines: Include the state machines and their monitoring. The definitions are in the stack's own bucket,
            so that the first deployment creates the bucket without them, by a template that fits into a request.

    Raises:
        DataError: if two steps or pipelines have the same logical id, or a name is too long.
    """
    steps = [image.step.name for image in images]
    resources: TemplateResources = {}
    parts = [
        storage(),
        logs(names),
        network(names),
        instance_role(),
        compute(names),
        task_roles(steps),
        *(repository(step, names) for step in steps),
        *(job_definition(image, names) for image in images),
        *({role_id(machine.pipeline): states_role(machine, names)} for machine in machines),
        optional_policies(machines),
        *(state_machine(machine, names) for machine in machines if with_machines),
        *(monitoring(machines, names) if with_machines else ()),
    ]
    for part in parts:
        for name, resource in part.items():
            if name in resources:
                raise DataError(f"two names result in the same resource name {name}: rename a step or a pipeline")
            resources[name] = resource
    _check_names(machines, names)
    arithmetic = [line for choice in hosts.values() for line in choice.arithmetic()]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Batch genomics on Step Functions and AWS Batch: genomics-pipeline template",
        "Metadata": {HOST_TYPES: arithmetic} if with_machines else UNUSED_MONITORING,
        "Mappings": {**host_types(hosts), **(partitions() if with_machines else {})},
        "Parameters": PARAMETERS if with_machines else _without_descriptions(PARAMETERS),
        "Conditions": CONDITIONS,
        "Resources": resources,
        "Outputs": _outputs(machines if with_machines else ()),
    }


def _without_descriptions(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters for the template that must be small; the next one, a minute later, has their descriptions."""
    return {
        name: {field: value for field, value in parameter.items() if field != "Description"}
        for name, parameter in parameters.items()
    }


def _check_names(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> None:
    for machine in machines:
        name = names.state_machine(machine.pipeline)
        if len(name) > quotas.STATE_MACHINE_NAME.value:
            raise DataError(
                f"state machine {name}: AWS allows {quotas.STATE_MACHINE_NAME}, found {len(name)}; "
                "shorten the stack's or the pipeline's name"
            )


def _outputs(machines: Sequence[PipelineStateMachine]) -> dict[str, Any]:
    values = {
        BUCKET_OUTPUT: ref(BUCKET),
        ARCHITECTURE: ref(ARCHITECTURE),
        "JobQueue": ref(JOB_QUEUE),
        "OnDemandQueue": ref(ON_DEMAND_QUEUE),
        **{machine_id(machine.pipeline): ref(machine_id(machine.pipeline)) for machine in machines},
    }
    return {name: {"Value": value} for name, value in values.items()}

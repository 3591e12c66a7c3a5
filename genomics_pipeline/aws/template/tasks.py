"""Job definitions, one for each step: image, resources, and retries of host and image failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.aws.deployment import JOB_DEFINITION
from genomics_pipeline.aws.template.functions import TemplateResources, attribute, logical_id, ref, sub
from genomics_pipeline.aws.template.host_metadata import USER
from genomics_pipeline.aws.template.logs import TASKS_LOG
from genomics_pipeline.aws.template.registry import repository_id
from genomics_pipeline.aws.template.scratch import SCRATCH
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.task import MEMORY_VARIABLE, VCPUS_VARIABLE

JOB_ROLE = "JobRole"
EXECUTION_ROLE = "ExecutionRole"


@dataclass(frozen=True, slots=True)
class StepImage:
    """A step and the tag of its images without their architecture."""

    step: StepSpec
    tag: str


def job_definition(image: StepImage, names: ResourceNames) -> TemplateResources:
    """Return the job definition of a step."""
    step = image.step
    return {
        logical_id(step.name, "JobDefinition"): {
            "Type": JOB_DEFINITION,
            "Properties": {
                "Type": "container",
                "JobDefinitionName": names.job_definition(step.name),
                # Runs go on with the revision that they were submitted with.
                "ResourceRetentionPolicy": {"SkipDeregisterOnUpdate": True},
                "PlatformCapabilities": ["EC2"],
                "PropagateTags": True,
                "RetryStrategy": STACK_RETRY_STRATEGY.to_json(),
                "Timeout": {"AttemptDurationSeconds": step.resources.timeout_s},
                "ContainerProperties": container(image, JOB_ROLE),
            },
        }
    }


def container(image: StepImage, job_role: str) -> dict[str, Any]:
    """Return the properties of the containers of a step's image.

    Args:
        image: The image.
        job_role: The logical id of the role of the programs in them.
    """
    vcpus, memory = str(image.step.resources.vcpus), str(image.step.resources.memory_mib)
    return {
        "Image": sub(f"${{{repository_id(image.step.name)}.RepositoryUri}}:{image.tag}-${{Architecture}}"),
        "JobRoleArn": attribute(job_role, "Arn"),
        "ExecutionRoleArn": attribute(EXECUTION_ROLE, "Arn"),
        "ResourceRequirements": [{"Type": "VCPU", "Value": vcpus}, {"Type": "MEMORY", "Value": memory}],
        "Environment": [
            {"Name": VCPUS_VARIABLE, "Value": vcpus},
            {"Name": MEMORY_VARIABLE, "Value": memory},
        ],
        "User": USER,
        "Privileged": False,
        "ReadonlyRootFilesystem": True,
        "Volumes": [{"Name": "scratch", "Host": {"SourcePath": SCRATCH}}],
        "MountPoints": [{"SourceVolume": "scratch", "ContainerPath": SCRATCH, "ReadOnly": False}],
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": ref(TASKS_LOG),
                "awslogs-region": ref("AWS::Region"),
                "awslogs-stream-prefix": image.step.name,
            },
        },
    }

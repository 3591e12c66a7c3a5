"""Compute environments and job queues: Spot first, On-Demand if there is no Spot capacity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, attribute, ref, when
from genomics_pipeline.aws.template.network import SECURITY_GROUP, subnets
from genomics_pipeline.aws.template.parameters import HAS_HOST_TYPES, HAS_INSTANCE_TYPES, IS_ARM64
from genomics_pipeline.aws.template.scratch import user_data
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.block_reasons import CANCELLED_AFTER_S
from genomics_pipeline.model.hosts import HostChoice
from genomics_pipeline.model.resource_names import COST_TAG, ResourceNames

INSTANCE_PROFILE = "InstanceProfile"
JOB_QUEUE = "JobQueue"
HOST_TYPES = "HostTypes"  # the mapping of the default instance types, by architecture
TYPES = "Types"
ON_DEMAND_QUEUE = "OnDemandQueue"


def compute(names: ResourceNames) -> TemplateResources:
    """Return launch template, compute environments and job queues."""
    return {
        "LaunchTemplate": _launch_template(),
        "SpotEnvironment": _environment("SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED", names),
        "OnDemandEnvironment": _environment("EC2", "BEST_FIT_PROGRESSIVE", names),
        JOB_QUEUE: _queue(names.job_queue, "SpotEnvironment", "OnDemandEnvironment"),
        ON_DEMAND_QUEUE: _queue(names.on_demand_queue, "OnDemandEnvironment"),
    }


def _launch_template() -> dict[str, Any]:
    volume = {"VolumeSize": ref("VolumeGiB"), "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}
    return {
        "Type": "AWS::EC2::LaunchTemplate",
        "Properties": {
            "LaunchTemplateData": {
                # For the host itself: user data closes it to the tasks.
                "MetadataOptions": {
                    "HttpTokens": "required",
                    "HttpEndpoint": "enabled",
                    "HttpProtocolIpv6": "disabled",
                    "HttpPutResponseHopLimit": 1,
                },
                "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": volume}],
                "UserData": {"Fn::Base64": user_data()},
            }
        },
    }


def _environment(kind: str, strategy: str, names: ResourceNames) -> dict[str, Any]:
    """Return a compute environment that is updated in place.

    It has no service role: Batch then uses AWSServiceRoleForBatch, and creates it if it is missing. Only with that role
    and these allocation strategies can every property be updated without a new environment (Batch user guide,
    "Updating compute environments"); they need no Spot Fleet role either.
    """
    return {
        "Type": "AWS::Batch::ComputeEnvironment",
        "Metadata": {"cfn-lint": {"config": {"ignore_checks": ["W1030"]}}},  # lists are only used if they are given
        "Properties": {
            "Type": "MANAGED",
            "State": "ENABLED",
            "ReplaceComputeEnvironment": False,
            # The most that AWS allows: jobs take up to a day, and would be ended with their host before.
            "UpdatePolicy": {"TerminateJobsOnUpdate": False, "JobExecutionTimeoutMinutes": 7200},
            "ComputeResources": {
                "Type": kind,
                "AllocationStrategy": strategy,
                "MinvCpus": 0,
                "MaxvCpus": ref("MaxVcpus"),
                "InstanceTypes": _types(),
                "Subnets": subnets(),
                "SecurityGroupIds": [ref(SECURITY_GROUP)],
                "InstanceRole": attribute(INSTANCE_PROFILE, "Arn"),
                "LaunchTemplate": {
                    "LaunchTemplateId": ref("LaunchTemplate"),
                    "Version": attribute("LaunchTemplate", "LatestVersionNumber"),
                },
                "Ec2Configuration": [{"ImageType": "ECS_AL2023"}],
                "UpdateToLatestImageVersion": True,
                "Tags": {"Name": names.stack, COST_TAG: names.stack},
            },
        },
    }


def _types() -> dict[str, Any]:
    """Return what `deploy` chose, else what the user named, else the default types of the architecture."""
    arm64, x86_64 = (
        {"Fn::FindInMap": [HOST_TYPES, one.engine, TYPES]} for one in (Architecture.ARM64, Architecture.X86_64)
    )
    default = when(IS_ARM64, arm64, x86_64)
    return when(HAS_HOST_TYPES, ref("HostTypes"), when(HAS_INSTANCE_TYPES, ref("InstanceTypes"), default))


def host_types(choices: Mapping[Architecture, HostChoice]) -> dict[str, Any]:
    """Return the mappings of the template: the default types of each architecture, by a name without an underscore.

    Where no type has the disk of every step, the map has all of them; `deploy` refuses to use them.
    """
    types = {
        architecture.engine: {TYPES: [host.name for host in choice.kept or choice.types]}
        for architecture, choice in choices.items()
    }
    return {HOST_TYPES: types}


def _queue(name: str, *environments: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Batch::JobQueue",
        "Properties": {
            "JobQueueName": name,
            "State": "ENABLED",
            "Priority": 1,
            "ComputeEnvironmentOrder": [
                {"Order": order, "ComputeEnvironment": ref(environment)}
                for order, environment in enumerate(environments, start=1)
            ],
            "JobStateTimeLimitActions": [
                {"State": "RUNNABLE", "Reason": reason, "MaxTimeSeconds": seconds, "Action": "CANCEL"}
                for reason, seconds in CANCELLED_AFTER_S.items()
            ],
        },
    }

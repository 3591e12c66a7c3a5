"""The resources of a deployed stack: running executions of its state machines, and its job definitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.deployment import JOB_DEFINITION, is_pipeline

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef, StackTypeDef


def running_executions(description: StackTypeDef, clients: Clients) -> dict[str, list[str]]:
    """Return the names of running executions by the logical id of their pipeline: the first page of each.

    Raises:
        RunError: if a call fails.
    """
    names: dict[str, list[str]] = {}
    with aws_call(f"list the running executions of the stack {description['StackName']}"):
        for resource in filter(is_pipeline, _resources(description, clients)):
            listed = clients.states.list_executions(
                stateMachineArn=resource["PhysicalResourceId"], statusFilter="RUNNING"
            )
            names[resource["LogicalResourceId"]] = [execution["name"] for execution in listed["executions"]]
    return names


def job_definitions(description: StackTypeDef, clients: Clients) -> list[str]:
    """Return the ARNs of the revisions of job definitions that a stack holds.

    Raises:
        RunError: if a call fails.
    """
    with aws_call(f"list the resources of the stack {description['StackName']}"):
        resources = [one for one in _resources(description, clients) if one["ResourceType"] == JOB_DEFINITION]
    return [one["PhysicalResourceId"] for one in resources if one.get("PhysicalResourceId")]


def _resources(description: StackTypeDef, clients: Clients) -> Iterator[StackResourceSummaryTypeDef]:
    pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=description["StackId"])
    return (resource for page in pages for resource in page["StackResourceSummaries"])

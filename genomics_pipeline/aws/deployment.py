"""Deployed stacks: their bucket and the names of their resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef

BUCKET_OUTPUT = "Bucket"
INTAKE_OUTPUT = "Intake"  # where sheets arrive; only of a stack with an intake
ARCHITECTURE = "Architecture"  # the output and the parameter of the stack
STATE_MACHINE = "AWS::StepFunctions::StateMachine"
JOB_DEFINITION = "AWS::Batch::JobDefinition"
RUN_REPORT = "RunReport"  # the logical id of the state machine that reports ended runs


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack in one account and Region.

    Attributes:
        names: The names of its resources.
        bucket: Its bucket.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        region: Its Region.
        account: Its account.
        architecture: The processor architecture of its hosts.
        intake: The URI below which sample sheets that arrive are submitted; empty for none.
    """

    names: ResourceNames
    bucket: str
    partition: str
    region: str
    account: str
    architecture: Architecture = Architecture.X86_64
    intake: str = ""

    def state_machine_arn(self, pipeline: str) -> str:
        """Return the ARN of the state machine of a pipeline."""
        return self._states("stateMachine", self.names.state_machine(pipeline))

    def execution_arn(self, pipeline: str, execution: str) -> str:
        """Return the ARN of an execution of a pipeline."""
        return self._states("execution", f"{self.names.state_machine(pipeline)}:{execution}")

    def _states(self, kind: str, name: str) -> str:
        return f"arn:{self.partition}:states:{self.region}:{self.account}:{kind}:{name}"


def find_deployment(stack: str, clients: Clients) -> Deployment:
    """Return the deployed stack with a name.

    Raises:
        RunError: if there is none, or the call fails.
    """
    from botocore.exceptions import ClientError

    with aws_call(f"find the stack {stack}"):
        try:
            (description,) = clients.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise RunError(
                f"stack {stack}: expected a deployed stack, found none; run `genomics-pipeline deploy`"
            ) from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", ())}
    if BUCKET_OUTPUT not in outputs:
        raise RunError(
            f"stack {stack}: expected an output {BUCKET_OUTPUT}, found {description['StackStatus']}; deploy it again"
        )
    _, partition, _, region, account, _ = description["StackId"].split(":", 5)
    architecture = Architecture(outputs.get(ARCHITECTURE, Architecture.X86_64))  # older stacks have no such output
    intake = outputs.get(INTAKE_OUTPUT, "")
    return Deployment(ResourceNames(stack), outputs[BUCKET_OUTPUT], partition, region, account, architecture, intake)


def state_machines(stack: str, clients: Clients) -> list[str]:
    """Return the ARNs of a stack's state machines of pipelines.

    Raises:
        RunError: if the call fails.
    """
    with aws_call(f"list the resources of the stack {stack}"):
        pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        return [
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if is_pipeline(resource)
        ]


def is_pipeline(resource: StackResourceSummaryTypeDef) -> bool:
    """Return whether a resource of a stack is the state machine of a pipeline, and exists."""
    is_machine = resource["ResourceType"] == STATE_MACHINE and resource["LogicalResourceId"] != RUN_REPORT
    return is_machine and "PhysicalResourceId" in resource and resource["ResourceStatus"] != "DELETE_COMPLETE"

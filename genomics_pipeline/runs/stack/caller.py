"""The IAM policy of those who use a deployed stack."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import find_deployment
from genomics_pipeline.aws.stack import describe
from genomics_pipeline.aws.template.caller import caller_policy
from genomics_pipeline.runs.stack.template import StackTemplate


def caller_of(plan: StackTemplate, clients: Clients) -> dict[str, Any]:
    """The policy for the pipelines of a deployed stack, its bucket, its input buckets and its key.

    Raises:
        RunError: if the stack is not deployed, or AWS cannot be asked.
    """
    stack = plan.names.stack
    deployment, found = find_deployment(stack, clients), describe(stack, clients)
    given = {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())} if found else {}
    inputs = [bucket for bucket in given.get("InputBuckets", "").split(",") if bucket]
    steps = [image.step.name for image in plan.images]
    return caller_policy(deployment, plan.machines, steps, inputs, given.get("KmsKeyArn", ""))

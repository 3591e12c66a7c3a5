"""The IAM policy of those who use a deployed stack."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import find_deployment
from genomics_pipeline.aws.stack import describe, parameter_values
from genomics_pipeline.aws.template.caller import caller_policy
from genomics_pipeline.runs.stack.template import StackTemplate


def deployed_caller_policy(
    plan: StackTemplate, clients: Clients, *, check_rights: bool = False, index: bool = False
) -> dict[str, Any]:
    """Return the IAM policy document for the callers of a deployed stack.

    It covers the stack's pipelines, its bucket, its input buckets and its key.

    Args:
        plan: The template with the pipelines to allow.
        clients: The AWS clients.
        check_rights: They may use ``submit --check-rights``.
        index: They may use ``index --stack``.

    Raises:
        RunError: if the stack is not deployed, or AWS cannot be reached.
    """
    stack = plan.names.stack
    deployment, description = find_deployment(stack, clients), describe(stack, clients)
    values = parameter_values(description)
    inputs, keys = ([one for one in values.get(name, "").split(",") if one] for name in ("InputBuckets", "InputKeys"))
    key = values.get("KmsKeyArn", "")
    return caller_policy(
        deployment, plan.machines, plan.steps, inputs, key, keys, check_rights=check_rights, index=index
    )

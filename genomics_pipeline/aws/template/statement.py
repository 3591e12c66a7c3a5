"""IAM statements with their reasons, and policies and roles of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.aws.template.functions import ref, when
from genomics_pipeline.aws.template.parameters import HAS_BOUNDARY
from genomics_pipeline.model.resource_names import COST_TAG, ResourceNames

# The actions of an upload, in parts if it is large.
UPLOAD = ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that allows actions on resources, with its reason.

    Attributes:
        sid: Its name in the policy, of letters and digits.
        why: The call that needs it, and why its resources are no narrower.
        actions: The actions, without wildcards.
        resources: ARNs, intrinsic functions that return one each, or one function that returns all.
        condition: The condition under which it allows the actions; None for none.
    """

    sid: str
    why: str
    actions: Sequence[str]
    resources: Sequence[Any] | dict[str, Any]
    condition: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the statement as it is in a policy."""
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": self.resources if isinstance(self.resources, dict) else list(self.resources),
            **({"Condition": self.condition} if self.condition else {}),
        }


def policy(statements: Sequence[Statement]) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


def reasons(statements: Sequence[Statement]) -> dict[str, Any]:
    """Return the reasons as metadata of the resource with the policy, because JSON has no comments."""
    return {"Why": {statement.sid: statement.why for statement in statements}}


def own_jobs(names: ResourceNames) -> dict[str, Any]:
    """Return the condition that a job is one of the stack's, by the tag with which state machines submit jobs."""
    return {"StringEquals": {f"aws:ResourceTag/{COST_TAG}": names.stack}}


def role(
    service: str | dict[str, Any], statements: Sequence[Statement], trust: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a role that a service of AWS assumes.

    Args:
        service: The service, such as ``ecs-tasks.amazonaws.com``.
        statements: The statements of its policy.
        trust: The condition for assuming it.
    """
    assume = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        **({"Condition": trust} if trust else {}),
    }
    return {
        "Type": "AWS::IAM::Role",
        "Metadata": reasons(statements),
        "Properties": {
            "PermissionsBoundary": when(HAS_BOUNDARY, ref("PermissionsBoundary")),
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [assume]},
            "Policies": [{"PolicyName": "Allowed", "PolicyDocument": policy(statements)}],
        },
    }

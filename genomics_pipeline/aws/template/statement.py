"""One permission with its reason, and the policies and roles made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed, on what, and why.

    Attributes:
        sid: Its name in the policy, of letters and digits.
        why: The call that needs it, and what forces a resource that is wider than one.
        actions: Never with a wildcard.
        resources: ARNs, functions that give one each, or one function that gives all.
        condition: Under which condition only.
    """

    sid: str
    why: str
    actions: Sequence[str]
    resources: Sequence[Any] | dict[str, Any]
    condition: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The statement in a policy."""
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": self.resources if isinstance(self.resources, dict) else list(self.resources),
            **({"Condition": self.condition} if self.condition else {}),
        }


def policy(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


def reasons(statements: Sequence[Statement]) -> dict[str, Any]:
    """Metadata of the resource that holds the policy: JSON has no comments."""
    return {"Why": {statement.sid: statement.why for statement in statements}}


def role(
    service: str | dict[str, Any], statements: Sequence[Statement], trust: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A role that a service of AWS takes on.

    Args:
        service: Who takes it on, such as ``ecs-tasks.amazonaws.com``.
        statements: What it may do.
        trust: The condition of taking it on.
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
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [assume]},
            "Policies": [{"PolicyName": "Allowed", "PolicyDocument": policy(statements)}],
        },
    }

"""Policies of a template, with intrinsic functions resolved, evaluated by moto's policy engine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult

REGION, ACCOUNT, BUCKET = "eu-central-1", "123456789012", "stack-bucket"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
PARAMETERS = {"KmsKeyArn": KEY, "InputBuckets": ["arn:aws:s3:::reads", "arn:aws:s3:::more"]}


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def resolve(value: Any, resources: Mapping[str, Any]) -> Any:
    """Return a value of the template with its intrinsic functions resolved."""
    if isinstance(value, list):
        return [resolve(each, resources) for each in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["Ref"]:
        return _ref(value["Ref"], resources)
    if list(value) == ["Fn::GetAtt"]:
        name, attribute = value["Fn::GetAtt"]
        return _attribute(name, attribute, resources)
    if list(value) == ["Fn::Sub"]:
        text, variables = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
        variables = resolve(variables, resources)
        return re.sub(r"\$\{([^}]*)\}", lambda match: variables.get(match[1]) or _variable(match[1], resources), text)
    if list(value) in (["Fn::Join"], ["Fn::Split"]):
        separator, parts = resolve(next(iter(value.values())), resources)
        return separator.join(parts) if "Fn::Join" in value else parts.split(separator)
    return {key: resolve(each, resources) for key, each in value.items()}


def _variable(name: str, resources: Mapping[str, Any]) -> str:
    resource, dot, attribute = name.partition(".")
    value = _attribute(resource, attribute, resources) if dot else _ref(name, resources)
    assert isinstance(value, str)
    return value


def _ref(name: str, resources: Mapping[str, Any]) -> Any:
    if name in PSEUDO or name in PARAMETERS:
        return {**PSEUDO, **PARAMETERS}[name]
    resource = resources[name]
    return BUCKET if name == "Bucket" else resource["Properties"].get("LogGroupName", name)


def _attribute(name: str, attribute: str, resources: Mapping[str, Any]) -> str:
    assert attribute == "Arn"
    properties = resources[name]["Properties"]
    if name == "Bucket":
        return f"arn:aws:s3:::{BUCKET}"
    return arn("ecr", f"repository/{properties['RepositoryName']}")


def statements(document: Mapping[str, Any], holder: str) -> list[dict[str, Any]]:
    """Return the statements of a role, from its own policies and those attached to it."""
    resources = document["Resources"]
    policies = [each["PolicyDocument"] for each in resources[holder]["Properties"]["Policies"]]
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": holder} in resource["Properties"]["Roles"]:
            policies.append(resource["Properties"]["PolicyDocument"])
    return [statement for policy in policies for statement in resolve(policy, resources)["Statement"]]


def is_allowed(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    """Return whether the statements allow an action on a resource."""
    policy = IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return policy.is_action_permitted(action, resource) == PermissionResult.PERMITTED

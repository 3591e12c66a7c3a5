"""Policies of a template, with intrinsic functions resolved, evaluated by moto's policy engine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult

from genomics_pipeline.runs.catalog import load_pipeline

REGION, ACCOUNT, BUCKET = "eu-central-1", "123456789012", "stack-bucket"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
OWN_JOB = {"aws:ResourceTag/genomics-pipeline": "genomics-pipeline"}  # of the jobs that its state machines submit
VIA_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
REQUEST = {**OWN_JOB, **VIA_S3}
INPUT_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-reads"
PSEUDO = {"AWS::URLSuffix": "amazonaws.com", "AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
PARAMETERS = {"InputKeys": [INPUT_KEY], "KmsKeyArn": KEY, "InputBuckets": ["arn:aws:s3:::reads", "arn:aws:s3:::more"]}


def map_labels(pipeline: str) -> list[str]:
    """Return the labels of the Distributed Maps of a shipped pipeline, with the slash before them in ARNs."""
    scopes = {stage.scope for stage in load_pipeline(pipeline)[0].stages}
    return [f"/{scope.title()}" for scope in ("sample", "interval") if scope in scopes]


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


def is_allowed(
    statements: list[dict[str, Any]], action: str, resource: str, context: Mapping[str, str] = REQUEST
) -> bool:
    """Return whether the statements allow an action on a resource, with condition keys of the request."""
    applying = [
        {key: value for key, value in statement.items() if key != "Condition"}
        for statement in statements
        if applies(statement.get("Condition", {}), context)
    ]
    policy = IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": applying}))
    return policy.is_action_permitted(action, resource) == PermissionResult.PERMITTED


def applies(condition: Mapping[str, Mapping[str, str]], context: Mapping[str, str]) -> bool:
    """Return whether a statement's condition is met, as IAM's user guide defines its operators."""
    return all(
        _is_met(operator, context.get(key), value)
        for operator, keys in condition.items()
        for key, value in keys.items()
    )


def _is_met(operator: str, found: str | None, value: str) -> bool:
    if found is None:  # a negated operator is met without the key, as every operator is that ends in IfExists
        return operator.endswith("IfExists") or "Not" in operator
    return (found != value) if "Not" in operator else (found == value)

"""CloudFormation's intrinsic functions, as the JSON they are."""

from __future__ import annotations

import re
from typing import Any

Resources = dict[str, dict[str, Any]]
NO_VALUE = {"Ref": "AWS::NoValue"}


def ref(name: str) -> dict[str, Any]:
    """A parameter's value, or what a resource is known by."""
    return {"Ref": name}


def attribute(resource: str, name: str) -> dict[str, Any]:
    """An attribute of a resource."""
    return {"Fn::GetAtt": [resource, name]}


def sub(text: str) -> dict[str, Any]:
    """A text with ``${Name}`` or ``${Resource.Attribute}`` in it."""
    return {"Fn::Sub": text}


def when(condition: str, then: Any, otherwise: Any = NO_VALUE) -> dict[str, Any]:
    """One of two values."""
    return {"Fn::If": [condition, then, otherwise]}


def arn(service: str, resource: str) -> dict[str, Any]:
    """The ARN of something in this account and region, by its name.

    >>> arn("batch", "job/*")
    {'Fn::Sub': 'arn:${AWS::Partition}:batch:${AWS::Region}:${AWS::AccountId}:job/*'}
    """
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def logical_id(name: str, kind: str) -> str:
    """The logical id of a resource that belongs to a step or pipeline: letters and digits only.

    >>> logical_id("variant_calling", "Repository")
    'VariantCallingRepository'
    """
    return "".join(word[:1].upper() + word[1:] for word in re.split("[^A-Za-z0-9]", name)) + kind

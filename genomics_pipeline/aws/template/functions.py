"""CloudFormation's intrinsic functions as JSON."""

from __future__ import annotations

import re
from typing import Any

TemplateResources = dict[str, dict[str, Any]]
NO_VALUE = {"Ref": "AWS::NoValue"}


def ref(name: str) -> dict[str, Any]:
    """Return a reference to a parameter or resource."""
    return {"Ref": name}


def attribute(resource: str, name: str) -> dict[str, Any]:
    """Return a reference to an attribute of a resource."""
    return {"Fn::GetAtt": [resource, name]}


def sub(text: str) -> dict[str, Any]:
    """Return a text in which ``${Name}`` and ``${Resource.Attribute}`` are substituted."""
    return {"Fn::Sub": text}


def when(condition: str, then: Any, otherwise: Any = NO_VALUE) -> dict[str, Any]:
    """Return one of two values, by a condition of the template."""
    return {"Fn::If": [condition, then, otherwise]}


def arn(service: str, resource: str) -> dict[str, Any]:
    """Return the ARN of a resource in the stack's account and Region.

    >>> arn("batch", "job/*")
    {'Fn::Sub': 'arn:${AWS::Partition}:batch:${AWS::Region}:${AWS::AccountId}:job/*'}
    """
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def logical_id(name: str, kind: str) -> str:
    """Return the logical id of a resource of a step or pipeline: letters and digits only.

    >>> logical_id("variant_calling", "Repository")
    'VariantCallingRepository'
    """
    return "".join(word[:1].upper() + word[1:] for word in re.split("[^A-Za-z0-9]", name)) + kind

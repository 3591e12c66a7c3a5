"""Small definitions, most of which a rule finds something in, and the parts that they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.planning.advice.rules import advise_on
from genomics_pipeline.prices.load import shipped_prices

State = dict[str, Any]
BATCH = "arn:aws:states:::batch:submitJob.sync"
INVOKE = "arn:aws:states:::lambda:invoke"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:sort"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:sort"
PUT = "arn:aws:states:::dynamodb:putItem"
TRANSIENT = ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"]
RETRY = {"ErrorEquals": [*TRANSIENT, "Lambda.TooManyRequestsException"], "JitterStrategy": "FULL"}
END: State = {"Type": "Succeed"}


@dataclass(frozen=True)
class Example:
    """A definition, and what one rule finds in it.

    Attributes:
        rule: The rule.
        document: The definition.
        findings: Path and severity of each finding of the rule.
        express: True if the type of the definition is EXPRESS.
    """

    rule: str
    document: State
    findings: tuple[tuple[str, str], ...] = ()
    express: bool = False


def check(example: Example) -> None:
    """Assert that the rule finds exactly what it should."""
    findings = advise_on(example.document, shipped_prices(), express=example.express)
    found = tuple((one.path, one.severity.value) for one in findings if one.rule == example.rule)
    assert found == example.findings


def machine(**states: State) -> State:
    """Return a machine that starts at the first of its states."""
    return {"StartAt": next(iter(states)), "States": states}


def jsonata(**states: State) -> State:
    """Return a machine in JSONata."""
    return {"QueryLanguage": "JSONata", **machine(**states)}


def task(resource: str = PUT, **fields: Any) -> State:
    """Return a Task that ends its machine, unless it has a Next."""
    return {"Type": "Task", "Resource": resource, **({} if "Next" in fields else {"End": True}), **fields}


def distributed(processor: State, kind: str = "STANDARD", **fields: Any) -> State:
    """Return a Distributed Map that reads its items from S3; fields that are None are left out."""
    state = {
        "Type": "Map",
        "Label": "Items",
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject"},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}, **processor},
        "MaxConcurrency": 40,
        "ToleratedFailurePercentage": 5,
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject"},
        "End": True,
        **fields,
    }
    return {name: value for name, value in state.items() if value is not None}


def inline(processor: State, **fields: Any) -> State:
    """Return an inline Map that ends its machine."""
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}


def choice(*targets: str, **fields: Any) -> State:
    """Return a Choice that compares a status with the names of its targets."""
    rules = [{"Variable": "$.status", "StringEquals": name, "Next": name} for name in targets]
    return {"Type": "Choice", "Choices": rules, **fields}

"""Task states. Messages: badmintoncryer/cdk-preflight, pf-sfn-asl-resource-arn, -credentials and pf-sfn-express-*."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SUBMIT = "arn:aws:states:::batch:submitJob"
REQUEST = {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"}
EXPRESS = "Express state machine does not support"


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        ("jsonpath:task", "Resource", ..., [": These fields are required: [Resource]"]),
        ("jsonpath:task", "Resource", 1, ["/Resource: Expected value of type [STRING]"]),
        ("jsonpath:task", "Resource", "echo", ["/Resource: Value is not a valid resource ARN"]),
        ("jsonpath:activity", "TimeoutSeconds", 0, ["/TimeoutSeconds: Minimum value is 1"]),
        ("jsonpath:activity", "TimeoutSeconds", 100000000, ["/TimeoutSeconds: Maximum value is 99999999"]),
        ("jsonpath:activity", "TimeoutSeconds", "60", ["/TimeoutSeconds: Expected value of type [INTEGER]"]),
        ("jsonpath:activity", "TimeoutSeconds", "{% 60 %}", ["/TimeoutSeconds: Expected value of type [INTEGER]"]),
        (
            "jsonpath:activity",
            "TimeoutSeconds",
            10,
            ["/HeartbeatSeconds: HeartbeatSeconds must be smaller than TimeoutSeconds, which is 10; found 10"],
        ),
        (
            "jsonpath:activity",
            "HeartbeatSeconds",
            61,
            ["/HeartbeatSeconds: HeartbeatSeconds must be smaller than TimeoutSeconds, which is 60; found 61"],
        ),
        ("jsonpath:activity", "HeartbeatSeconds", -1, ["/HeartbeatSeconds: Minimum value is 1"]),
        (
            "jsonpath:task",
            "TimeoutSeconds",
            60,
            [": There should only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath]"],
        ),
        (
            "jsonpath:task",
            "HeartbeatSeconds",
            6,
            [": There should only be one of the following fields: [HeartbeatSeconds, HeartbeatSecondsPath]"],
        ),
        ("jsonpath:task", "TimeoutSecondsPath", "limit", []),  # refused when it is evaluated
        ("jsonpath:task", "TimeoutSecondsPath", "$.a[*]", []),
        ("jsonpath:task", "Credentials", {}, ["/Credentials: The field 'RoleArn' is required but was missing"]),
        ("jsonpath:task", "Credentials", "role", ["/Credentials: Expected value of type [OBJECT]"]),
        (
            "jsonpath:activity",
            "Credentials",
            {"RoleArn": "arn:aws:iam::123456789012:role/r"},
            ["/Credentials: The field 'Credentials' is not supported for activities"],
        ),
        (
            "jsonata:task",
            "HeartbeatSeconds",
            "{% 1 + %}",
            ["/HeartbeatSeconds: INVALID_JSONATA_EXPRESSION: Unexpected end of expression"],
        ),
        ("jsonata:task", "Items", [], [": Field 'Items' is not supported"]),
    ],
)
def test_problems_of_tasks(
    check: Callable[..., list[str]], name: str, place: str, value: Any, expected: list[str]
) -> None:
    assert check(name, f"States/S/{place}", value) == [f"/States/S{line}" for line in expected]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (SUBMIT, None),
        ("arn:aws:lambda:us-east-1:123456789012:function:a.sync.b", None),
        # localstack/localstack, test_sfn_api_validation, ILLEGAL_WFTT
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", f"{EXPRESS} '.waitForTaskToken' service integration"),
        (f"{SUBMIT}.sync", f"{EXPRESS} '.sync' service integration"),
        ("arn:aws:states:::states:startExecution.sync:2", f"{EXPRESS} '.sync' service integration"),
        ("arn:aws:states:us-east-1:123456789012:activity:hand", f"{EXPRESS} Activity ARN"),
    ],
)
def test_resources_in_express_machines(check: Callable[..., list[str]], resource: str, expected: str | None) -> None:
    place = "/States/S/Resource"
    lines = check("jsonpath:retry and catch", place[1:], resource, express=True)
    assert [line for line in lines if line.startswith(place)] == ([] if expected is None else [f"{place}: {expected}"])
    lines = check("jsonpath:retry and catch", place[1:], resource)
    assert [line for line in lines if line.startswith(place)] == []


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        (
            "jsonata:task",
            "Arguments",
            ...,
            [": Arguments field is required for resource ARN: arn:aws:states:::batch:submitJob.sync"],
        ),
        (
            "jsonpath:task",
            "Parameters",
            ...,
            [": Parameters field is required for resource ARN: arn:aws:states:::batch:submitJob.sync"],
        ),
        ("jsonata:task", "Arguments/JobQueue", ..., ["/Arguments: The field 'JobQueue' is required but was missing"]),
        (
            "jsonpath:task",
            "Parameters/JobName.$",
            ...,
            ["/Parameters: The field 'JobName' is required but was missing"],
        ),
        (
            "jsonpath:task",
            "Resource",
            "arn:aws:states:::states:startExecution.sync:2",
            ["/Parameters: The field 'StateMachineArn' is required but was missing"],
        ),
        ("jsonpath:task", "Resource", "arn:aws:states:::aws-sdk:s3:listBuckets", []),
        ("jsonpath:task", "Parameters", "x", []),
    ],
)
def test_problems_of_requests(
    check: Callable[..., list[str]], name: str, place: str, value: Any, expected: list[str]
) -> None:
    assert check(name, f"States/S/{place}", value) == [f"/States/S{line}" for line in expected]


def test_the_execution_type_of_a_map_applies_to_its_children(check: Callable[..., list[str]]) -> None:
    task = {
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": f"{SUBMIT}.sync", "Arguments": REQUEST, "End": True}},
    }
    place = "States/M/ItemProcessor/States/I/ItemProcessor"
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    assert check("jsonata:map of maps", place, {"ProcessorConfig": config, **task}) == [
        f"/{place}/States/T/Resource: {EXPRESS} '.sync' service integration"
    ]
    standard = {**config, "ExecutionType": "STANDARD"}
    assert check("jsonata:map of maps", place, {"ProcessorConfig": standard, **task}) == []

"""Reports of requests and responses that AWS's models do not allow."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from tests.fakes.shapes import error_problems, input_problems, output_problems, watch


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, 'Missing required parameter in input: "jobs"'),
        ({"jobs": "a"}, "Invalid type for parameter jobs, value: a, type: <class 'str'>"),
        ({"jobs": [], "nextToken": "a"}, 'Unknown parameter in input: "nextToken", must be one of: jobs'),
    ],
)
def test_a_request_of_the_wrong_shape(params: dict[str, Any], problem: str) -> None:
    (message,) = input_problems("batch", "DescribeJobs", params)
    assert message.startswith(problem)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"statusFilter": "GONE"}, ".statusFilter: 'GONE' is none of RUNNING, SUCCEEDED, FAILED, TIMED_OUT"),
        ({"maxResults": 1001}, ".maxResults: 1001 is not from 0 to 1000"),
        ({"mapRunArn": "a" * 2001}, ".mapRunArn: its length 2001 is not from 1 to 2000"),
    ],
)
def test_a_request_beyond_the_limits(params: dict[str, Any], problem: str) -> None:
    (message,) = input_problems("stepfunctions", "ListExecutions", params)
    assert message.startswith(problem)


def test_answers_and_errors() -> None:
    (message,) = output_problems("stepfunctions", "StartExecution", {"executionArn": "a"})
    assert message == 'Missing required parameter in input: "startDate"'
    assert output_problems("stepfunctions", "StartExecution", {"executionArn": "a", "startDate": 0.5}) == []
    assert error_problems("stepfunctions", "DescribeMapRun", "ResourceNotFound") == []
    (message,) = error_problems("stepfunctions", "DescribeMapRun", "ExecutionDoesNotExist")
    assert message.startswith("DescribeMapRun never answers ExecutionDoesNotExist: InvalidArn, ")


def test_calls_of_a_session_are_checked(aws: str) -> None:
    session = boto3.Session()
    problems = watch(session)
    session.client("batch").describe_job_queues(maxResults=1)
    assert problems == []
    session.client("logs").describe_log_groups(logGroupNamePrefix="a b")
    assert problems == [
        r"logs DescribeLogGroups: .logGroupNamePrefix: 'a b' does not match [\.\-_/#A-Za-z0-9]+",
    ]

"""Mocked responses: the choice of a response by the number of the invocation.

The file: developer guide, "Configuration file for mocked service integrations" (sfn-local-mock-cfg-file). A counter for
each state of an execution, across retries, loops and iterations: localstack v2/local_mocking/test_numbered_mock_cycling
and floci-io/floci issue 3254, which ran Step Functions Local 2.0.0. ``States.Runtime`` for an invocation without an
answer: floci-io/floci pull request 2823, likewise. Invalid files: tests/corpus/mocks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.mock import Mocks, parse_mock_file
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.errors import DataError

Make = Callable[..., TaskContext]
FILE = {
    "StateMachines": {
        "machine": {
            "TestCases": {
                "HappyPath": {"LambdaState": "MockedLambdaSuccess", "SQSState": "Empty"},
                "RetryPath": {"LambdaState": "MockedLambdaRetry"},
            }
        }
    },
    "MockedResponses": {
        "MockedLambdaSuccess": {"0": {"Return": {"StatusCode": 200}}, "2": {"Return": None}},
        "MockedLambdaRetry": {
            "0": {"Throw": {"Error": "Lambda.ResourceNotReadyException", "Cause": "Lambda resource is not ready."}},
            "1-2": {"Throw": {"Error": "Lambda.TimeoutException"}},
            "3-10": {"Return": "Hello from Lambda!"},
        },
        "Empty": {},
    },
}


def answer(mocks: Mocks, context: TaskContext) -> Any:
    try:
        return asyncio.run(mocks({}, context))
    except StatesError as error:
        return error.error, error.cause


def mocks(case: str) -> Mocks:
    return Mocks(parse_mock_file(FILE, "mock.json"), case)


def test_responses_are_chosen_by_the_number_of_the_invocation(task: Make) -> None:
    mocked = mocks("RetryPath")
    answers = [answer(mocked, task(state="LambdaState", attempt=0)) for _ in range(5)]
    assert answers == [
        ("Lambda.ResourceNotReadyException", "Lambda resource is not ready."),
        ("Lambda.TimeoutException", ""),
        ("Lambda.TimeoutException", ""),
        "Hello from Lambda!",
        "Hello from Lambda!",
    ]


def test_invocations_by_children_of_a_map_are_counted_together(task: Make) -> None:
    mocked = mocks("RetryPath")
    machines = ["machine", "machine/Each", "machine/Each", "machine/Other"]
    answers = [answer(mocked, task(state="LambdaState", machine=machine)) for machine in machines]
    assert [error for error, _ in answers[:3]] == [
        "Lambda.ResourceNotReadyException",
        "Lambda.TimeoutException",
        "Lambda.TimeoutException",
    ]
    assert answers[3] == "Hello from Lambda!"


def test_an_invocation_without_an_answer_fails(task: Make) -> None:
    mocked = mocks("HappyPath")
    answers = [answer(mocked, task(state="LambdaState")) for _ in range(4)]
    cause = "The mocked response 'MockedLambdaSuccess' of the state 'LambdaState' has no answer for invocation {}."
    assert answers == [
        {"StatusCode": 200},
        ("States.Runtime", cause.format(1)),
        None,
        ("States.Runtime", cause.format(3)),
    ]
    assert answer(mocked, task(state="SQSState")) == (
        "States.Runtime",
        "The mocked response 'Empty' of the state 'SQSState' has no answer for invocation 0.",
    )


@pytest.mark.parametrize(
    ("machine", "state", "case", "expected"),
    [
        ("machine", "LambdaState", "HappyPath", True),
        ("machine/Each", "LambdaState", "RetryPath", True),
        ("machine", "SQSState", "RetryPath", False),
        ("machine", "Other", "HappyPath", False),
        ("other", "LambdaState", "HappyPath", False),
        ("machine", "LambdaState", "NoSuchCase", False),
    ],
)
def test_only_the_states_of_the_test_case_are_mocked(machine: str, state: str, case: str, expected: bool) -> None:
    assert mocks(case).is_mocked(machine, state) is expected


def test_mocks_of_unknown_states_are_refused() -> None:
    file = parse_mock_file(FILE, "mock.json")
    file.check_states("machine", {"LambdaState", "SQSState"})
    file.check_states("other", {"A"})
    with pytest.raises(DataError) as raised:
        file.check_states("machine", {"LambdaStat", "SQSState"})
    assert str(raised.value).splitlines() == [
        f"mock.json:$.StateMachines.machine.TestCases.{case}.LambdaState: expected a Task of the state machine, found "
        "'LambdaState'; did you mean 'LambdaStat'?"
        for case in ("HappyPath", "RetryPath")
    ]

"""Mocked responses: which invocation is answered what.

The file: developer guide, "Configuration file for mocked service integrations" (sfn-local-mock-cfg-file). One counter a
state and an execution, over retries, loops and iterations: localstack v2/local_mocking/test_numbered_mock_cycling
and floci-io/floci issue 3254, which ran Step Functions Local 2.0.0; no answer for an invocation is ``States.Runtime``:
floci-io/floci pull request 2823, likewise. Bad files: tests/corpus/mocks.
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


def test_ranges_count_invocations(task: Make) -> None:
    found = mocks("RetryPath")
    answers = [answer(found, task(state="LambdaState", attempt=0)) for _ in range(5)]
    assert answers == [
        ("Lambda.ResourceNotReadyException", "Lambda resource is not ready."),
        ("Lambda.TimeoutException", ""),
        ("Lambda.TimeoutException", ""),
        "Hello from Lambda!",
        "Hello from Lambda!",
    ]


def test_children_of_a_map_count_together(task: Make) -> None:
    found = mocks("RetryPath")
    machines = ["machine", "machine/Each", "machine/Each", "machine/Other"]
    answers = [answer(found, task(state="LambdaState", machine=machine)) for machine in machines]
    assert [one[0] for one in answers[:3]] == [
        "Lambda.ResourceNotReadyException",
        "Lambda.TimeoutException",
        "Lambda.TimeoutException",
    ]
    assert answers[3] == "Hello from Lambda!"


def test_an_invocation_that_has_no_answer(task: Make) -> None:
    found = mocks("HappyPath")
    answers = [answer(found, task(state="LambdaState")) for _ in range(4)]
    nothing = "The mocked response 'MockedLambdaSuccess' of the state 'LambdaState' has no answer for invocation {}."
    assert answers == [
        {"StatusCode": 200},
        ("States.Runtime", nothing.format(1)),
        None,
        ("States.Runtime", nothing.format(3)),
    ]
    assert answer(found, task(state="SQSState")) == (
        "States.Runtime",
        "The mocked response 'Empty' of the state 'SQSState' has no answer for invocation 0.",
    )


@pytest.mark.parametrize(
    ("machine", "state", "case", "mocked"),
    [
        ("machine", "LambdaState", "HappyPath", True),
        ("machine/Each", "LambdaState", "RetryPath", True),
        ("machine", "SQSState", "RetryPath", False),
        ("machine", "Other", "HappyPath", False),
        ("other", "LambdaState", "HappyPath", False),
        ("machine", "LambdaState", "NoSuchCase", False),
    ],
)
def test_what_is_mocked(machine: str, state: str, case: str, mocked: bool) -> None:
    assert mocks(case).is_mocked(machine, state) is mocked


def test_states_that_the_machine_does_not_have() -> None:
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

"""The choice of a Task's handler."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.activity import Activity
from genomics_pipeline.engine.tasks.callbacks import Callbacks, WaitForTaskToken
from genomics_pipeline.engine.tasks.functions import Functions
from genomics_pipeline.engine.tasks.lambda_invoke import FunctionTask
from genomics_pipeline.engine.tasks.mock import Mocks, parse_mock_file
from genomics_pipeline.engine.tasks.table import TaskTable

GET = "arn:aws:states:::aws-sdk:s3:getObject"
SEND = "arn:aws:states:::sqs:sendMessage"
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:review"
LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:align"


def handler_named(name: str) -> Any:
    async def handler(arguments: Any, context: TaskContext) -> Any:
        return name

    return handler


EXACT, FAMILY, NEAR = handler_named("exact"), handler_named("family"), handler_named("near")
HANDLERS = {GET: EXACT, "arn:aws:states:::aws-sdk:*": FAMILY, "arn:aws:states:::aws-sdk:s3:*": NEAR}
MOCKS = Mocks(
    parse_mock_file(
        {
            "StateMachines": {"machine": {"TestCases": {"Case": {"Mocked": "R"}}}},
            "MockedResponses": {"R": {"0": {"Return": 1}}},
        },
        "mock.json",
    ),
    "Case",
)


def table(*functions: str) -> TaskTable:
    callbacks = Callbacks()
    user_functions = Functions(dict.fromkeys(functions, lambda event, context: event), callbacks)
    return TaskTable(HANDLERS, user_functions, callbacks, MOCKS)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (GET, EXACT),
        ("arn:aws-cn:states:::aws-sdk:s3:getObject", EXACT),
        ("arn:aws:states:::aws-sdk:s3:putObject", NEAR),
        ("arn:aws:states:::aws-sdk:sqs:sendMessage", FAMILY),
        (SEND, None),
        (f"{GET}.waitForTaskToken", NEAR),
        (ACTIVITY, None),
        (LAMBDA, None),
    ],
)
def test_an_exact_resource_comes_before_the_longest_prefix(resource: str, expected: Any) -> None:
    assert table().handler(resource, "machine", "S") is expected


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (GET, FunctionTask),
        (SEND, FunctionTask),
        (LAMBDA, FunctionTask),
        (ACTIVITY, Activity),
        (f"{SEND}.waitForTaskToken", WaitForTaskToken),
    ],
)
def test_a_function_of_the_user_comes_before_other_handlers(resource: str, kind: type) -> None:
    assert isinstance(table(resource).handler(resource, "machine", "S"), kind)


def test_a_mock_comes_before_every_other_handler() -> None:
    for machine in ("machine", "machine/Each"):
        for resource in (GET, SEND, ACTIVITY, "anything"):
            assert table(GET).handler(resource, machine, "Mocked") is MOCKS
    assert table().handler(SEND, "other", "Mocked") is None


def test_the_advice_names_mocks_and_functions() -> None:
    assert TaskTable.advice(SEND) == (
        f"there is no handler for '{SEND}': mock the state in a file given with --mock, "
        f"or name a Python function with --task {SEND}=module:function"
    )

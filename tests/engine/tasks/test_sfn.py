"""``aws-sdk:sfn``: callbacks that a state machine makes.

Codes and messages: radkawar/stackd callback_lifecycle.json, 02-token-validation-success; names and causes of the SDK's
exceptions: task_integrations.json, execution-role-no-target-permissions (``Sqs.SqsException``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.callbacks import Callbacks, WaitForTaskToken
from genomics_pipeline.engine.tasks.sfn import SFN, SendTask
from genomics_pipeline.language.errors import StatesError

Make = Callable[..., TaskContext]


async def nothing(arguments: Any, context: TaskContext) -> Any:
    return None


def send(task: Make, *requests: tuple[str, dict[str, Any]]) -> tuple[Any, list[Any]]:
    """Make requests and return the result of the Task that waits for ``t-1``, and the response to each request."""
    callbacks = Callbacks()

    async def run() -> tuple[Any, list[Any]]:
        waiting = asyncio.ensure_future(WaitForTaskToken(nothing, callbacks)({}, task(token="t-1")))
        await asyncio.sleep(0)
        responses: list[Any] = []
        for name, arguments in requests:
            try:
                responses.append(await SendTask(callbacks)({"TaskToken": "t-1", **arguments}, task(SFN + name)))
            except StatesError as error:
                responses.append(
                    (error.error, re.sub(r"Request ID: [0-9a-f-]{36}", "Request ID: UUID", str(error.cause)))
                )
        return (await asyncio.gather(waiting, return_exceptions=True))[0], responses

    return asyncio.run(run())


@pytest.mark.parametrize("output", ['{"a": 1}', {"a": 1}])
def test_send_task_success_ends_the_task(task: Make, beats: list[str], output: Any) -> None:
    result, responses = send(task, ("sendTaskHeartbeat", {}), ("sendTaskSuccess", {"Output": output}))
    assert (result, responses) == ({"a": 1}, [{}, {}])
    assert beats == ["beat"]


def test_send_task_failure_fails_the_task(task: Make) -> None:
    error, responses = send(task, ("sendTaskFailure", {"Error": "E", "Cause": "C"}))
    assert (error.error, error.cause, responses) == ("E", "C", [{}])
    error, responses = send(task, ("sendTaskFailure", {}))
    assert (error.error, error.cause, responses) == ("", "", [{}])


def test_refusals_have_the_sdks_names_and_causes(task: Make) -> None:
    ids = "(Service: Sfn, Status Code: 400, Request ID: UUID) (SDK Attempt Count: 1)"
    _, responses = send(
        task,
        ("sendTaskSuccess", {"TaskToken": "x", "Output": "1"}),
        ("sendTaskSuccess", {"Output": "not-json"}),
        ("sendTaskSuccess", {"Output": "1"}),
        ("sendTaskFailure", {}),
    )
    assert responses == [
        ("Sfn.InvalidTokenException", f"Invalid Token: 'Invalid token' {ids}"),
        ("Sfn.InvalidOutputException", f"Invalid Output: 'not-json' is not valid JSON. {ids}"),
        {},
        ("Sfn.TaskTimedOutException", f"Task Timed Out: 'Provided task does not exist anymore' {ids}"),
    ]

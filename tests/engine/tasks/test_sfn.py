"""``aws-sdk:sfn``: callbacks that a state machine makes.

Codes and messages: radkawar/stackd callback_lifecycle.json, 02-token-validation-success; how the SDK's exceptions are
named and told: task_integrations.json, execution-role-no-target-permissions (``Sqs.SqsException``).
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


def sent(task: Make, *sends: tuple[str, dict[str, Any]]) -> tuple[Any, list[Any]]:
    """What a Task that waits for ``t-1`` comes to, and what each send is answered."""
    callbacks = Callbacks()

    async def run() -> tuple[Any, list[Any]]:
        waiting = asyncio.ensure_future(WaitForTaskToken(nothing, callbacks)({}, task(token="t-1")))
        await asyncio.sleep(0)
        answers: list[Any] = []
        for name, arguments in sends:
            try:
                answers.append(await SendTask(callbacks)({"TaskToken": "t-1", **arguments}, task(SFN + name)))
            except StatesError as error:
                answers.append(
                    (error.error, re.sub(r"Request ID: [0-9a-f-]{36}", "Request ID: UUID", str(error.cause)))
                )
        return (await asyncio.gather(waiting, return_exceptions=True))[0], answers

    return asyncio.run(run())


@pytest.mark.parametrize("output", ['{"a": 1}', {"a": 1}])
def test_success(task: Make, beats: list[str], output: Any) -> None:
    found = sent(task, ("sendTaskHeartbeat", {}), ("sendTaskSuccess", {"Output": output}))
    assert found == ({"a": 1}, [{}, {}])
    assert beats == ["beat"]


def test_failure(task: Make) -> None:
    error, answers = sent(task, ("sendTaskFailure", {"Error": "E", "Cause": "C"}))
    assert (error.error, error.cause, answers) == ("E", "C", [{}])
    error, answers = sent(task, ("sendTaskFailure", {}))
    assert (error.error, error.cause, answers) == ("", "", [{}])


def test_refusals(task: Make) -> None:
    ids = "(Service: Sfn, Status Code: 400, Request ID: UUID) (SDK Attempt Count: 1)"
    _, answers = sent(
        task,
        ("sendTaskSuccess", {"TaskToken": "x", "Output": "1"}),
        ("sendTaskSuccess", {"Output": "not-json"}),
        ("sendTaskSuccess", {"Output": "1"}),
        ("sendTaskFailure", {}),
    )
    assert answers == [
        ("Sfn.InvalidTokenException", f"Invalid Token: 'Invalid token' {ids}"),
        ("Sfn.InvalidOutputException", f"Invalid Output: 'not-json' is not valid JSON. {ids}"),
        {},
        ("Sfn.TaskTimedOutException", f"Task Timed Out: 'Provided task does not exist anymore' {ids}"),
    ]

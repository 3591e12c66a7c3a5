"""Task tokens: callbacks that end tasks, and callbacks that are refused.

Codes and messages: radkawar/stackd testdata/aws/stepfunctions/callback_lifecycle.json, 02-token-validation-success;
a late callback of a service's task: andybalham/blog-task-tokens-part-2, README.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.callbacks import CallbackError, Callbacks, WaitForTaskToken
from genomics_pipeline.language.errors import StatesError

Make = Callable[..., TaskContext]


async def nothing(arguments: Any, context: TaskContext) -> Any:
    return {"MessageId": "1"}


def result_after(callbacks: Callbacks, context: TaskContext, *calls: Callable[[], None]) -> Any:
    """Return the result of a `.waitForTaskToken` Task while which other threads make calls."""

    async def run() -> Any:
        waiting = asyncio.ensure_future(WaitForTaskToken(nothing, callbacks)({}, context))
        await asyncio.sleep(0)
        for call in calls:
            await asyncio.to_thread(call)
        return await waiting

    return asyncio.run(run())


@pytest.mark.parametrize("output", [{"native": "success"}, "test_message_txt", None, [1, 2.5]])
def test_the_tasks_output_is_the_callbacks(task: Make, output: Any) -> None:
    # localstack v2/callback/test_callback.snapshot.json, test_sqs_wait_for_task_token
    callbacks = Callbacks()
    assert result_after(callbacks, task(token="t-1"), lambda: callbacks.succeed("t-1", output)) == output


def test_the_response_to_the_request_is_submitted(task: Make) -> None:
    # localstack v2/timeouts/test_heartbeats.snapshot.json: TaskSubmitted
    callbacks = Callbacks()
    submitted: list[Any] = []
    context = replace(task(token="t-1"), submitted=submitted.append)
    result_after(callbacks, context, lambda: callbacks.succeed("t-1", 1))
    assert submitted == [{"MessageId": "1"}]


def test_the_tasks_error_is_the_callbacks(task: Make) -> None:
    # localstack v2/callback/test_callback.snapshot.json, test_sqs_failure_in_wait_for_task_token
    callbacks = Callbacks()
    with pytest.raises(StatesError) as raised:
        result_after(callbacks, task(token="t-1"), lambda: callbacks.fail("t-1", "Failure error", "Failure cause"))
    assert (raised.value.error, raised.value.cause) == ("Failure error", "Failure cause")


def test_heartbeats_reach_the_task(task: Make, beats: list[str]) -> None:
    callbacks = Callbacks()
    beat = lambda: callbacks.heartbeat("t-1")  # noqa: E731
    assert result_after(callbacks, task(token="t-1"), beat, beat, lambda: callbacks.succeed("t-1", 1)) == 1
    assert beats == ["beat", "beat"]


def calls(callbacks: Callbacks, token: str) -> list[Callable[[], None]]:
    return [
        lambda: callbacks.succeed(token, {}),
        lambda: callbacks.fail(token, "Probe.Late", "owned late callback"),
        lambda: callbacks.heartbeat(token),
    ]


def refusals(callbacks: Callbacks, token: str) -> set[tuple[str, str]]:
    codes_and_messages = set()
    for call in calls(callbacks, token):
        with pytest.raises(CallbackError) as raised:
            call()
        codes_and_messages.add((raised.value.code, str(raised.value)))
    return codes_and_messages


def test_a_token_that_was_never_issued_is_invalid() -> None:
    assert refusals(Callbacks(), "x") == {("InvalidToken", "Invalid Token: 'Invalid token'")}


def test_a_token_whose_task_has_ended_is_refused(task: Make) -> None:
    callbacks = Callbacks()
    result_after(callbacks, task(token="t-1"), lambda: callbacks.succeed("t-1", 1))
    late = "Task Timed Out: 'Provided task does not exist anymore'"
    assert refusals(callbacks, "t-1") == {("TaskTimedOut", late)}


def test_only_the_first_callback_counts(task: Make) -> None:
    callbacks = Callbacks()

    def second() -> None:
        with pytest.raises(CallbackError, match="Task Timed Out"):
            callbacks.fail("t-1", "E")

    assert result_after(callbacks, task(token="t-1"), lambda: callbacks.succeed("t-1", "first"), second) == "first"


@pytest.mark.parametrize(("output", "shown"), [({1, 2}, "{1, 2}"), (float("nan"), "nan")])
def test_an_output_that_is_not_json_is_refused_and_the_token_stays_valid(task: Make, output: Any, shown: str) -> None:
    callbacks = Callbacks()

    def wrong() -> None:
        with pytest.raises(CallbackError) as raised:
            callbacks.succeed("t-1", output)
        assert (raised.value.code, str(raised.value)) == (
            "InvalidOutput",
            f"Invalid Output: '{shown}' is not valid JSON.",
        )

    assert result_after(callbacks, task(token="t-1"), wrong, lambda: callbacks.succeed("t-1", "ok")) == "ok"


def test_a_failed_request_fails_the_task_and_ends_its_token(task: Make) -> None:
    callbacks = Callbacks()

    async def fails(arguments: Any, context: TaskContext) -> Any:
        raise StatesError("Sqs.SqsException", "no")

    with pytest.raises(StatesError, match=r"Sqs\.SqsException: no"):
        asyncio.run(WaitForTaskToken(fails, callbacks)({}, task(token="t-1")))
    assert {code for code, _ in refusals(callbacks, "t-1")} == {"TaskTimedOut"}


def test_a_request_that_fails_after_the_callback_changes_nothing(task: Make) -> None:
    callbacks = Callbacks()

    async def fails(arguments: Any, context: TaskContext) -> Any:
        await asyncio.to_thread(callbacks.succeed, "t-1", "done")
        raise StatesError("Boom", "too late")

    assert asyncio.run(WaitForTaskToken(fails, callbacks)({}, task(token="t-1"))) == "done"

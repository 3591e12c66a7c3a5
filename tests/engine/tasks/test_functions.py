"""Python functions as Lambda functions, activities and services.

The shapes: localstack v2/services/test_lambda_task_service.snapshot.json (test_invoke),
v2/error_handling/test_task_service_lambda.snapshot.json and test_task_lambda.snapshot.json (test_raise_exception_catch,
test_no_such_function); the answer's spacing: radkawar/stackd lambda_integrations.json, direct-api-function-error.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.activity import Activity
from genomics_pipeline.engine.tasks.callbacks import CallbackError, Callbacks, WaitForTaskToken
from genomics_pipeline.engine.tasks.functions import Function, Functions
from genomics_pipeline.engine.tasks.lambda_invoke import INVOKE, FunctionTask, LambdaInvoke
from genomics_pipeline.language.errors import StatesError

Make = Callable[..., TaskContext]
ARN = "arn:aws:lambda:us-east-1:000000000000:function:align"
ACTIVITY = "arn:aws:states:us-west-2:000000000000:activity:review"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class ExplicitProbeError(Exception):
    """Named as the recording's."""


def fails(event: Any, context: Any) -> Any:
    raise ExplicitProbeError("explicit native probe failure")


def made(function: Function, name: str = ARN, callbacks: Callbacks | None = None) -> Functions:
    return Functions({name: function}, callbacks or Callbacks())


def invoke(function: Function, task: Make, **arguments: Any) -> Any:
    given = {"FunctionName": ARN, **arguments}
    return asyncio.run(LambdaInvoke(made(function))(given, task(INVOKE)))


def test_invoke_gives_the_payload_among_what_aws_adds(task: Make) -> None:
    found = invoke(lambda event, context: event, task, Payload={"status": "running"})
    http = found.pop("SdkHttpMetadata")
    request = found.pop("SdkResponseMetadata")
    assert found == {"ExecutedVersion": "$LATEST", "Payload": {"status": "running"}, "StatusCode": 200}
    assert re.fullmatch(UUID, request["RequestId"])
    headers = http["HttpHeaders"]
    assert http == {
        "AllHttpHeaders": {name: [value] for name, value in headers.items()},
        "HttpHeaders": headers,
        "HttpStatusCode": 200,
    }
    assert re.fullmatch(r"Root=1-6ab44fe8-[0-9a-f]{24}", headers.pop("X-Amzn-Trace-Id")), headers
    assert headers == {
        "Connection": "keep-alive",
        "Content-Length": "21",
        "Content-Type": "application/json",
        "Date": "Wed, 23 Sep 2026 22:17:11 GMT",
        "X-Amz-Executed-Version": "$LATEST",
        "x-amzn-Remapped-Content-Length": "0",
        "x-amzn-RequestId": request["RequestId"],
    }


def test_no_payload_is_an_empty_object(task: Make) -> None:
    assert invoke(lambda event, context: event, task, Payload=None)["Payload"] == {}
    assert invoke(lambda event, context: event, task)["Payload"] == {}


@pytest.mark.parametrize(
    ("payload", "event"),
    [('"plain native string"', "plain native string"), ("null", None), ('{"a": 1}', {"a": 1}), (0, 0), ([], [])],
)
def test_a_payload_of_text_is_json(task: Make, payload: Any, event: Any) -> None:
    # radkawar/stackd lambda_integrations.json, optimized-json-scalar-string, optimized-json-null-text
    assert invoke(lambda event, context: {"received": event}, task, Payload=payload)["Payload"] == {"received": event}


def test_a_payload_of_text_that_is_no_json(task: Make) -> None:
    # The code: botocore lambda, InvalidRequestContentException.
    error = raised(LambdaInvoke(made(fails))({"FunctionName": ARN, "Payload": "plain"}, task(INVOKE)))
    assert error.error == "Lambda.InvalidRequestContentException"
    assert str(error.cause).startswith("Could not parse request body into json: Could not parse payload into json: ")


def test_an_invocation_that_would_not_wait_is_refused(task: Make) -> None:
    arguments = {"FunctionName": ARN, "InvocationType": "Event"}
    error = raised(LambdaInvoke(made(fails))(arguments, task(INVOKE)))
    assert (error.error, error.cause) == (
        "States.Runtime",
        "lambda:invoke here waits for its function; it does not take 'Event'",
    )


def test_a_function_cannot_change_what_it_was_given(task: Make) -> None:
    payload = {"items": [1]}
    assert invoke(lambda event, context: event["items"].append(2), task, Payload=payload)["Payload"] is None
    assert payload == {"items": [1]}


def test_async_functions_run_in_the_loop_and_plain_ones_in_threads(task: Make) -> None:
    async def here(event: Any, context: Any) -> bool:
        await asyncio.sleep(0)
        return threading.current_thread() is threading.main_thread()

    def there(event: Any, context: Any) -> bool:
        return threading.current_thread() is threading.main_thread()

    assert invoke(here, task)["Payload"] is True
    assert invoke(there, task)["Payload"] is False


def test_what_a_function_is_told(task: Make) -> None:
    def asks(event: Any, context: Any) -> Any:
        assert 899_000 < context.get_remaining_time_in_millis() <= 900_000
        assert re.fullmatch(UUID, context.aws_request_id)
        return [context.function_name, context.function_version, context.invoked_function_arn]

    assert invoke(asks, task)["Payload"] == ["align", "$LATEST", ARN]


def raised(call: Any) -> StatesError:
    with pytest.raises(StatesError) as found:
        asyncio.run(call)
    return found.value


def test_an_exception_is_the_error_and_lambdas_answer_the_cause(task: Make) -> None:
    line = fails.__code__.co_firstlineno + 1
    trace = (
        f'  File "{__file__}", line {line}, in fails\n    raise ExplicitProbeError("explicit native probe failure")\n'
    )
    service = raised(LambdaInvoke(made(fails))({"FunctionName": "align"}, task(INVOKE)))
    direct = raised(FunctionTask(made(fails))({}, task(ARN)))
    for error in (service, direct):
        assert error.error == "ExplicitProbeError"
        cause = json.loads(str(error.cause))
        assert re.fullmatch(UUID, cause.pop("requestId"))
        assert cause == {
            "errorMessage": "explicit native probe failure",
            "errorType": "ExplicitProbeError",
            "stackTrace": [trace],
        }
    # The service's cause is Step Functions' JSON, a plain function's is what the function's runtime answered.
    assert str(service.cause).startswith(
        '{"errorMessage":"explicit native probe failure","errorType":"ExplicitProbeError",'
    )
    assert str(direct.cause).startswith('{"errorMessage": "explicit native probe failure", "errorType": ')


def test_a_result_that_is_no_json(task: Make) -> None:
    error = raised(FunctionTask(made(lambda event, context: {1, 2}))({}, task(ARN)))
    assert error.error == "Runtime.MarshalError"
    assert json.loads(str(error.cause))["errorMessage"] == (
        "Unable to marshal response: Object of type set is not JSON serializable"
    )


def test_a_function_that_ends_its_process(task: Make) -> None:
    error = raised(FunctionTask(made(lambda event, context: sys.exit(3)))({}, task(ARN)))
    assert error.error == "Runtime.ExitError"
    assert json.loads(str(error.cause))["errorMessage"].endswith(" Error: Runtime exited with error: exit status 3")


def test_a_function_may_name_any_error(task: Make) -> None:
    def throttled(event: Any, context: Any) -> Any:
        raise StatesError("Sqs.SqsException", "Rate exceeded")

    error = raised(
        FunctionTask(made(throttled, "arn:aws:states:::sqs:sendMessage"))({}, task("arn:aws:states:::sqs:sendMessage"))
    )
    assert (error.error, error.cause) == ("Sqs.SqsException", "Rate exceeded")


def test_a_function_there_is_not(task: Make) -> None:
    error = raised(LambdaInvoke(made(fails))({"FunctionName": "no_such"}, task(INVOKE)))
    assert error.error == "Lambda.ResourceNotFoundException"
    assert re.fullmatch(
        r"Function not found: arn:aws:lambda:us-east-1:000000000000:function:no_such \(Service: AWSLambda; "
        rf"Status Code: 404; Error Code: ResourceNotFoundException; Request ID: {UUID}; Proxy: null\)",
        str(error.cause),
    )


def test_a_function_name_that_is_missing(task: Make) -> None:
    error = raised(LambdaInvoke(made(fails))({"Payload": 1}, task(INVOKE)))
    assert (error.error, error.cause) == (
        "States.Runtime",
        "The Parameters '{\"Payload\":1}' could not be used to start the Task: "
        "[The field 'FunctionName' is required but was missing]",
    )


@pytest.mark.parametrize(
    ("given", "asked", "found"),
    [
        (ARN, ARN, True),
        (ARN, f"{ARN}:live", True),
        (f"{ARN}:1", ARN, True),
        (ARN, "align", True),
        (ARN, "align:$LATEST", True),
        (ARN, "000000000000:function:align", True),
        ("align", "arn:aws:lambda:eu-west-1:1:function:align", True),
        (ARN, "arn:aws:lambda:eu-west-1:1:function:align", False),
        (ARN, "aligner", False),
        (ACTIVITY, ACTIVITY, True),
        (ACTIVITY, "review", False),
        ("arn:aws:states:::sqs:sendMessage", "arn:aws:states:::sqs:sendMessage.waitForTaskToken", False),
    ],
)
def test_which_function_is_meant(given: str, asked: str, found: bool) -> None:
    assert (asked in made(fails, given)) is found


def test_wait_for_task_token_gives_the_function_time_to_call_back(task: Make) -> None:
    callbacks = Callbacks()
    later: list[threading.Thread] = []

    def starts(event: Any, context: Any) -> str:
        later.append(threading.Thread(target=context.callbacks.succeed, args=(event["TaskToken"], {"approved": True})))
        later[0].start()
        return "the answer of the request"

    handler = WaitForTaskToken(LambdaInvoke(made(starts, callbacks=callbacks)), callbacks)
    arguments = {"FunctionName": "align", "Payload": {"TaskToken": "t-1"}}
    assert asyncio.run(handler(arguments, task(f"{INVOKE}.waitForTaskToken", token="t-1"))) == {"approved": True}
    later[0].join()


def activity(function: Function, context: TaskContext, callbacks: Callbacks) -> Any:
    return Activity(made(function, ACTIVITY, callbacks), callbacks)({"x": 1}, context)


def test_an_activitys_worker_beats_and_returns(task: Make, beats: list[str]) -> None:
    def works(event: Any, context: Any) -> Any:
        context.heartbeat()
        context.callbacks.heartbeat(context.token)
        return {"attempt": "retried", **event}

    found = asyncio.run(activity(works, task(ACTIVITY, token="t-1"), Callbacks()))
    assert (found, beats) == ({"attempt": "retried", "x": 1}, ["beat", "beat"])


def test_an_activitys_worker_that_raises_sends_a_failure(task: Make) -> None:
    # radkawar/stackd callback_lifecycle.json, 03-retry-success: the worker's own error and cause.
    error = raised(activity(fails, task(ACTIVITY, token="t-1"), Callbacks()))
    assert (error.error, error.cause) == ("ExplicitProbeError", "explicit native probe failure")


def test_an_activitys_worker_can_end_its_task_by_its_token(task: Make) -> None:
    callbacks = Callbacks()

    def ends(event: Any, context: Any) -> Any:
        context.callbacks.succeed(context.token, "by token")
        return "by return"

    assert asyncio.run(activity(ends, task(ACTIVITY, token="t-1"), callbacks)) == "by token"
    with pytest.raises(CallbackError) as late:
        callbacks.heartbeat("t-1")
    assert (late.value.code, str(late.value)) == ("TaskTimedOut", f"Task Timed Out: '{ACTIVITY}'")

"""Python functions in the place of Lambda functions, activity workers and services.

The shapes: localstack v2/services/test_lambda_task_service.snapshot.json (test_invoke),
v2/error_handling/test_task_service_lambda.snapshot.json and test_task_lambda.snapshot.json (test_raise_exception_catch,
test_no_such_function); the spacing of responses: radkawar/stackd lambda_integrations.json, direct-api-function-error.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
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
    """An exception with the name of the one in the recording."""


def fails(event: Any, context: Any) -> Any:
    raise ExplicitProbeError("explicit native probe failure")


def functions_of(function: Function, name: str = ARN, callbacks: Callbacks | None = None) -> Functions:
    return Functions({name: function}, callbacks or Callbacks())


def invoke(function: Function, task: Make, **arguments: Any) -> Any:
    arguments = {"FunctionName": ARN, **arguments}
    return asyncio.run(LambdaInvoke(functions_of(function))(arguments, task(INVOKE)))


def test_invoke_returns_the_payload_and_awss_metadata(task: Make) -> None:
    response = invoke(lambda event, context: event, task, Payload={"status": "running"})
    http = response.pop("SdkHttpMetadata")
    request = response.pop("SdkResponseMetadata")
    assert response == {"ExecutedVersion": "$LATEST", "Payload": {"status": "running"}, "StatusCode": 200}
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
def test_a_payload_of_text_is_parsed_as_json(task: Make, payload: Any, event: Any) -> None:
    # radkawar/stackd lambda_integrations.json, optimized-json-scalar-string, optimized-json-null-text
    assert invoke(lambda event, context: {"received": event}, task, Payload=payload)["Payload"] == {"received": event}


def test_a_payload_of_text_that_is_not_json_is_refused(task: Make) -> None:
    # The code: botocore lambda, InvalidRequestContentException.
    error = error_of(LambdaInvoke(functions_of(fails))({"FunctionName": ARN, "Payload": "plain"}, task(INVOKE)))
    assert error.error == "Lambda.InvalidRequestContentException"
    assert str(error.cause).startswith("Could not parse request body into json: Could not parse payload into json: ")


def test_an_asynchronous_invocation_is_refused(task: Make) -> None:
    arguments = {"FunctionName": ARN, "InvocationType": "Event"}
    error = error_of(LambdaInvoke(functions_of(fails))(arguments, task(INVOKE)))
    assert (error.error, error.cause) == (
        "States.Runtime",
        "lambda:invoke: the InvocationType 'Event' is not supported here",
    )


def test_a_function_cannot_change_the_tasks_arguments(task: Make) -> None:
    payload = {"items": [1]}
    assert invoke(lambda event, context: event["items"].append(2), task, Payload=payload)["Payload"] is None
    assert payload == {"items": [1]}


def test_async_functions_run_in_the_loop_and_plain_ones_in_threads(task: Make) -> None:
    async def in_the_loop(event: Any, context: Any) -> bool:
        await asyncio.sleep(0)
        return threading.current_thread() is threading.main_thread()

    def in_a_thread(event: Any, context: Any) -> bool:
        return threading.current_thread() is threading.main_thread()

    assert invoke(in_the_loop, task)["Payload"] is True
    assert invoke(in_a_thread, task)["Payload"] is False


def test_a_function_receives_lambdas_context(task: Make, capsys: pytest.CaptureFixture[str]) -> None:
    def inspect_context(event: Any, context: Any) -> Any:
        assert 899_000 < context.get_remaining_time_in_millis() <= 900_000
        assert re.fullmatch(UUID, context.aws_request_id)
        assert context.log_stream_name == f"[$LATEST]{context.aws_request_id.replace('-', '')}"
        assert (context.client_context, context.tenant_id) == (None, None)
        assert (context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id) == (None, None)
        context.log("logged\n")
        context.note = "functions may add attributes"
        return [
            context.function_name,
            context.function_version,
            context.invoked_function_arn,
            context.memory_limit_in_mb,
            context.log_group_name,
        ]

    assert invoke(inspect_context, task)["Payload"] == ["align", "$LATEST", ARN, "128", "/aws/lambda/align"]
    assert capsys.readouterr() == ("", "logged\n")


def error_of(call: Any) -> StatesError:
    with pytest.raises(StatesError) as error:
        asyncio.run(call)
    return error.value


def test_an_exception_is_the_error_and_lambdas_response_the_cause(task: Make) -> None:
    line = fails.__code__.co_firstlineno + 1
    trace = (
        f'  File "{__file__}", line {line}, in fails\n    raise ExplicitProbeError("explicit native probe failure")\n'
    )
    service = error_of(LambdaInvoke(functions_of(fails))({"FunctionName": "align"}, task(INVOKE)))
    direct = error_of(FunctionTask(functions_of(fails))({}, task(ARN)))
    for error in (service, direct):
        assert error.error == "ExplicitProbeError"
        cause = json.loads(str(error.cause))
        assert re.fullmatch(UUID, cause.pop("requestId"))
        assert cause == {
            "errorMessage": "explicit native probe failure",
            "errorType": "ExplicitProbeError",
            "stackTrace": [trace],
        }
    # The integration's cause is JSON by Step Functions; for an ARN as Resource, it is the response of Lambda's runtime.
    assert str(service.cause).startswith(
        '{"errorMessage":"explicit native probe failure","errorType":"ExplicitProbeError",'
    )
    assert str(direct.cause).startswith('{"errorMessage": "explicit native probe failure", "errorType": ')


def test_a_result_that_is_not_json_is_an_error(task: Make) -> None:
    error = error_of(FunctionTask(functions_of(lambda event, context: {1, 2}))({}, task(ARN)))
    assert error.error == "Runtime.MarshalError"
    assert json.loads(str(error.cause))["errorMessage"] == (
        "Unable to marshal response: Object of type set is not JSON serializable"
    )


async def ends_the_process(event: Any, context: Any) -> None:
    os._exit(3)


@pytest.mark.parametrize(
    "function",
    [lambda event, context: sys.exit(3), lambda event, context: os._exit(3), ends_the_process],
    ids=["sys.exit", "os._exit", "async"],
)
def test_a_function_that_exits_is_an_error(task: Make, function: Function) -> None:
    error = error_of(FunctionTask(functions_of(function))({}, task(ARN)))
    assert error.error == "Runtime.ExitError"
    assert json.loads(str(error.cause))["errorMessage"].endswith(" Error: Runtime exited with error: exit status 3")


def forks(event: Any, context: Any) -> int:
    process = multiprocessing.get_context("fork").Process(target=os._exit, args=(7,))
    process.start()
    process.join()
    return process.exitcode or 0


def test_a_process_of_a_function_exits_as_ever(task: Make) -> None:
    assert asyncio.run(FunctionTask(functions_of(forks))({}, task(ARN))) == 7


def test_a_function_may_raise_any_states_error(task: Make) -> None:
    def throttle(event: Any, context: Any) -> Any:
        raise StatesError("Sqs.SqsException", "Rate exceeded")

    error = error_of(
        FunctionTask(functions_of(throttle, "arn:aws:states:::sqs:sendMessage"))(
            {}, task("arn:aws:states:::sqs:sendMessage")
        )
    )
    assert (error.error, error.cause) == ("Sqs.SqsException", "Rate exceeded")


def test_an_unknown_function_is_not_found(task: Make) -> None:
    error = error_of(LambdaInvoke(functions_of(fails))({"FunctionName": "no_such"}, task(INVOKE)))
    assert error.error == "Lambda.ResourceNotFoundException"
    assert re.fullmatch(
        r"Function not found: arn:aws:lambda:us-east-1:000000000000:function:no_such \(Service: AWSLambda; "
        rf"Status Code: 404; Error Code: ResourceNotFoundException; Request ID: {UUID}; Proxy: null\)",
        str(error.cause),
    )


def test_a_missing_function_name_is_reported(task: Make) -> None:
    error = error_of(LambdaInvoke(functions_of(fails))({"Payload": 1}, task(INVOKE)))
    assert (error.error, error.cause) == (
        "States.Runtime",
        "The Parameters '{\"Payload\":1}' could not be used to start the Task: "
        "[The field 'FunctionName' is required but was missing]",
    )


@pytest.mark.parametrize(
    ("name", "resource", "expected"),
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
def test_a_function_is_found_by_name_or_arn(name: str, resource: str, expected: bool) -> None:
    assert (resource in functions_of(fails, name)) is expected


def test_wait_for_task_token_gives_the_function_time_to_call_back(task: Make) -> None:
    callbacks = Callbacks()
    threads: list[threading.Thread] = []

    def call_back_in_thread(event: Any, context: Any) -> str:
        succeed = threading.Thread(target=context.callbacks.succeed, args=(event["TaskToken"], {"approved": True}))
        threads.append(succeed)
        succeed.start()
        return "the response to the request"

    handler = WaitForTaskToken(LambdaInvoke(functions_of(call_back_in_thread, callbacks=callbacks)), callbacks)
    arguments = {"FunctionName": "align", "Payload": {"TaskToken": "t-1"}}
    assert asyncio.run(handler(arguments, task(f"{INVOKE}.waitForTaskToken", token="t-1"))) == {"approved": True}
    threads[0].join()


def activity(function: Function, context: TaskContext, callbacks: Callbacks) -> Any:
    return Activity(functions_of(function, ACTIVITY, callbacks), callbacks)({"x": 1}, context)


def test_an_activity_worker_sends_heartbeats_and_returns(task: Make, beats: list[str]) -> None:
    def work(event: Any, context: Any) -> Any:
        context.heartbeat()
        context.callbacks.heartbeat(context.token)
        return {"attempt": "retried", **event}

    output = asyncio.run(activity(work, task(ACTIVITY, token="t-1"), Callbacks()))
    assert (output, beats) == ({"attempt": "retried", "x": 1}, ["beat", "beat"])


def test_an_exception_of_an_activity_worker_is_its_failure(task: Make) -> None:
    # radkawar/stackd callback_lifecycle.json, 03-retry-success: the worker's own error and cause.
    error = error_of(activity(fails, task(ACTIVITY, token="t-1"), Callbacks()))
    assert (error.error, error.cause) == ("ExplicitProbeError", "explicit native probe failure")


def test_an_activity_worker_can_end_its_task_by_the_token(task: Make) -> None:
    callbacks = Callbacks()

    def ends(event: Any, context: Any) -> Any:
        context.callbacks.succeed(context.token, "by token")
        return "by return"

    assert asyncio.run(activity(ends, task(ACTIVITY, token="t-1"), callbacks)) == "by token"
    with pytest.raises(CallbackError) as late:
        callbacks.heartbeat("t-1")
    assert (late.value.code, str(late.value)) == ("TaskTimedOut", f"Task Timed Out: '{ACTIVITY}'")

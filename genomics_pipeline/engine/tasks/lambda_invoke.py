"""``lambda:invoke``, and a Lambda function's ARN as a Task's Resource, with Python functions in Lambda's place."""

from __future__ import annotations

import json
from secrets import token_hex
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.aws_response import metadata, optimised_cause, require_arguments
from genomics_pipeline.engine.tasks.functions import Functions
from genomics_pipeline.engine.tasks.lambda_functions import FunctionFailed, LambdaFunctions
from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model.json_text import compact, loads_lenient

INVOKE = "arn:aws:states:::lambda:invoke"


class LambdaInvoke:
    """The handler of ``arn:aws:states:::lambda:invoke``.

    Args:
        functions: The functions that it can call.
    """

    def __init__(self, functions: LambdaFunctions) -> None:
        self._functions = functions

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Call ``FunctionName`` with ``Payload``.

        Returns:
            ``{ExecutedVersion, Payload, SdkHttpMetadata, SdkResponseMetadata, StatusCode}``.

        Raises:
            StatesError: as raised by the function; for any other exception, its class as the error and Lambda's
                response as the cause; ``Lambda.ResourceNotFoundException`` if there is no such function;
                ``Lambda.InvalidRequestContentException`` if ``Payload`` is text but not JSON.
        """
        name, kind = str(require_arguments(arguments, "FunctionName")[0]), arguments.get("InvocationType")
        if kind not in (None, "RequestResponse"):
            raise StatesError(RUNTIME, f"lambda:invoke: the InvocationType {kind!r} is not supported here")
        if name not in self._functions:
            arn = name if name.startswith("arn:") else f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
            cause = optimised_cause(f"Function not found: {arn}", "AWSLambda", 404, "ResourceNotFoundException")
            raise StatesError("Lambda.ResourceNotFoundException", cause)
        try:
            body = await self._functions.call(name, _event(arguments.get("Payload")), context)
        except FunctionFailed as failed:
            raise StatesError(failed.error, compact(json.loads(failed.response))) from failed
        now = context.clock.now()
        headers = {
            "X_Amz_Executed_Version": "$LATEST",
            "x_amzn_Remapped_Content_Length": "0",
            "X_Amzn_Trace_Id": f"Root=1-{round(now):08x}-{token_hex(12)}",
        }
        return {
            "ExecutedVersion": "$LATEST",
            "Payload": loads_lenient(body),
            **metadata(body, now, "application/json", **headers),
            "StatusCode": 200,
        }


def _event(payload: Any) -> Any:
    """Return the function's event: text is parsed as JSON, as the body of a request; no payload is an empty object."""
    if payload is None:
        return {}
    if not isinstance(payload, str):
        return payload
    try:
        return json.loads(payload)
    except ValueError as error:
        code = "InvalidRequestContentException"
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise StatesError(f"Lambda.{code}", optimised_cause(message, "AWSLambda", 400, code)) from None


class FunctionTask:
    """The handler of a resource for which there is a function: a Lambda function's ARN, or any service integration."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Call the function with the task's arguments.

        Returns:
            The function's result.

        Raises:
            StatesError: as raised by the function; for any other exception, its class as the error and Lambda's
                response as the cause.
        """
        try:
            return json.loads(await self._functions.call(context.resource, arguments, context))
        except FunctionFailed as failed:
            raise StatesError(failed.error, failed.response) from failed

"""``lambda:invoke``, and a Lambda function's ARN as a Task's Resource: Python functions called as Lambda calls them."""

from __future__ import annotations

import json
from secrets import token_hex
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.aws_response import metadata, optimised_cause, require_arguments
from genomics_pipeline.engine.tasks.functions import FunctionFailed, Functions
from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model.json_text import compact

INVOKE = "arn:aws:states:::lambda:invoke"


class LambdaInvoke:
    """The handler of ``arn:aws:states:::lambda:invoke``."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Call ``FunctionName`` with ``Payload``.

        Returns:
            ``{ExecutedVersion, Payload, SdkHttpMetadata, SdkResponseMetadata, StatusCode}``.

        Raises:
            StatesError: named after the exception of a function that failed; ``Lambda.ResourceNotFoundException``
                for a function there is not, ``Lambda.InvalidRequestContentException`` for text that is no JSON.
        """
        name, kind = str(require_arguments(arguments, "FunctionName")[0]), arguments.get("InvocationType")
        if kind not in (None, "RequestResponse"):
            raise StatesError(RUNTIME, f"lambda:invoke here waits for its function; it does not take {kind!r}")
        if name not in self._functions:
            arn = name if name.startswith("arn:") else f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
            cause = optimised_cause(f"Function not found: {arn}", "AWSLambda", 404, "ResourceNotFoundException")
            raise StatesError("Lambda.ResourceNotFoundException", cause)
        try:
            body = await self._functions.call(name, _event(arguments.get("Payload")), context)
        except FunctionFailed as failed:
            raise StatesError(failed.error, compact(json.loads(failed.answer))) from failed
        now = context.clock.now()
        headers = {
            "X_Amz_Executed_Version": "$LATEST",
            "x_amzn_Remapped_Content_Length": "0",
            "X_Amzn_Trace_Id": f"Root=1-{round(now):08x}-{token_hex(12)}",
        }
        return {
            "ExecutedVersion": "$LATEST",
            "Payload": json.loads(body),
            **metadata(body, now, "application/json", **headers),
            "StatusCode": 200,
        }


def _event(payload: Any) -> Any:
    """Return the function's event: text is the request's body, so it must be JSON; no payload is an empty object."""
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
    """The handler of a resource that a function was given for: a Lambda function's ARN, or any service's."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Call the function with the task's arguments.

        Returns:
            Its result.

        Raises:
            StatesError: the function's, or one named after its exception, with Lambda's answer as the cause.
        """
        try:
            return json.loads(await self._functions.call(context.resource, arguments, context))
        except FunctionFailed as failed:
            raise StatesError(failed.error, failed.answer) from failed

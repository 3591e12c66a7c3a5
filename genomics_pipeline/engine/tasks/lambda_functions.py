"""The port through which ``lambda:invoke`` calls functions, and the failures of functions in Lambda's words."""

from __future__ import annotations

import re
from typing import Any, Protocol

from genomics_pipeline.engine.execution import TaskContext

LAMBDA = re.compile(r"arn:aws[\w-]*:lambda:[^:]*:[^:]*:function:(?P<name>[^:]+)(:[^:]+)?")


class LambdaFunctions(Protocol):
    """Lambda functions: Python functions of the user, steps on this machine, or those of an emulator."""

    def __contains__(self, resource: str) -> bool:
        """Return whether there is a function with this ARN or name."""

    async def call(self, resource: str, event: Any, context: TaskContext) -> str:
        """Call a function, and return its answer as JSON text.

        If the caller is cancelled, the call is ended before the cancellation is passed on, where it can be.

        Args:
            resource: The function's ARN or name.
            event: The payload, any JSON value.
            context: The Task that calls it.

        Raises:
            StatesError: if Lambda refuses the call, such as ``Lambda.TooManyRequestsException``.
            FunctionFailed: if the function fails.
        """


class FunctionFailed(Exception):
    """The failure of a function: an exception, a result that is not JSON, or the end of its environment.

    Attributes:
        error: The name of the exception's class, or Lambda's word for the end.
        message: The message.
        response: Lambda's response to the failure, as JSON text.
    """

    def __init__(self, error: str, message: str, response: str) -> None:
        self.error = error
        self.message = message
        self.response = response
        super().__init__(message)


def function_name(resource: str) -> str | None:
    """Return the name of a Lambda function from its name or ARN; None for any other ARN.

    >>> function_name("arn:aws:lambda:us-east-1:000000000000:function:align:live"), function_name("align:live")
    ('align', 'align')
    >>> function_name("arn:aws:sqs:x")
    """
    if match := LAMBDA.fullmatch(resource):
        return match["name"]
    return None if resource.startswith("arn:") else resource.rsplit("function:", 1)[-1].split(":")[0]

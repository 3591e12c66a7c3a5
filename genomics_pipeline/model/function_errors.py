"""Failure classes of functions: the names of errors that ``lambda:invoke`` gives, and the words of their causes.

Sources: Step Functions developer guide, bp-lambda-serviceexception (the errors that AWS advises to retry) and
"Invoke an AWS Lambda function"; Lambda's API reference, Invoke; tests/conformance/cases. A function's own exception has
the name of its class, ``errorType``; the runtime's have ``Runtime.`` or ``Sandbox.`` before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.failure import FailureClass

THROTTLED_CALL = "Lambda.TooManyRequestsException"
# Errors of the service, of which AWS advises that they are retried.
SERVICE_ERRORS = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
)
BY_FUNCTION_ERROR = {
    THROTTLED_CALL: FailureClass.THROTTLED,
    **dict.fromkeys(SERVICE_ERRORS, FailureClass.THROTTLED),
    "Lambda.AccessDeniedException": FailureClass.ACCESS_DENIED,
    "Lambda.RequestTooLargeException": FailureClass.AWS_LIMIT,
    "Sandbox.Timedout": FailureClass.TIMEOUT,
    "Runtime.OutOfMemory": FailureClass.OUT_OF_MEMORY,
    "MemoryError": FailureClass.OUT_OF_MEMORY,
    "DataError": FailureClass.BAD_INPUT,  # of the handler: a parameter or a file of it
    "States.Timeout": FailureClass.TIMEOUT,
    "States.Permissions": FailureClass.ACCESS_DENIED,
    "States.DataLimitExceeded": FailureClass.AWS_LIMIT,
}
# Parts of the cause, where the error's name says less.
BY_FUNCTION_CAUSE = {
    "Task timed out after": FailureClass.TIMEOUT,
    "Runtime exited with error: signal: killed": FailureClass.OUT_OF_MEMORY,
}
OF_SERVICES = ("Lambda.", "States.")  # the beginnings of errors that are not the program's


def function_class(error: str, cause: str) -> FailureClass:
    """Return the class of a failed call of a function.

    Args:
        error: The name of the error.
        cause: The cause, as text.

    >>> function_class("ValueError", "{}"), function_class("Lambda.Unknown", "Task timed out after 3.00 seconds")
    (<FailureClass.TOOL_ERROR: 'tool_error'>, <FailureClass.TIMEOUT: 'timeout'>)
    """
    if error in BY_FUNCTION_ERROR:
        return BY_FUNCTION_ERROR[error]
    for part, failure_class in BY_FUNCTION_CAUSE.items():
        if part in cause:
            return failure_class
    return FailureClass.UNKNOWN if error.startswith(OF_SERVICES) else FailureClass.TOOL_ERROR


def is_function_failure(error: str, detail: Mapping[str, Any] | None) -> bool:
    """Tell whether a failure is that of a call of a function.

    Args:
        error: The name of the error.
        detail: The cause, if it is a JSON object.

    >>> is_function_failure("ValueError", {"errorMessage": "no amount"}), is_function_failure("States.Timeout", None)
    (True, False)
    """
    answered = detail is not None and ("errorType" in detail or "errorMessage" in detail)
    return answered or error.startswith(("Lambda.", "Runtime.", "Sandbox."))

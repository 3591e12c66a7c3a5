"""AWS's limits on the evaluation of one expression.

The greatest values that it accepts, and its sentences: radkawar/stackd, expression_limits.json (padding);
floci-io/floci, docs/services/step-functions.md and JsonataEvaluatorTest.java (the others), measured with TestState.
"""

from __future__ import annotations

MAX_SECONDS = 6.0  # of processor time: AWS allows one second, but this evaluator is slower

TOO_DEEP = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
_TOO_LONG = "Expression evaluation timeout: Check for infinite loop"
_TOO_LARGE = "Expression evaluation memory limit exceeded: Check for excessive memory usage"


class ErrorWithoutCode(Exception):
    """An error for which AWS's sentence has no code: of a limit, or of some functions."""


def too_deep() -> ErrorWithoutCode:
    """Return the error of more nested evaluations than AWS allows."""
    return ErrorWithoutCode(TOO_DEEP)


def too_long() -> ErrorWithoutCode:
    """Return the error of an expression that takes too much time."""
    return ErrorWithoutCode(_TOO_LONG)


def too_large() -> ErrorWithoutCode:
    """Return the error of a value that needs more memory than AWS allows."""
    return ErrorWithoutCode(_TOO_LARGE)

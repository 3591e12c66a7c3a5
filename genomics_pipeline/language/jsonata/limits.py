"""AWS's bounds on the evaluation of one expression.

What it accepts, one more of which it refuses, and its sentences: radkawar/stackd, expression_limits.json (padding);
floci-io/floci, docs/services/step-functions.md and JsonataEvaluatorTest.java (the others), measured with TestState.
"""

from __future__ import annotations

MAX_SECONDS = 30.0  # of the thread's processor: AWS gives its own evaluator one second, this one is slower

TOO_DEEP = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
_TOO_LONG = "Expression evaluation timeout: Check for infinite loop"
_TOO_LARGE = "Expression evaluation memory limit exceeded: Check for excessive memory usage"


class Uncoded(Exception):
    """An error whose sentence has no code: these bounds, and a few of the language's functions."""


def too_deep() -> Uncoded:
    """More nested evaluations than AWS allows."""
    return Uncoded(TOO_DEEP)


def too_long() -> Uncoded:
    """More time than one expression may take."""
    return Uncoded(_TOO_LONG)


def too_large() -> Uncoded:
    """Return the error of a value of more memory than AWS allows."""
    return Uncoded(_TOO_LARGE)

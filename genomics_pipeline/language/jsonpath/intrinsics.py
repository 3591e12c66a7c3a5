"""Evaluation of intrinsic functions, with AWS's causes of failures."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.language.jsonpath import path
from genomics_pipeline.language.jsonpath.intrinsic_functions import FUNCTIONS, IntrinsicFunction, InvalidArguments
from genomics_pipeline.language.jsonpath.intrinsic_syntax import (
    Argument,
    Call,
    IntrinsicSyntaxError,
    Literal,
    PathArgument,
    parse,
)
from genomics_pipeline.language.jsonpath.scope import PathScope
from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact


class _MissingArgument(Exception):
    """The error of an argument path without a value, in AWS's words."""


def is_intrinsic(text: str) -> bool:
    """Return whether a text is to be parsed as an intrinsic function.

    >>> is_intrinsic("States.UUID()"), is_intrinsic("$.States.x")
    (True, False)
    """
    return text.startswith("States.")


def evaluate(text: str, scope: PathScope, field: str) -> Any:
    """Return the value of an intrinsic function.

    >>> evaluate("States.Format('{} of {}', $.n, States.MathAdd($.n, 1))", PathScope({"n": 1}), "s.$")
    '1 of 2'

    Args:
        text: The call.
        scope: The data that its paths refer to.
        field: The field that contains it, for the error.

    Raises:
        StatesError: ``States.Runtime``: AWS does not raise the ``States.IntrinsicFailure`` of the specification.
    """
    try:
        return _value(parse(text), scope)
    except _MissingArgument as missing:
        cause = f"The function '{text}' had the following error: {missing}"
    except InvalidArguments as invalid:
        cause = f"There was an error while evaluating the intrinsic function: {text}. {invalid}"
    except (IntrinsicSyntaxError, PathSyntaxError) as error:
        cause = (
            f"The value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call: {error}"
        )
    raise StatesError(RUNTIME, cause)


def _value(argument: Argument, scope: PathScope) -> Any:
    if isinstance(argument, Literal):
        return argument.value
    if isinstance(argument, PathArgument):
        return _path_value(argument.text, scope)
    values = [_value(each, scope) for each in argument.arguments]
    if argument.name == "States.Format" and argument.arguments and isinstance(argument.arguments[0], Literal):
        values[0] = argument.arguments[0].escaped or values[0]  # format_ must tell an escaped brace from a placeholder
    function = FUNCTIONS.get(argument.name)
    try:
        if function is None or not _accepts(function, len(values)):
            raise InvalidArguments
        value = function.call(scope.host, *values) if function.needs_host else function.call(*values)
    except InvalidArguments as invalid:
        raise InvalidArguments(str(invalid) or f"Invalid arguments in {argument.name}") from None
    if isinstance(value, str):
        scope.budget.add(value, argument.name)
    return value


def _path_value(text: str, scope: PathScope) -> Any:
    """Return the value of an argument's path."""
    try:
        value = path.resolve(text, scope)
    except path.NotFound as missing:
        if str(missing).startswith("Filter:"):
            raise _MissingArgument(str(missing)) from None
        value = path.BEYOND_END
    if value is path.BEYOND_END:
        shown = text[1:] if text.startswith("$$") else text
        raise _MissingArgument(
            f"The JsonPath argument for the field '{shown}' could not be found in the input '{compact(scope.value)}'"
        )
    scope.budget.add(value, text)
    return value


def check(text: str) -> str | None:
    """Return the problem of an intrinsic function's syntax or name, or None.

    The number of arguments is not a problem here: AWS checks it only when it calls the function.

    >>> check("States.ArrayLength($.a)")
    >>> check("States.ArraySize($.a)")
    'unknown intrinsic function States.ArraySize'
    """
    try:
        calls = list(parse(text).calls())
    except IntrinsicSyntaxError as error:
        return str(error)
    if len(calls) > quotas.INTRINSIC_CALLS.value:
        return f"a field has at most {quotas.INTRINSIC_CALLS.value} intrinsic functions, not {len(calls)}"
    return next((problem for call in calls if (problem := _problem(call))), None)


def _problem(call: Call) -> str | None:
    if call.name not in FUNCTIONS:
        return f"unknown intrinsic function {call.name}"
    for argument in call.arguments:
        if isinstance(argument, PathArgument) and (problem := path.check(argument.text)):
            return f"'{argument.text}': {problem}"
    return None


def _accepts(function: IntrinsicFunction, count: int) -> bool:
    """Return whether a function accepts this number of arguments."""
    return function.least <= count and (function.most is None or count <= function.most)

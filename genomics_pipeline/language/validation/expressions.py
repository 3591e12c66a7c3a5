"""Syntax checks of paths, intrinsic functions and JSONata expressions, without evaluating them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from genomics_pipeline.language.jsonata.text import OPEN, is_expression, unwrap_expression
from genomics_pipeline.language.jsonpath import intrinsics
from genomics_pipeline.language.jsonpath import path as jsonpath
from genomics_pipeline.language.jsonpath import reference_path as single_path
from genomics_pipeline.language.timestamps import parse_timestamp
from genomics_pipeline.language.validation.diagnostics import INVALID_JSONATA, SCHEMA, UNSUPPORTED_JSONATA

_STATES = ("input", "context")  # the members of $states that every expression may read
_ROOT = re.compile(r"\$\$(?=[.\[]|$)|\$(?=[^\W\d_])")  # the context object; a variable


def _is_valid(check: Callable[[str], str | None], text: str) -> bool:
    try:
        return check(text) is None
    except RecursionError:  # thousands of nested functions
        return False


def _as_input_path(text: str) -> str:
    """Return a path into the context object or a variable as a path of the same form into the input."""
    root = _ROOT.match(text)
    return text if root is None else ("$" if root[0] == "$$" else "$.") + text[root.end() :]


def path_problem(text: str) -> str | None:
    """Return the problem of an InputPath or OutputPath in AWS's words, or None."""
    return None if _is_valid(jsonpath.check, _as_input_path(text)) else "Value must be a valid JSONPath."


def context_path_problem(text: str) -> str | None:
    """Return the problem of a path to one node, which may be in the context object, in AWS's words, or None."""
    if not text.startswith("$"):
        return "Value is not a Reference Path: Reference path didn't start with '$'"
    return None if _is_valid(single_path.check, _as_input_path(text)) else "Value is not a Reference Path"


def reference_path_problem(text: str) -> str | None:
    """Return the problem of a path to one node of the input or of a variable, or None."""
    return "Value is not a Reference Path" if text.startswith("$$") else context_path_problem(text)


def result_path_problem(text: str) -> str | None:
    """Return the problem of a ResultPath, which may only lead into the state's own data, or None."""
    problem = reference_path_problem(text)
    return "Value is not a Reference Path" if problem is None and _ROOT.match(text) else problem


def path_or_intrinsic_problem(text: str) -> str | None:
    """Return the problem of an ErrorPath or CausePath, or None."""
    if text.startswith("$"):
        return context_path_problem(text)
    words = "Value must be a valid JSONPath or a valid intrinsic function call"
    return None if _is_valid(intrinsics.check, text) else words


def is_template_value(text: str) -> bool:
    """Return whether a ``.$`` field of a payload template may have this value."""
    return (
        _is_valid(jsonpath.check, _as_input_path(text)) if text.startswith("$") else _is_valid(intrinsics.check, text)
    )


def timestamp_problem(text: str) -> str | None:
    """Return the problem of a timestamp, or None."""
    return None if parse_timestamp(text) else "String does not match RFC3339 timestamp"


def starts_expression(value: object) -> bool:
    """Return whether a value is a JSONata expression, complete or not."""
    return isinstance(value, str) and value.startswith(OPEN)


def jsonata_problems(text: str, member: str | None = None) -> list[tuple[str, str]]:
    """Return the problems of a JSONata string, each as code and message.

    Args:
        text: The string, ``{% … %}``.
        member: The member of ``$states`` that it may read besides input and context: ``result``, ``errorOutput``.
    """
    if not is_expression(text):
        return [(SCHEMA, "JSONata string must start with {% and end with %}")]
    problem, references = _parse_problems(unwrap_expression(text), member)
    if problem is not None:
        return [(INVALID_JSONATA, problem)]
    return [(UNSUPPORTED_JSONATA, message) for message in references]


@lru_cache(maxsize=16384)
def _parse_problems(expression: str, member: str | None) -> tuple[str | None, tuple[str, ...]]:
    from genomics_pipeline.language.jsonata.messages import code_and_sentence  # slow to import
    from genomics_pipeline.language.jsonata.references import unsupported_references

    try:
        return None, tuple(unsupported_references(expression, (*_STATES, member) if member else _STATES))
    except Exception as error:  # the library raises its own, and any that Python raises inside it
        return code_and_sentence(error)[1], ()

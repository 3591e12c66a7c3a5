"""The syntax checks of paths, intrinsic functions and JSONata expressions, which are not evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from genomics_pipeline.language.jsonata.text import OPEN, is_expression, text_of
from genomics_pipeline.language.jsonpath import intrinsics
from genomics_pipeline.language.jsonpath import path as jsonpath
from genomics_pipeline.language.jsonpath import reference_path as single_path
from genomics_pipeline.language.timestamps import parse_timestamp
from genomics_pipeline.language.validation.diagnostics import INVALID_JSONATA, SCHEMA, UNSUPPORTED_JSONATA

_STATES = ("input", "context")  # what expressions read of $states wherever they stand
_ROOT = re.compile(r"\$\$(?=[.\[]|$)|\$(?=[^\W\d_])")  # the context object; a variable


def _reads(check: Callable[[str], str | None], text: str) -> bool:
    try:
        return check(text) is None
    except RecursionError:  # functions within functions, by the thousand
        return False


def _rooted(text: str) -> str:
    """Return a path of the context object or of a variable as the path of the input that has its form."""
    found = _ROOT.match(text)
    return text if found is None else ("$" if found[0] == "$$" else "$.") + text[found.end() :]


def path(text: str) -> str | None:
    """Return what is wrong with the path, in AWS's words: InputPath, OutputPath."""
    return None if _reads(jsonpath.check, _rooted(text)) else "Value must be a valid JSONPath."


def context_path(text: str) -> str | None:
    """Return what is wrong with the path to one node, also of the context object, in AWS's words."""
    if not text.startswith("$"):
        return "Value is not a Reference Path: Reference path didn't start with '$'"
    return None if _reads(single_path.check, _rooted(text)) else "Value is not a Reference Path"


def reference_path(text: str) -> str | None:
    """Return what is wrong with the path to one node of the input or of a variable."""
    return "Value is not a Reference Path" if text.startswith("$$") else context_path(text)


def result_path(text: str) -> str | None:
    """Return what is wrong with a ResultPath, which leads into the state's own data alone."""
    problem = reference_path(text)
    return "Value is not a Reference Path" if problem is None and _ROOT.match(text) else problem


def path_or_intrinsic(text: str) -> str | None:
    """Return what is wrong with an ErrorPath or CausePath."""
    if text.startswith("$"):
        return context_path(text)
    words = "Value must be a valid JSONPath or a valid intrinsic function call"
    return None if _reads(intrinsics.check, text) else words


def template_value(text: str) -> bool:
    """Return whether a ``.$`` field of a payload template may have that value."""
    return _reads(jsonpath.check, _rooted(text)) if text.startswith("$") else _reads(intrinsics.check, text)


def timestamp(text: str) -> str | None:
    """Return what is wrong with a timestamp."""
    return None if parse_timestamp(text) else "String does not match RFC3339 timestamp"


def begins_as_expression(found: object) -> bool:
    """Return whether a value is a JSONata expression, or begins as one and has no end."""
    return isinstance(found, str) and found.startswith(OPEN)


def jsonata(text: str, member: str | None = None) -> list[tuple[str, str]]:
    """Return what is wrong with a JSONata string: code and message.

    Args:
        text: The string, ``{% … %}``.
        member: What ``$states`` has there beside input and context: ``result``, ``errorOutput``.
    """
    if not is_expression(text):
        return [(SCHEMA, "JSONata string must start with {% and end with %}")]
    problem, references = _read(text_of(text), member)
    if problem is not None:
        return [(INVALID_JSONATA, problem)]
    return [(UNSUPPORTED_JSONATA, message) for message in references]


@lru_cache(maxsize=16384)
def _read(expression: str, member: str | None) -> tuple[str | None, tuple[str, ...]]:
    from genomics_pipeline.language.jsonata.messages import code_and_sentence  # the library takes its time to import
    from genomics_pipeline.language.jsonata.references import unsupported

    try:
        return None, tuple(unsupported(expression, (*_STATES, member) if member else _STATES))
    except Exception as error:  # the library raises its own, and whatever Python raises inside it
        return code_and_sentence(error)[1], ()

"""Whether a path, an intrinsic or a JSONata expression can be read; what it gives is not asked here."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from functools import cache, lru_cache

from genomics_pipeline.engine.jsonpath import intrinsics
from genomics_pipeline.engine.jsonpath import path as jsonpath
from genomics_pipeline.engine.jsonpath import reference_path as single_path
from genomics_pipeline.engine.validation.jsonata_references import unsupported_references

_OPEN, _CLOSE = "{%", "%}"
_ROOT = re.compile(r"\$\$(?=[.\[]|$)|\$(?=[^\W\d_])")  # the context object; a variable
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _reads(check: Callable[[str], str | None], text: str) -> bool:
    try:
        return check(text) is None
    except RecursionError:  # functions within functions, by the thousand
        return False


def _rooted(text: str) -> str:
    """A path of the context object or of a variable has the same form as one of the input."""
    found = _ROOT.match(text)
    return text if found is None else ("$" if found[0] == "$$" else "$.") + text[found.end() :]


def path(text: str) -> str | None:
    """What is wrong with the path, in AWS's words: InputPath, OutputPath."""
    return None if _reads(jsonpath.check, _rooted(text)) else "Value must be a valid JSONPath."


def context_path(text: str) -> str | None:
    """What is wrong with the path to one node, also of the context object, in AWS's words."""
    if not text.startswith("$"):
        return "Value is not a Reference Path: Reference path didn't start with '$'"
    return None if _reads(single_path.check, _rooted(text)) else "Value is not a Reference Path"


def reference_path(text: str) -> str | None:
    """What is wrong with the path to one node of the input or of a variable."""
    return "Value is not a Reference Path" if text.startswith("$$") else context_path(text)


def result_path(text: str) -> str | None:
    """What is wrong with a ResultPath, which leads into the state's own data alone."""
    problem = reference_path(text)
    return "Value is not a Reference Path" if problem is None and _ROOT.match(text) else problem


def path_or_intrinsic(text: str) -> str | None:
    """What is wrong with an ErrorPath or CausePath."""
    if text.startswith("$"):
        return context_path(text)
    words = "Value must be a valid JSONPath or a valid intrinsic function call"
    return None if _reads(intrinsics.check, text) else words


def template_value(text: str) -> bool:
    """Whether a ``.$`` field of a payload template may have that value."""
    return _reads(jsonpath.check, _rooted(text)) if text.startswith("$") else _reads(intrinsics.check, text)


def timestamp(text: str) -> str | None:
    """What is wrong with a timestamp."""
    return None if _TIMESTAMP.fullmatch(text) else "String does not match RFC3339 timestamp"


def is_expression(found: object) -> bool:
    """Whether a value is a JSONata expression, or begins as one."""
    return isinstance(found, str) and found.startswith(_OPEN)


def jsonata(text: str, *, error_output: bool) -> list[tuple[str, str]]:
    """What is wrong with a JSONata string: code and message.

    Args:
        text: The string, ``{% … %}``.
        error_output: Whether ``$states.errorOutput`` is there: in a catcher's Output and Assign.
    """
    if not text.endswith(_CLOSE) or len(text) < len(_OPEN + _CLOSE):
        return [("SCHEMA_VALIDATION_FAILED", "JSONata string must start with {% and end with %}")]
    problem, references = _parsed(text[2:-2].strip())
    if problem is not None:
        return [("INVALID_JSONATA_EXPRESSION", problem)]
    return [
        ("UNSUPPORTED_JSONATA_EXPRESSION", message)
        for message in references
        if not (error_output and message.startswith("Field '$states.errorOutput'"))
    ]


class _Parser(threading.local):
    """The library's parser: making one takes longer than using it, and one thread's may not serve another."""

    def __init__(self) -> None:
        from jsonata.parser import Parser

        self.parse = Parser().parse


@cache
def _parser() -> _Parser:
    return _Parser()


@lru_cache(maxsize=16384)
def _parsed(expression: str) -> tuple[str | None, tuple[str, ...]]:
    try:
        return None, tuple(unsupported_references(_parser().parse(expression)))
    except Exception as error:  # the library raises its own, and whatever Python raises inside it
        return _words(error), ()


def _words(error: Exception) -> str:
    """The library's message with its tokens in quotes, as AWS writes it."""
    from jsonata.jexception import JException

    text = JException.error_codes.get(getattr(error, "error", ""), "")
    if not text:
        return str(error) or type(error).__name__
    tokens = iter((error.current, error.expected))  # type: ignore[attr-defined]
    return re.sub(r"\{\{\w+\}\}", lambda _: json.dumps(str(next(tokens, "")), ensure_ascii=False), text)

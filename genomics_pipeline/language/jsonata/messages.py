"""Codes and sentences of errors in expressions, in the words of the reference implementation.

AWS's causes contain the sentences of jsonata 2.0.6. The library's table of sentences differs in a few words, and its
exceptions hold the values under other names.
"""

from __future__ import annotations

import json
import re
from typing import Any

from genomics_pipeline.language.jsonata.library import JException, Utils
from genomics_pipeline.language.jsonata.limits import TOO_DEEP, ErrorWithoutCode, too_large
from genomics_pipeline.language.jsonata.values import json_text

_VALUE = re.compile(r"\{\{(\w+)\}\}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TYPES = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}


class JsonataError(JException):  # type: ignore[misc]  # the library has no types
    """An error with a code of the reference implementation, and the values for its sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code, -1, "", "", "")
        self.values = values


def code_and_sentence(error: Exception) -> tuple[str, str]:
    """Return the code of an error, which may be empty, and its sentence.

    >>> code_and_sentence(JsonataError("D3060", value=-1))
    ('D3060', 'The sqrt function cannot be applied to a negative number: -1')
    >>> code_and_sentence(ErrorWithoutCode("too much"))
    ('', 'too much')
    """
    if isinstance(error, RecursionError):
        return "", TOO_DEEP
    if isinstance(error, MemoryError):
        error = too_large()
    if isinstance(error, ErrorWithoutCode):
        return "", str(error)
    if not isinstance(error, JException):
        return _find_code(str(error))
    code: str = error.error
    template = _sentence(code)
    if not template:
        return _find_code(code)
    values = _values(error, template)
    if "{{{message}}}" in template:
        return code, str(values.get("message"))
    sentence = re.sub(r"\{\{\{(\w+)\}\}\}", lambda match: str(values.get(match[1])), template)
    return code, _VALUE.sub(lambda match: _display(values.get(match[1])), sentence)


def _sentence(code: str) -> str:
    # The library says "Object" for functions, and puts characters into double quotes; the reference does neither.
    sentence = str(JException.error_codes.get(code, ""))
    return sentence.replace(" Object ", " function ").replace('"', "'").replace("function_name", "functionName")


def _find_code(text: str) -> tuple[str, str]:
    """Return a sentence with its code, which some of the library's functions omit; empty for an unknown sentence."""
    for code in JException.error_codes:
        if _sentence(code) == text:
            return code, text
    return "", text


def _values(error: JException, template: str) -> dict[str, Any]:
    names = re.findall(r"\{\{\{?(\w+)", template)
    if isinstance(error, JsonataError):
        values = dict(error.values)
    else:
        arguments = [error.current, error.expected, error.extra]
        if error.error in ("T0411", "D1002"):  # these hold the value in `expected`
            arguments = [arguments[1]]
        elif error.error == "S0213" and error.current is None:
            arguments = [Utils.NULL_VALUE]
        values = dict(zip(names, arguments, strict=False))
    if "type" in values:
        values["type"] = _TYPES.get(str(values["type"])[:1], values["type"])
    token = getattr(error, "token", None)  # the innermost function or operator
    if "token" in names and (token is not None or error.error.startswith("T041")):
        values["token"] = token
    return values


def _display(value: Any) -> str:
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return "null"
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))
    return "undefined" if value is None or Utils.is_function(value) else json_text(value)

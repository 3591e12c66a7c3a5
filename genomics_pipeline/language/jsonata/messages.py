"""The code and sentence of an evaluation that throws, in the words of the reference implementation.

AWS's causes carry the reference's own sentences (jsonata 2.0.6); the library's catalogue has them with a few words
changed, and its exceptions carry the values under other names.
"""

from __future__ import annotations

import json
import re
from typing import Any

from genomics_pipeline.language.jsonata.library import JException, Utils
from genomics_pipeline.language.jsonata.limits import TOO_DEEP, Uncoded
from genomics_pipeline.language.jsonata.values import text_of

_VALUE = re.compile(r"\{\{(\w+)\}\}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TYPES = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}


class Thrown(JException):  # type: ignore[misc]  # the library has no types
    """An error with a code of the reference implementation, and the values that its sentence names."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code, -1, "", "", "")
        self.values = values


def code_and_sentence(error: Exception) -> tuple[str, str]:
    """Return the code of an error, empty if it has none, and its sentence.

    >>> code_and_sentence(Thrown("D3060", value=-1))
    ('D3060', 'The sqrt function cannot be applied to a negative number: -1')
    >>> code_and_sentence(Uncoded("too much"))
    ('', 'too much')
    """
    if isinstance(error, RecursionError):
        return "", TOO_DEEP
    if isinstance(error, Uncoded):
        return "", str(error)
    if not isinstance(error, JException):
        return _known(str(error))
    code: str = error.error
    template = _sentence(code)
    if not template:
        return _known(code)
    values = _values(error, template)
    if "{{{message}}}" in template:
        return code, str(values.get("message"))
    sentence = re.sub(r"\{\{\{(\w+)\}\}\}", lambda found: str(values.get(found[1])), template)
    return code, _VALUE.sub(lambda found: _shown(values.get(found[1])), sentence)


def _sentence(code: str) -> str:
    # The library calls functions objects and quotes characters with double quotes; the reference does neither.
    found = str(JException.error_codes.get(code, ""))
    return found.replace(" Object ", " function ").replace('"', "'").replace("function_name", "functionName")


def _known(text: str) -> tuple[str, str]:
    """Some of the library's functions raise a sentence of the catalogue without its code."""
    for code in JException.error_codes:
        if _sentence(code) == text:
            return code, text
    return "", text


def _values(error: JException, template: str) -> dict[str, Any]:
    names = re.findall(r"\{\{\{?(\w+)", template)
    if isinstance(error, Thrown):
        values = dict(error.values)
    else:
        given = [error.current, error.expected, error.extra]
        if error.error in ("T0411", "D1002"):  # raised with the value first
            given = [given[1]]
        elif error.error == "S0213" and error.current is None:
            given = [Utils.NULL_VALUE]
        values = dict(zip(names, given, strict=False))
    if "type" in values:
        values["type"] = _TYPES.get(str(values["type"])[:1], values["type"])
    token = getattr(error, "token", None)  # the innermost function or operator
    if "token" in names and (token is not None or error.error.startswith("T041")):
        values["token"] = token
    return values


def _shown(value: Any) -> str:
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return "null"
    if isinstance(value, str):
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
    return "undefined" if value is None or Utils.is_function(value) else text_of(value)

"""Intrinsic functions, with AWS's behaviour, odd as it may be: the tests name the recordings."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.language.host import Host
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_INT_BOUND = 2**31
_GREATEST = math.nextafter(math.inf, 0)  # of AWS's numbers, which are doubles
_PLACEHOLDER = re.compile(r"\\(?P<escaped>.)|(?P<brace>\{\}?|\})", re.DOTALL)


class InvalidArguments(Exception):
    """An error of a function's arguments; the text, if any, replaces AWS's usual sentence."""


def _require(condition: bool) -> None:
    if not condition:
        raise InvalidArguments


def _require_text(value: Any) -> str:
    _require(isinstance(value, str))
    return str(value)


def _require_short_text(value: Any) -> str:
    text = _require_text(value)
    _require(len(text) <= quotas.INTRINSIC_TEXT.value)
    return text


def _require_array(value: Any) -> list[Any]:
    _require(isinstance(value, list))
    return list(value)


def _require_number(value: Any) -> int | float:
    _require(isinstance(value, int | float) and not isinstance(value, bool) and -_GREATEST <= value <= _GREATEST)
    number: int | float = value
    return number


def _truncate(value: Any) -> int:
    return int(_require_number(value))


def _round(value: Any) -> int:
    """Return the nearest integer as Java's Math.round does, with halves rounded up."""
    return math.floor(_require_number(value) + 0.5)


def format_(template: Any, *arguments: Any) -> str:
    r"""Evaluate ``States.Format(template, ...)``: ``\{`` is a brace, ``{}`` a placeholder for an argument."""
    remaining = list(arguments)
    expected = 0

    def substitute(match: re.Match[str]) -> str:
        nonlocal expected
        if match["escaped"]:
            return match["escaped"]
        if match["brace"] != "{}":
            other = {"{": "}", "}": "{"}[match["brace"]]
            raise InvalidArguments(f"Invalid template in States.Format: matching '{other}' not found for '{match[0]}'.")
        expected += 1
        return _format_value(remaining.pop(0)) if remaining else ""

    result = _PLACEHOLDER.sub(substitute, _require_text(template))
    if expected != len(arguments):
        raise InvalidArguments(
            "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}."
        )
    return result


def _format_value(value: Any) -> str:
    _require(not isinstance(value, dict | list))
    return value if isinstance(value, str) else compact(value)


def string_to_json(text: Any) -> Any:
    """Evaluate ``States.StringToJson(text)``; null for an empty or blank text."""
    if not _require_text(text).strip():
        return None
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise InvalidArguments from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON, or too large")
    return number


def array(*items: Any) -> list[Any]:
    """Evaluate ``States.Array(item, ...)``."""
    return list(items)


def array_partition(items: Any, size: Any) -> list[Any]:
    """Evaluate ``States.ArrayPartition(array, size)``: consecutive parts of that size."""
    members, step = _require_array(items), _truncate(size)
    _require(step >= 1)
    return [members[start : start + step] for start in range(0, len(members), step)]


def array_contains(items: Any, value: Any) -> bool:
    """Evaluate ``States.ArrayContains(array, value)``: scalars compare as text, objects with their members' order."""
    return _comparison_key(value) in {_comparison_key(item) for item in _require_array(items)}


def _comparison_key(value: Any) -> tuple[bool, str]:
    scalar = isinstance(value, str | int | float)
    return (scalar, value if isinstance(value, str) else compact(value))


def array_range(first: Any, last: Any, step: Any) -> list[int]:
    """Evaluate ``States.ArrayRange(first, last, step)``, which includes both ends."""
    start, stop, by = _truncate(first), _truncate(last), _truncate(step)
    _require(by != 0)
    _require((stop - start) // by < quotas.INTRINSIC_RANGE.value)
    return list(range(start, stop + (1 if by > 0 else -1), by))


def array_get_item(items: Any, index: Any) -> Any:
    """Evaluate ``States.ArrayGetItem(array, index)``; null for an empty array."""
    members, position = _require_array(items), _truncate(index)
    _require(position >= 0)
    if not members:
        return None
    _require(position < len(members))
    return members[position]


def array_length(items: Any) -> int:
    """Evaluate ``States.ArrayLength(array)``."""
    return len(_require_array(items))


def array_unique(items: Any) -> list[Any]:
    """Evaluate ``States.ArrayUnique(array)``: the first of equal items; the order of objects' members is ignored."""
    firsts: dict[str, Any] = {}
    for item in _require_array(items):
        firsts.setdefault(json.dumps(item, sort_keys=True), item)
    return list(firsts.values())


def base64_encode(text: Any) -> str:
    """Evaluate ``States.Base64Encode(text)``."""
    return base64.b64encode(_require_short_text(text).encode()).decode()


def base64_decode(text: Any) -> str:
    """Evaluate ``States.Base64Decode(text)`` as AWS does: skip other characters, and end at padding."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", _require_short_text(text).partition("=")[0].translate({45: "+", 95: "/"}))
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode(errors="replace")


def hash_(data: Any, algorithm: Any) -> str:
    """Evaluate ``States.Hash(data, algorithm)``, in hexadecimal, of a text or of the JSON text of other data."""
    text = _require_short_text(data if isinstance(data, str) else compact(data))
    _require(isinstance(algorithm, str) and algorithm in _ALGORITHMS)
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def json_merge(first: Any, second: Any, deep: Any) -> dict[str, Any]:
    """Evaluate ``States.JsonMerge(first, second, false)``; AWS has no deep merge."""
    _require(isinstance(first, dict) and isinstance(second, dict) and deep is not True)
    return {**first, **second}


def math_random(host: Host, start: Any, end: Any, *seed: Any) -> int:
    """Evaluate ``States.MathRandom(start, end, seed?)``, which excludes the end."""
    low, high = _truncate(start), _truncate(end)
    _require(low < high)
    return host.random_integer(low, high, _truncate(seed[0]) if seed else None)


def math_add(first: Any, second: Any) -> int:
    """Evaluate ``States.MathAdd(first, second)`` of 32-bit integers."""
    terms = [_round(first), _round(second)]
    for number in (*terms, sum(terms)):
        _require(-_INT_BOUND <= number < _INT_BOUND)
    return sum(terms)


def string_split(text: Any, delimiters: Any) -> list[str]:
    """Evaluate ``States.StringSplit(text, delimiters)`` at any of the delimiters' characters, without empty parts."""
    whole, characters = _require_text(text), _require_text(delimiters)
    parts = re.split(f"[{re.escape(characters)}]", whole) if characters else [whole]
    return [part for part in parts if part]


def uuid_(host: Host, *_: Any) -> str:
    """Evaluate ``States.UUID()``, version 4; AWS ignores arguments."""
    return host.uuid()


@dataclass(frozen=True, slots=True)
class IntrinsicFunction:
    """An intrinsic function.

    Attributes:
        call: The function that computes its value.
        least: The least number of arguments.
        most: The greatest number of arguments; None for no bound.
        needs_host: True if `call` takes the host before the arguments.
    """

    call: Callable[..., Any]
    least: int
    most: int | None
    needs_host: bool = False


FUNCTIONS = {
    "States.Format": IntrinsicFunction(format_, 1, None),
    "States.StringToJson": IntrinsicFunction(string_to_json, 1, 1),
    "States.JsonToString": IntrinsicFunction(compact, 1, 1),
    "States.Array": IntrinsicFunction(array, 0, None),
    "States.ArrayPartition": IntrinsicFunction(array_partition, 2, 2),
    "States.ArrayContains": IntrinsicFunction(array_contains, 2, 2),
    "States.ArrayRange": IntrinsicFunction(array_range, 3, 3),
    "States.ArrayGetItem": IntrinsicFunction(array_get_item, 2, 2),
    "States.ArrayLength": IntrinsicFunction(array_length, 1, 1),
    "States.ArrayUnique": IntrinsicFunction(array_unique, 1, 1),
    "States.Base64Encode": IntrinsicFunction(base64_encode, 1, 1),
    "States.Base64Decode": IntrinsicFunction(base64_decode, 1, 1),
    "States.Hash": IntrinsicFunction(hash_, 2, 2),
    "States.JsonMerge": IntrinsicFunction(json_merge, 3, 3),
    "States.MathRandom": IntrinsicFunction(math_random, 2, 3, needs_host=True),
    "States.MathAdd": IntrinsicFunction(math_add, 2, 2),
    "States.StringSplit": IntrinsicFunction(string_split, 2, 2),
    "States.UUID": IntrinsicFunction(uuid_, 0, None, needs_host=True),
}

"""The intrinsic functions. Odd behaviour is AWS's: the tests name the recordings."""

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
_INT = 2**31
_PLACEHOLDER = re.compile(r"\\(?P<escaped>.)|(?P<brace>\{\}?|\})", re.DOTALL)


class InvalidArguments(Exception):
    """A function cannot take its arguments; the text, where there is one, goes on after its name."""


def _demand(condition: bool) -> None:
    if not condition:
        raise InvalidArguments


def _text(value: Any) -> str:
    _demand(isinstance(value, str))
    return str(value)


def _short_text(value: Any) -> str:
    text = _text(value)
    _demand(len(text) <= quotas.INTRINSIC_TEXT.value)
    return text


def _array(value: Any) -> list[Any]:
    _demand(isinstance(value, list))
    return list(value)


def _number(value: Any) -> int | float:
    _demand(isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))
    number: int | float = value
    return number


def _truncated(value: Any) -> int:
    return int(_number(value))


def _rounded(value: Any) -> int:
    """Round as Java's Math.round does: halves go up."""
    return math.floor(_number(value) + 0.5)


def format_(template: Any, *arguments: Any) -> str:
    r"""Evaluate ``States.Format(template, ...)``: ``\{`` is a brace, ``{}`` takes an argument."""
    left = list(arguments)
    expected = 0

    def replaced(found: re.Match[str]) -> str:
        nonlocal expected
        if found["escaped"]:
            return found["escaped"]
        if found["brace"] != "{}":
            other = {"{": "}", "}": "{"}[found["brace"]]
            raise InvalidArguments(f"Invalid template in States.Format: matching '{other}' not found for '{found[0]}'.")
        expected += 1
        return _formatted(left.pop(0)) if left else ""

    result = _PLACEHOLDER.sub(replaced, _text(template))
    if expected != len(arguments):
        raise InvalidArguments(
            "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}."
        )
    return result


def _formatted(value: Any) -> str:
    _demand(not isinstance(value, dict | list))
    return value if isinstance(value, str) else compact(value)


def string_to_json(text: Any) -> Any:
    """Evaluate ``States.StringToJson(text)``; empty text is null."""
    if not _text(text):
        return None
    try:
        return json.loads(text, parse_constant=_no_json)
    except ValueError:
        raise InvalidArguments from None


def _no_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def array(*items: Any) -> list[Any]:
    """Evaluate ``States.Array(item, ...)``."""
    return list(items)


def array_partition(items: Any, size: Any) -> list[Any]:
    """Evaluate ``States.ArrayPartition(array, size)``: consecutive parts of that size."""
    members, step = _array(items), _truncated(size)
    _demand(step >= 1)
    return [members[start : start + step] for start in range(0, len(members), step)]


def array_contains(items: Any, wanted: Any) -> bool:
    """Evaluate ``States.ArrayContains(array, value)``: scalars as text, objects with the order of their members."""
    return _comparable(wanted) in {_comparable(item) for item in _array(items)}


def _comparable(value: Any) -> tuple[bool, str]:
    scalar = isinstance(value, str | int | float)
    return (scalar, value if isinstance(value, str) else compact(value))


def array_range(first: Any, last: Any, step: Any) -> list[int]:
    """Evaluate ``States.ArrayRange(first, last, step)``: both ends included."""
    start, stop, by = _truncated(first), _truncated(last), _truncated(step)
    _demand(by != 0)
    found = range(start, stop + (1 if by > 0 else -1), by)
    _demand(len(found) <= quotas.INTRINSIC_RANGE.value)
    return list(found)


def array_get_item(items: Any, index: Any) -> Any:
    """Evaluate ``States.ArrayGetItem(array, index)``; null of an empty array."""
    members, place = _array(items), _truncated(index)
    _demand(place >= 0)
    if not members:
        return None
    _demand(place < len(members))
    return members[place]


def array_length(items: Any) -> int:
    """Evaluate ``States.ArrayLength(array)``."""
    return len(_array(items))


def array_unique(items: Any) -> list[Any]:
    """Evaluate ``States.ArrayUnique(array)``: the first of equals; objects are equal in any order of their members."""
    firsts: dict[str, Any] = {}
    for item in _array(items):
        firsts.setdefault(json.dumps(item, sort_keys=True), item)
    return list(firsts.values())


def base64_encode(text: Any) -> str:
    """Evaluate ``States.Base64Encode(text)``."""
    return base64.b64encode(_short_text(text).encode()).decode()


def base64_decode(text: Any) -> str:
    """Evaluate ``States.Base64Decode(text)`` as AWS: other characters are skipped, padding ends the text."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", _short_text(text).partition("=")[0].translate({45: "+", 95: "/"}))
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode(errors="replace")


def hash_(data: Any, algorithm: Any) -> str:
    """Evaluate ``States.Hash(data, algorithm)``, in hexadecimal; data other than text is hashed as its JSON."""
    text = _short_text(data if isinstance(data, str) else compact(data))
    _demand(isinstance(algorithm, str) and algorithm in _ALGORITHMS)
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def json_merge(first: Any, second: Any, deep: Any) -> dict[str, Any]:
    """Evaluate ``States.JsonMerge(first, second, false)``: AWS merges shallowly only."""
    _demand(isinstance(first, dict) and isinstance(second, dict) and deep is not True)
    return {**first, **second}


def math_random(host: Host, start: Any, end: Any, *seed: Any) -> int:
    """Evaluate ``States.MathRandom(start, end, seed?)``: the start included, the end not."""
    low, high = _truncated(start), _truncated(end)
    _demand(low < high)
    return host.random_integer(low, high, _truncated(seed[0]) if seed else None)


def math_add(first: Any, second: Any) -> int:
    """Evaluate ``States.MathAdd(first, second)`` of 32 bits."""
    terms = [_rounded(first), _rounded(second)]
    for number in (*terms, sum(terms)):
        _demand(-_INT <= number < _INT)
    return sum(terms)


def string_split(text: Any, delimiters: Any) -> list[str]:
    """Evaluate ``States.StringSplit(text, delimiters)`` at each of the delimiters' characters; no part is empty."""
    whole, characters = _text(text), _text(delimiters)
    parts = re.split(f"[{re.escape(characters)}]", whole) if characters else [whole]
    return [part for part in parts if part]


def uuid_(host: Host, *_: Any) -> str:
    """Evaluate ``States.UUID()``, version 4; AWS looks at no argument."""
    return host.uuid()


@dataclass(frozen=True, slots=True)
class IntrinsicFunction:
    """An intrinsic function.

    Attributes:
        call: Computes its value.
        least: The least number of arguments.
        most: The greatest number of arguments; None for no bound.
        asks_host: Whether the host comes before the arguments.
    """

    call: Callable[..., Any]
    least: int
    most: int | None
    asks_host: bool = False


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
    "States.MathRandom": IntrinsicFunction(math_random, 2, 3, asks_host=True),
    "States.MathAdd": IntrinsicFunction(math_add, 2, 2),
    "States.StringSplit": IntrinsicFunction(string_split, 2, 2),
    "States.UUID": IntrinsicFunction(uuid_, 0, None, asks_host=True),
}

"""The JSONata functions that Step Functions adds, and those of the library that are corrected at our edge."""

from __future__ import annotations

import hashlib
import json
import math
import random
import uuid
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException
from jsonata.utils import Utils

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def plain(value: Any) -> Any:
    """A value of the library as JSON: its own list types become lists, its null becomes None, functions vanish."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items() if not Utils.is_function(member)}
    if isinstance(value, list):
        return [plain(value[place]) for place in range(len(value))]
    return None


class Functions:
    """Implementations, by the names that the library looks them up by."""

    @staticmethod
    def string(value: Any, prettify: bool | None = None) -> str | None:
        """``$string``: JSON text as JavaScript writes it: characters beyond ASCII stay, whole numbers have no point."""
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, Utils.JList) and value.outer_wrapper:
            value = value[0]
        if Utils.is_function(value):
            return ""
        found = _numbers(plain(value))
        if prettify:
            return json.dumps(found, ensure_ascii=False, indent=2)
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def partition(items: list[Any], size: float) -> list[Any] | None:
        """``$partition(array, size)``: consecutive parts of that size."""
        if items is None:
            return None
        if size < 1:
            raise JException("D3010", 0, size)
        return [list(items[start : start + int(size)]) for start in range(0, len(items), int(size))]

    @staticmethod
    def range(first: float, last: float, step: float) -> list[Any]:
        """``$range(first, last, step)``: both ends included."""
        if step == 0:
            raise JException("D3010", 0, step)
        count = math.floor((last - first) / step) + 1
        return [Utils.convert_number(first + place * step) for place in range(max(count, 0))]

    @staticmethod
    def hash(data: str, algorithm: str) -> str:
        """``$hash(data, algorithm)``: in hexadecimal."""
        if algorithm not in _ALGORITHMS:
            raise JException("D3010", 0, algorithm)
        return hashlib.new(_ALGORITHMS[algorithm], data.encode(), usedforsecurity=False).hexdigest()

    @staticmethod
    def random(seed: float | None = None) -> float:
        """``$random(seed?)``: at least 0, less than 1."""
        return random.random() if seed is None else random.Random(seed).random()  # noqa: S311  # not for secrets

    @staticmethod
    def uuid() -> str:
        """``$uuid()``: a version 4 UUID."""
        return str(uuid.uuid4())

    @staticmethod
    def parse(text: str) -> Any:
        """``$parse(text)``: the value of a JSON text."""
        if text is None:
            return None
        found = json.loads(text)
        return Utils.NULL_VALUE if found is None else found


def _numbers(value: Any) -> Any:
    """Numbers as JavaScript writes them: a whole float has no point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        return {key: _numbers(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_numbers(member) for member in value]
    return value


def bindings() -> dict[str, Any]:
    """What is bound in every expression, on top of the library's functions; ``$eval`` does not exist on AWS."""
    signatures = {
        "string": "<x-b?:s>",
        "partition": "<an:a>",
        "range": "<nnn:a<n>>",
        "hash": "<s-s:s>",
        "random": "<n?:n>",
        "uuid": "<:s>",
        "parse": "<s-:x>",
    }
    found = {name: Jsonata.function(name, signature, Functions, name) for name, signature in signatures.items()}
    return found | {"eval": None}

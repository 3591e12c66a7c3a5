"""The functions that Step Functions adds to JSONata, and the table of all functions.

The developer guide's "Transforming data with JSONata" lists them. Their behaviour was measured on AWS (TestState) by
floci-io/floci (JsonataEvaluatorTest.java) and by the tests of iwamot/sfnx, which agree.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from genomics_pipeline.language.jsonata.corrections import SIGNATURES, Corrections, evaluation_host
from genomics_pipeline.language.jsonata.library import Jsonata, Signature, Utils
from genomics_pipeline.language.jsonata.limits import too_large
from genomics_pipeline.language.jsonata.messages import JsonataError
from genomics_pipeline.language.jsonata.regular_expressions import Matcher
from genomics_pipeline.language.jsonata.values import NULL, with_nulls
from genomics_pipeline.model import quotas

_ALGORITHMS = {"SHA-1": "sha1", "SHA-384": "sha384", "SHA-256": "sha256", "SHA-512": "sha512", "MD5": "md5"}


def partition(items: Any = None, size: float | None = None) -> Any:
    """Evaluate ``$partition(array, size)``: consecutive parts, one without a size; nothing for no items or size 0."""
    if items is None:
        return None
    if not isinstance(items, list):
        raise JsonataError("T0412", index=1, type=None)
    if size is None:
        return [list(items)]
    if size < 0 and int(size):
        raise JsonataError("D3137", message="Second argument must be zero or greater")
    step = int(size)
    return [list(items[start : start + step]) for start in range(0, len(items), step)] or None if step else None


def range_(first: float | None, last: float | None, step: float | None = None) -> Any:
    """Evaluate ``$range(first, last, step)``: a sequence of integers that includes both ends."""
    if first is None or last is None or step is None or not int(step):
        return None
    values = range(int(first), int(last) + (1 if step > 0 else -1), int(step))
    if (values.stop - values.start) // values.step > quotas.JSONATA_RANGE.value:
        raise too_large()
    return Utils.create_sequence_from_iter(values)


def hash_(text: str | None, *algorithm: str | None) -> str | None:
    """Evaluate ``$hash(text, algorithm)`` of the text in UTF-8, in hexadecimal."""
    if text is None or not algorithm:
        return None
    if algorithm[0] not in _ALGORITHMS:
        name = "null" if algorithm[0] is None else algorithm[0]
        raise JsonataError("D3137", message=f"Hash algorithm '{name}' must be one of {', '.join(_ALGORITHMS)}")
    return hashlib.new(_ALGORITHMS[algorithm[0]], text.encode(), usedforsecurity=False).hexdigest()


def random(seed: float | None = None) -> float:
    """Evaluate ``$random(seed?)``: from 0 to below 1; with a seed, the first double of java.util.Random."""
    if seed is None:
        return evaluation_host().random()
    state = (int(seed) ^ 0x5DEECE66D) % 2**48
    high = state = (state * 0x5DEECE66D + 11) % 2**48
    low = (state * 0x5DEECE66D + 11) % 2**48
    return ((high >> 22 << 27) + (low >> 21)) / 2**53


def uuid() -> str:
    """Evaluate ``$uuid()``: a version 4 UUID."""
    return evaluation_host().uuid()


def parse_json(text: str | None = None) -> Any:
    """Evaluate ``$parse(text)`` of a JSON text without duplicate names and numbers that are too large."""
    if text is None:
        return None
    try:
        return with_nulls(json.loads(text, object_pairs_hook=_members, parse_float=_finite, parse_constant=_finite))
    except (ValueError, RecursionError):
        raise JsonataError("D3137", message="Invalid JSON") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("Duplicate field")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"Number out of range: {text}")
    return int(number) if number.is_integer() else number


class _StrictSignature(Signature):  # type: ignore[misc]
    """The library's check of arguments, corrected to distinguish null from nothing."""

    def get_symbol(self, value: Any) -> str:
        if isinstance(value, Matcher):
            return "f"
        return "l" if value is NULL else str(super().get_symbol(value))

    def throw_validation_error(self, bad_args: Any, bad_sig: str, function_name: str) -> NoReturn:
        good, pattern = 0, "^"
        for param in self._params:
            pattern += param.regex
            match = re.match(pattern, bad_sig)
            if not match:
                break
            good = match.end()
        raise JsonataError("T0410", index=good + 1)


class AddedFunction(Jsonata.JFunction):  # type: ignore[misc]
    """A function of Step Functions, which distinguishes an omitted argument from one that is nothing."""

    def __init__(self, name: str, kinds: str, required: int, function: Callable[..., Any]) -> None:
        self.signature = _StrictSignature(
            "<" + "".join(kind + "?" * (at >= required) for at, kind in enumerate(kinds)) + ">", name
        )
        self.function_name = name
        self._kinds, self._required, self._function = kinds, required, function

    def validate(self, args: list[Any], context: Any) -> list[Any]:
        """Return the arguments unchanged.

        Raises:
            JException: ``T0410``, for the first one of the wrong type.
        """
        for index, (argument, kind) in enumerate(zip(args, self._kinds, strict=False), 1):
            if argument is not None and kind != "x" and self.signature.get_symbol(argument) != kind:
                raise JsonataError("T0410", index=index, token=self.function_name)
        if not self._required <= len(args) <= len(self._kinds):
            raise JsonataError("T0410", index=min(len(args), len(self._kinds)) + 1, token=self.function_name)
        return args

    def call(self, focus: Any, args: list[Any]) -> Any:
        """Return the value of a call."""
        return self._function(*args)

    def get_number_of_args(self) -> int:
        """Return the number of parameters."""
        return len(self._kinds)


def _with_strict_signature(function: Any) -> Any:
    function = copy.copy(function)
    function.signature = copy.copy(function.signature)
    function.signature.__class__ = _StrictSignature
    return function


def function_bindings() -> dict[str, Any]:
    """Return the functions by name; ``$eval`` is None, as it does not exist on AWS."""
    added = [
        AddedFunction("partition", "xn", 0, partition),
        AddedFunction("range", "nnn", 2, range_),
        AddedFunction("hash", "ss", 1, hash_),
        AddedFunction("random", "n", 0, random),
        AddedFunction("uuid", "", 0, uuid),
        AddedFunction("parse", "s", 0, parse_json),
    ]
    corrected = {
        name: Jsonata.function(name, signature, Corrections, method) for name, (signature, method) in SIGNATURES.items()
    }
    own = {
        name: _with_strict_signature(function) for name, function in (Jsonata.static_frame.bindings | corrected).items()
    }
    return own | {function.function_name: function for function in added} | {"eval": None}

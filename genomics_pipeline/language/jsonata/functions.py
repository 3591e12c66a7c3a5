"""The functions that Step Functions adds to JSONata, and all that is bound in every expression.

What they do with each argument was measured on AWS (TestState) by floci-io/floci (JsonataEvaluatorTest.java) and by
the tests of sfnx, which agree; the developer guide's "Transforming data with JSONata" names them.
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
from genomics_pipeline.language.jsonata.messages import Thrown
from genomics_pipeline.language.jsonata.regular_expressions import Matcher
from genomics_pipeline.language.jsonata.values import NULL, with_nulls
from genomics_pipeline.model import quotas

_ALGORITHMS = {"SHA-1": "sha1", "SHA-384": "sha384", "SHA-256": "sha256", "SHA-512": "sha512", "MD5": "md5"}


def partition(items: Any = None, size: float | None = None) -> Any:
    """Evaluate ``$partition(array, size)``: consecutive parts; without a size, one; of none, or of size 0, nothing."""
    if items is None:
        return None
    if not isinstance(items, list):
        raise Thrown("T0412", index=1, type=None)
    if size is None:
        return [list(items)]
    if size < 0 and int(size):
        raise Thrown("D3137", message="Second argument must be zero or greater")
    step = int(size)
    return [list(items[start : start + step]) for start in range(0, len(items), step)] or None if step else None


def numbers(first: float | None, last: float | None, step: float | None = None) -> Any:
    """Evaluate ``$range(first, last, step)``: whole numbers, both ends included; a sequence, as a path gives."""
    if first is None or last is None or step is None or not int(step):
        return None
    found = range(int(first), int(last) + (1 if step > 0 else -1), int(step))
    if (found.stop - found.start) // found.step > quotas.JSONATA_RANGE.value:
        raise too_large()
    return Utils.create_sequence_from_iter(found)


def digest(text: str | None, *algorithm: str | None) -> str | None:
    """Evaluate ``$hash(text, algorithm)``: of its UTF-8, in hexadecimal."""
    if text is None or not algorithm:
        return None
    if algorithm[0] not in _ALGORITHMS:
        name = "null" if algorithm[0] is None else algorithm[0]
        raise Thrown("D3137", message=f"Hash algorithm '{name}' must be one of {', '.join(_ALGORITHMS)}")
    return hashlib.new(_ALGORITHMS[algorithm[0]], text.encode(), usedforsecurity=False).hexdigest()


def number(seed: float | None = None) -> float:
    """Evaluate ``$random(seed?)``: at least 0, less than 1; with a seed, what java.util.Random gives for it."""
    if seed is None:
        return evaluation_host().random()
    state = (int(seed) ^ 0x5DEECE66D) % 2**48
    high = state = (state * 0x5DEECE66D + 11) % 2**48
    low = (state * 0x5DEECE66D + 11) % 2**48
    return ((high >> 22 << 27) + (low >> 21)) / 2**53


def unique() -> str:
    """Evaluate ``$uuid()``: a version 4 UUID."""
    return evaluation_host().uuid()


def parse(text: str | None = None) -> Any:
    """Evaluate ``$parse(text)``: the value of a JSON text, in which no name is twice and no number is too large."""
    if text is None:
        return None
    try:
        return with_nulls(json.loads(text, object_pairs_hook=_members, parse_float=_finite, parse_constant=_finite))
    except (ValueError, RecursionError):
        raise Thrown("D3137", message="Invalid JSON") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("Duplicate field")
    return found


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"Number out of range: {text}")
    return int(found) if found.is_integer() else found


class _Strict(Signature):  # type: ignore[misc]
    """The library's check of arguments, to which null is not nothing."""

    def get_symbol(self, value: Any) -> str:
        if isinstance(value, Matcher):
            return "f"
        return "l" if value is NULL else str(super().get_symbol(value))

    def throw_validation_error(self, bad_args: Any, bad_sig: str, function_name: str) -> NoReturn:
        good, pattern = 0, "^"
        for param in self._params:
            pattern += param.regex
            found = re.match(pattern, bad_sig)
            if not found:
                break
            good = found.end()
        raise Thrown("T0410", index=good + 1)


class Added(Jsonata.JFunction):  # type: ignore[misc]
    """A function that knows which arguments it was given: one left out is not one that is nothing."""

    def __init__(self, name: str, kinds: str, required: int, function: Callable[..., Any]) -> None:
        self.signature = _Strict(
            "<" + "".join(kind + "?" * (at >= required) for at, kind in enumerate(kinds)) + ">", name
        )
        self.function_name = name
        self._kinds, self._required, self._function = kinds, required, function

    def validate(self, args: list[Any], context: Any) -> list[Any]:
        """Return the arguments as they are.

        Raises:
            JException: ``T0410``, the first that does not fit.
        """
        for place, (argument, kind) in enumerate(zip(args, self._kinds, strict=False), 1):
            if argument is not None and kind != "x" and self.signature.get_symbol(argument) != kind:
                raise Thrown("T0410", index=place, token=self.function_name)
        if not self._required <= len(args) <= len(self._kinds):
            raise Thrown("T0410", index=min(len(args), len(self._kinds)) + 1, token=self.function_name)
        return args

    def call(self, focus: Any, args: list[Any]) -> Any:
        """Return the value."""
        return self._function(*args)

    def get_number_of_args(self) -> int:
        """Return how many it takes."""
        return len(self._kinds)


def _strict(function: Any) -> Any:
    function = copy.copy(function)
    function.signature = copy.copy(function.signature)
    function.signature.__class__ = _Strict
    return function


def bindings() -> dict[str, Any]:
    """Return what is bound in every expression; ``$eval`` does not exist on AWS."""
    added = [
        Added("partition", "xn", 0, partition),
        Added("range", "nnn", 2, numbers),
        Added("hash", "ss", 1, digest),
        Added("random", "n", 0, number),
        Added("uuid", "", 0, unique),
        Added("parse", "s", 0, parse),
    ]
    corrected = {
        name: Jsonata.function(name, signature, Corrections, method) for name, (signature, method) in SIGNATURES.items()
    }
    own = {name: _strict(function) for name, function in (Jsonata.static_frame.bindings | corrected).items()}
    return own | {function.function_name: function for function in added} | {"eval": None}

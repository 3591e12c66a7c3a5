"""Types of the values of ``…Path`` fields, and AWS's causes for other values."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model.json_text import compact

TEXTS = frozenset({"Error", "Cause"})  # of a Fail state, whose ErrorPath and CausePath may be intrinsic functions
_NATURALS = frozenset(
    {
        "TimeoutSeconds",
        "HeartbeatSeconds",
        "MaxConcurrency",
        "MaxItemsPerBatch",
        "MaxInputBytesPerBatch",
        "ToleratedFailureCount",
    }
)
_WHOLE = re.compile(r"-?\d{1,19}")
_LONG = 2**63  # AWS's integers have 64 bits
_FLOAT = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)
_OFFSET_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)")


def coerce(name: str, text: str, value: Any) -> Any:
    """Return a value as the field's type; a number may be given as text.

    >>> coerce("Seconds", "$.delay", "1")
    1

    Args:
        name: The field, without ``Path``.
        text: The path.
        value: The path's value.

    Raises:
        StatesError: ``States.Runtime``.
    """
    if name == "Seconds":
        return _seconds(text, value)
    if name == "Timestamp":
        return _timestamp(text, value)
    if name == "Items":
        if not isinstance(value, list | dict):
            raise StatesError(RUNTIME, f'Reference path "{text}" must point to array.', evaluation_failed=False)
        return value
    if name in TEXTS:
        if not isinstance(value, str):
            raise StatesError(
                RUNTIME, f"The {name}Path parameter does not reference a string: {_describe(text, value)}"
            )
        return value
    if name == "ToleratedFailurePercentage":
        return _percentage(text, value)
    return _natural(name, text, value) if name in _NATURALS else value


def parse_integer(value: Any) -> int | None:
    """Return an integer of at most 64 bits, or a text of one, as an integer; None for any other value.

    >>> [parse_integer(value) for value in (1, "-1", 1.0, True, "one", 2**63)]
    [1, -1, None, None, None, None]
    """
    number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
    return number if type(number) is int and -_LONG <= number < _LONG else None


def _seconds(text: str, value: Any) -> int:
    seconds = parse_integer(value)
    if seconds is None:
        raise StatesError(
            RUNTIME, f"The SecondsPath parameter cannot be parsed as a long value: {_describe(text, value)}"
        )
    if seconds < 0:
        raise StatesError(RUNTIME, f"The SecondsPath parameter references a negative value: {_describe(text, value)}")
    return seconds


def _timestamp(text: str, value: Any) -> str:
    try:
        if isinstance(value, str) and _OFFSET_DATE_TIME.fullmatch(value):
            datetime.fromisoformat(value)
            return value
    except ValueError:
        pass  # no such day or hour
    raise StatesError(
        RUNTIME,
        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
        f"{_describe(text, value)}",
    )


def _natural(name: str, text: str, value: Any) -> int:
    number = parse_integer(value)
    if number is None:
        raise _wrong_kind(name, text, value, "integer")
    if number < 0:
        if name == "ToleratedFailureCount":
            raise StatesError(RUNTIME, "ToleratedFailureCount cannot be negative.")
        raise StatesError(RUNTIME, f"Expected non-negative integer for {name}, got '{number}' instead.")
    return number


def _percentage(text: str, value: Any) -> float:
    number = value
    if isinstance(value, str):
        number = float(value) if _FLOAT.fullmatch(value) else None
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise _wrong_kind("ToleratedFailurePercentage", text, value, "float")
    if not 0 <= number <= 100:
        raise StatesError(RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")
    return number


def _wrong_kind(name: str, text: str, value: Any, kind: str) -> StatesError:
    return StatesError(
        RUNTIME, f'The {name}Path field refers to value "{_display(value)}" which is not a valid {kind}: {text}'
    )


def _describe(text: str, value: Any) -> str:
    return f"{text} == {_display(value)}"


def _display(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)

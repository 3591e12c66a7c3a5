"""The kinds of values that ``…Path`` fields must lead to, and AWS's causes where they do not."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model.json_text import compact

TEXTS = frozenset({"Error", "Cause"})  # of Fail; their paths may be intrinsic functions
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
_WHOLE = re.compile(r"-?\d+")
_OFFSET_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)")


def checked(name: str, text: str, value: Any) -> Any:
    """Return the value, if it is of the field's kind; numbers may be written as text.

    >>> checked("Seconds", "$.delay", "1")
    1

    Args:
        name: The field, without ``Path``.
        text: The path.
        value: What it leads to.

    Raises:
        StatesError: ``States.Runtime``.
    """
    if name == "Seconds":
        return _seconds(text, value)
    if name == "Timestamp":
        return _timestamp(text, value)
    if name == "Items":
        if not isinstance(value, list):
            raise StatesError(RUNTIME, f'Reference path "{text}" must point to array.', evaluating=False)
        return value
    if name in TEXTS:
        if not isinstance(value, str):
            raise StatesError(RUNTIME, f"The {name}Path parameter does not reference a string: {_equals(text, value)}")
        return value
    if name == "ToleratedFailurePercentage":
        return _percentage(text, value)
    return _natural(name, text, value) if name in _NATURALS else value


def whole(value: Any) -> int | None:
    """Return the whole number that a value is, or says; None if it is no such number.

    >>> [whole(value) for value in (1, "-1", 1.0, True, "one")]
    [1, -1, None, None, None]
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def _seconds(text: str, value: Any) -> int:
    seconds = whole(value)
    if seconds is None:
        raise StatesError(
            RUNTIME, f"The SecondsPath parameter cannot be parsed as a long value: {_equals(text, value)}"
        )
    if seconds < 0:
        raise StatesError(RUNTIME, f"The SecondsPath parameter references a negative value: {_equals(text, value)}")
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
        f"{_equals(text, value)}",
    )


def _natural(name: str, text: str, value: Any) -> int:
    number = whole(value)
    if number is None:
        raise _refers(name, text, value, "integer")
    if number < 0:
        if name == "ToleratedFailureCount":
            raise StatesError(RUNTIME, "ToleratedFailureCount cannot be negative.")
        raise StatesError(RUNTIME, f"Expected non-negative integer for {name}, got '{number}' instead.")
    return number


def _percentage(text: str, value: Any) -> float:
    number = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise _refers("ToleratedFailurePercentage", text, value, "float")
    if not 0 <= number <= 100:
        raise StatesError(RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")
    return number


def _refers(name: str, text: str, value: Any, kind: str) -> StatesError:
    return StatesError(
        RUNTIME, f'The {name}Path field refers to value "{_shown(value)}" which is not a valid {kind}: {text}'
    )


def _equals(text: str, value: Any) -> str:
    return f"{text} == {_shown(value)}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)

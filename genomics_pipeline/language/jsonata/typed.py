"""The types that fields of a JSONata state must evaluate to.

The sentences were recorded on AWS: gabrielmoreira/tiny-asl-machine, tests/conformance/cases/.snapshots/aws,
Feature.JSONataValidation-007, -008 and -010; localstack/localstack, test_base_scenarios.snapshot.json (Items).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.language.errors import QUERY_EVALUATION, StatesError
from genomics_pipeline.language.timestamps import parse_timestamp
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact


@dataclass(frozen=True, slots=True)
class Kind:
    """The values that a field takes.

    Attributes:
        names: JSON types; the first is the one that the sentence names.
        whole: Whether a number must be whole.
        low: The least number.
        high: The greatest number; None for no bound.
    """

    names: tuple[str, ...]
    whole: bool = False
    low: int = 0
    high: int | None = None


_STRING = Kind(("string",))
_SECONDS = Kind(("number",), whole=True, high=quotas.SECONDS.value)
_COUNT = Kind(("number",), whole=True)

# By the name of the field; a field that is not here takes any JSON value.
FIELDS = {
    "TimeoutSeconds": _SECONDS,
    "HeartbeatSeconds": _SECONDS,
    "Seconds": _COUNT,  # beyond 99999999 only a literal is refused (iwamot/sfnx, tests/test_testing.py)
    "Timestamp": _STRING,
    "Condition": Kind(("boolean",)),
    "Error": _STRING,
    "Cause": _STRING,
    "RoleArn": _STRING,
    "Items": Kind(("array", "object")),
    "MaxConcurrency": _COUNT,
    "ToleratedFailureCount": _COUNT,
    "ToleratedFailurePercentage": Kind(("number",), high=100),
    "MaxItemsPerBatch": _COUNT,
    "MaxInputBytesPerBatch": _COUNT,
    "MaxItems": _COUNT,
}


def typed(value: Any, kind: Kind, text: str, field: str) -> Any:
    """Return the value of an expression, if it is of that kind.

    >>> typed(3, FIELDS["TimeoutSeconds"], "1 + 2", "TimeoutSeconds")
    3

    Args:
        value: What the expression evaluates to.
        kind: What the field takes.
        text: The expression.
        field: The path to the field: ``ItemBatcher/MaxItemsPerBatch``.

    Raises:
        StatesError: ``States.QueryEvaluationError``.
    """
    name = type_name(value)
    if name not in kind.names:
        raise _failure(
            f"The JSONata expression '{text}' specified for the field '{field}' returned an unexpected result type. "
            f"Expected '{kind.names[0]}', but was '{name}' for value: {compact(value)}"
        )
    short = field.rpartition("/")[2]
    if short == "Timestamp" and parse_timestamp(value) is None:
        words = "The Timestamp parameter does not reference a valid ISO-8601 extended offset date-time format string"
        raise _failure(f"{words}: {text} == {value}")
    if name != "number":
        return value
    if kind.whole and value != int(value):
        raise _failure(f"The {short} field cannot be parsed as an integer: {compact(value)}")
    if value < kind.low or (kind.high is not None and value > kind.high):
        high = quotas.SECONDS.value if kind.high is None else kind.high
        raise _failure(f"{short} must be between {kind.low} and {high} but was: {compact(value)}")
    return int(value) if kind.whole else value


def type_name(value: Any) -> str:
    """Return the type of a JSON value.

    >>> [type_name(value) for value in (None, True, 1, 1.5, "a", [], {})]
    ['null', 'boolean', 'number', 'number', 'string', 'array', 'object']
    """
    for kind, name in ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "null"


def _failure(cause: str) -> StatesError:
    return StatesError(QUERY_EVALUATION, cause)

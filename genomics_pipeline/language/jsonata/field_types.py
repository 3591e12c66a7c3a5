"""Types of the values that expressions in the fields of a JSONata state must return.

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
class FieldType:
    """The type of a field's value.

    Attributes:
        names: The JSON types that it accepts; AWS's sentence names the first.
        whole: True if a number must be an integer.
        low: The least number.
        high: The greatest number; None for no limit.
    """

    names: tuple[str, ...]
    whole: bool = False
    low: int = 0
    high: int | None = None


_STRING = FieldType(("string",))
_SECONDS = FieldType(("number",), whole=True, high=quotas.SECONDS.value)
_COUNT = FieldType(("number",), whole=True)

# By field name; any other field accepts every JSON value.
FIELDS = {
    "TimeoutSeconds": _SECONDS,
    "HeartbeatSeconds": _SECONDS,
    "Seconds": _COUNT,  # AWS refuses more than 99999999 only in a literal (iwamot/sfnx, tests/test_testing.py)
    "Timestamp": _STRING,
    "Condition": FieldType(("boolean",)),
    "Error": _STRING,
    "Cause": _STRING,
    "RoleArn": _STRING,
    "Items": FieldType(("array", "object")),
    "MaxConcurrency": _COUNT,
    "ToleratedFailureCount": _COUNT,
    "ToleratedFailurePercentage": FieldType(("number",), high=100),
    "MaxItemsPerBatch": _COUNT,
    "MaxInputBytesPerBatch": _COUNT,
    "MaxItems": _COUNT,
}


def coerce(value: Any, field_type: FieldType, text: str, field: str) -> Any:
    """Return the value of an expression as a field's type.

    >>> coerce(3, FIELDS["TimeoutSeconds"], "1 + 2", "TimeoutSeconds")
    3

    Args:
        value: The value of the expression.
        field_type: The field's type.
        text: The expression.
        field: The path to the field: ``ItemBatcher/MaxItemsPerBatch``.

    Raises:
        StatesError: ``States.QueryEvaluationError``.
    """
    name = type_name(value)
    if name not in field_type.names:
        raise _failure(
            f"The JSONata expression '{text}' specified for the field '{field}' returned an unexpected result type. "
            f"Expected '{field_type.names[0]}', but was '{name}' for value: {compact(value)}"
        )
    short = field.rpartition("/")[2]
    if short == "Timestamp" and parse_timestamp(value) is None:
        words = "The Timestamp parameter does not reference a valid ISO-8601 extended offset date-time format string"
        raise _failure(f"{words}: {text} == {value}")
    if name != "number":
        return value
    if field_type.whole and value != int(value):
        raise _failure(f"The {short} field cannot be parsed as an integer: {compact(value)}")
    if value < field_type.low or (field_type.high is not None and value > field_type.high):
        high = quotas.SECONDS.value if field_type.high is None else field_type.high
        raise _failure(f"{short} must be between {field_type.low} and {high} but was: {compact(value)}")
    return int(value) if field_type.whole else value


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

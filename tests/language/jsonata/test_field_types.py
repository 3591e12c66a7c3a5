"""Types of fields' values, and AWS's sentences for other values."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonata.field_types import FIELDS, coerce


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("TimeoutSeconds", 3, 3),
        ("TimeoutSeconds", 3.0, 3),
        ("Seconds", 100_000_000, 100_000_000),
        ("ToleratedFailurePercentage", 12.5, 12.5),
        ("Condition", False, False),
        ("Items", [], []),
        ("Items", {"a": 1}, {"a": 1}),
        ("Cause", "", ""),
    ],
)
def test_values_of_the_right_type(field: str, value: Any, expected: Any) -> None:
    assert coerce(value, FIELDS[field], "x", field) == expected


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        # recorded: gabrielmoreira/tiny-asl-machine, Feature.JSONataValidation-007, -008, -010
        (
            "TimeoutSeconds",
            "3",
            "The JSONata expression '$x' specified for the field 'TimeoutSeconds' returned an unexpected result type. "
            "Expected 'number', but was 'string' for value: \"3\"",
        ),
        ("TimeoutSeconds", -1, "TimeoutSeconds must be between 0 and 99999999 but was: -1"),
        ("TimeoutSeconds", 1.6, "The TimeoutSeconds field cannot be parsed as an integer: 1.6"),
        # recorded: localstack/localstack, test_base_scenarios.snapshot.json
        (
            "Items",
            1,
            "The JSONata expression '$x' specified for the field 'Items' returned an unexpected result type. "
            "Expected 'array', but was 'number' for value: 1",
        ),
        (
            "Items",
            None,
            "The JSONata expression '$x' specified for the field 'Items' returned an unexpected result type. "
            "Expected 'array', but was 'null' for value: null",
        ),
        (
            "Choices[0]/Condition",
            {"a": [1]},
            "The JSONata expression '$x' specified for the field 'Choices[0]/Condition' returned an unexpected result "
            "type. Expected 'boolean', but was 'object' for value: {\"a\":[1]}",
        ),
        ("ItemBatcher/MaxItemsPerBatch", 0.5, "The MaxItemsPerBatch field cannot be parsed as an integer: 0.5"),
        # AWS's words for a TimestampPath: localstack/localstack, test_wait.snapshot.json
        *(
            (
                "Timestamp",
                timestamp,
                "The Timestamp parameter does not reference a valid ISO-8601 extended offset date-time format string: "
                f"$x == {timestamp}",
            )
            for timestamp in ("soon", "2030-01-01", "2030-02-30T00:00:00Z")
        ),
        ("ToleratedFailurePercentage", 101, "ToleratedFailurePercentage must be between 0 and 100 but was: 101"),
    ],
)
def test_values_of_another_type(field: str, value: Any, cause: str) -> None:
    with pytest.raises(StatesError) as raised:
        coerce(value, FIELDS[field.rpartition("/")[2]], "$x", field)
    assert (raised.value.error, raised.value.cause) == ("States.QueryEvaluationError", cause)

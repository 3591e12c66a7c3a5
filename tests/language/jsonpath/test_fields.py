"""The fields of JSONPath states, in the order in which AWS applies them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.host import NO_HOST, Host
from genomics_pipeline.language.jsonpath.fields import JsonPathFields
from genomics_pipeline.language.query_language import QueryLanguage

FIELDS: QueryLanguage = JsonPathFields()


@dataclass
class Scope:
    """The data of one state; an implementation of `StateScope`."""

    state: Mapping[str, Any]
    raw: Any
    variables: Mapping[str, Any] = field(default_factory=dict)
    input: Any = None
    name: str = "S"
    host: Host = NO_HOST

    def context(self, item: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {"State": {"Name": "S"}} | ({"Map": item} if item else {})


def visit(state: Mapping[str, Any], raw: Any, **variables: Any) -> Scope:
    scope = Scope(state, raw, variables)
    scope.input = FIELDS.input(scope)
    return scope


def outcome_without_result(state: Mapping[str, Any], raw: Any, **variables: Any) -> tuple[Any, Mapping[str, Any]]:
    scope = visit(state, raw, **variables)
    return FIELDS.outcome_without_result(scope, state, "")


def failure(state: Mapping[str, Any], name: str, value: Any) -> tuple[str, str | None]:
    scope = visit(state, value)
    with pytest.raises(StatesError) as raised:
        FIELDS.field(scope, state, name, "", None)
    return raised.value.error, raised.value.cause


# radkawar/stackd testdata/aws/stepfunctions/dataflow_execution.json: test-pass-*
@pytest.mark.parametrize(
    ("state", "raw", "output"),
    [
        (
            {
                "InputPath": "$.payload",
                "Parameters": {"chosen.$": "$.n"},
                "ResultPath": "$.merged",
                "OutputPath": "$",
            },
            {"payload": {"n": 4}, "keep": "original"},
            {"payload": {"n": 4}, "keep": "original", "merged": {"chosen": 4}},
        ),
        ({"InputPath": None}, {"keep": 1}, {}),
        ({"Result": 99, "ResultPath": None}, {"keep": 1}, {"keep": 1}),
        ({"OutputPath": None}, {"keep": 1}, {}),
        ({"Result": None}, {"keep": 1}, {"keep": 1}),
        ({"Result": {"a.$": "$.b"}}, {}, {"a.$": "$.b"}),
        ({}, {"keep": 1}, {"keep": 1}),
        ({"InputPath": "$$"}, {"keep": 1}, {"State": {"Name": "S"}}),  # localstack context_object: test_input_path[$$]
        ({"OutputPath": "$$.State.Name"}, {"keep": 1}, "S"),
    ],
)
def test_pass(state: dict[str, Any], raw: Any, output: Any) -> None:
    assert outcome_without_result({"Type": "Pass", **state}, raw) == (output, {})


@pytest.mark.parametrize("kind", ["Wait", "Succeed", "Choice"])
def test_states_without_a_result(kind: str) -> None:
    state = {"Type": kind, "InputPath": "$.a", "OutputPath": "$.b", "ResultPath": "$.no", "Parameters": {"no": 1}}
    assert outcome_without_result(state, {"a": {"b": 5}}) == (5, {})


# localstack assign/statemachines: base_assign_from_result, _from_parameters, _evaluation_order_pass_state, _in_choice
def test_assign_of_a_pass_reads_its_result() -> None:
    state = {"Type": "Pass", "Result": {"answer": 42}, "ResultPath": "$.r", "Assign": {"theAnswer.$": "$.answer"}}
    assert outcome_without_result(state, {}) == ({"r": {"answer": 42}}, {"theAnswer": 42})
    state = {"Type": "Pass", "Parameters": {"input": "PENDING"}, "Assign": {"result.$": "$.input"}}
    assert outcome_without_result(state, {}, kept=1) == ({"input": "PENDING"}, {"result": "PENDING", "kept": 1})


def test_output_path_reads_the_variables_before_assign() -> None:
    state = {
        "Type": "Pass",
        "InputPath": "$answer",
        "ResultPath": "$.theAnswer",
        "OutputPath": "$answer",
        "Assign": {"answer": "<omitted>", "old.$": "$answer"},
    }
    assert outcome_without_result(state, {"q": 1}, answer=42) == (42, {"answer": "<omitted>", "old": 42})


def test_a_choice_rule_assigns_over_the_effective_input() -> None:
    state = {"Type": "Choice", "InputPath": "$.in", "OutputPath": "$.x"}
    scope = visit(state, {"in": {"x": 1}})
    rule = {"Variable": "$.x", "NumericEquals": 1, "Next": "N", "Assign": {"seen.$": "$.x"}}
    assert FIELDS.outcome_without_result(scope, rule, "Choices[0]/") == (1, {"seen": 1})


def test_the_selected_result_is_placed_in_the_raw_input() -> None:
    # stackd dataflow_execution.json: pipeline-sequencing
    state = {
        "Type": "Parallel",
        "InputPath": "$.envelope.payload",
        "Parameters": {"n.$": "$.n", "parentState.$": "$$.State.Name"},
        "ResultSelector": {"first.$": "$[0]", "second.$": "$[1]"},
        "ResultPath": "$.envelope.merged",
        "OutputPath": "$.envelope",
        "Assign": {"got.$": "$.first"},
    }
    scope = visit(state, {"case": "Pipeline", "envelope": {"payload": {"n": 7}, "keep": "original"}})
    assert FIELDS.arguments(scope, state, "", scope.input) == {"n": 7, "parentState": "S"}
    output, variables = FIELDS.outcome_with_result(scope, [8, 14])
    assert output == {"payload": {"n": 7}, "keep": "original", "merged": {"first": 8, "second": 14}}
    assert variables == {"got": 8}


def test_without_paths_the_output_is_the_result() -> None:
    assert FIELDS.outcome_with_result(visit({"Type": "Task"}, {"a": 1}), "result") == ("result", {})
    assert FIELDS.outcome_with_result(visit({"Type": "Task", "ResultPath": None}, {"a": 1}), "result") == ({"a": 1}, {})


def test_a_catcher_places_the_error_output() -> None:
    state = {"Type": "Task", "InputPath": "$.in", "OutputPath": "$.nowhere"}
    scope = visit(state, {"in": 1}, kept=1)
    error = {"Error": "E", "Cause": "C"}
    assert FIELDS.outcome_of_catcher(scope, error, {"Next": "N"}, "Catch[0]/") == (error, {"kept": 1})
    catcher = {"ResultPath": "$.error", "Assign": {"why.$": "$.Cause"}}
    assert FIELDS.outcome_of_catcher(scope, error, catcher, "Catch[0]/") == (
        {"in": 1, "error": error},
        {"kept": 1, "why": "C"},
    )
    assert FIELDS.outcome_of_catcher(scope, error, {"ResultPath": None}, "Catch[0]/") == ({"in": 1}, {"kept": 1})


def test_arguments_without_parameters_are_the_default() -> None:
    scope = visit({"Type": "Task"}, {"a": 1})
    assert FIELDS.arguments(scope, scope.state, "", scope.input) == {"a": 1}
    node = {"Parameters": {"Bucket": "b", "Key.$": "$.a"}}
    assert FIELDS.arguments(scope, node, "ItemReader/", None) == {"Bucket": "b", "Key": 1}


def test_templates_read_the_item() -> None:
    scope = visit({"Type": "Map"}, {"a": 1})
    template = {"all.$": "$.a", "one.$": "$$.Map.Item.Value"}
    assert FIELDS.template(scope, template, "ItemSelector", {"Item": {"Index": 0, "Value": 9}}) == {"all": 1, "one": 9}
    assert FIELDS.template(scope, {"all.$": "$.a"}, "ItemBatcher/BatchInput", None) == {"all": 1}


def test_literal_fields_are_not_evaluated() -> None:
    scope = visit({"Type": "Fail", "Cause": "$.a", "Error": "States.Format('{}', 1)"}, {})
    assert FIELDS.field(scope, scope.state, "Cause", "", "") == "$.a"
    assert FIELDS.field(scope, scope.state, "Error", "", "") == "States.Format('{}', 1)"
    assert FIELDS.field(scope, scope.state, "TimeoutSeconds", "", 7) == 7


def test_error_and_cause_may_be_intrinsic() -> None:
    # stackd dataflow_execution.json: test-fail-dynamic-error
    state = {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "States.Format('reason:{}', $.reason)"}
    scope = visit(state, {"error": "Owned.Failure", "reason": "native"})
    assert FIELDS.field(scope, state, "Error", "", "") == "Owned.Failure"
    assert FIELDS.field(scope, state, "Cause", "", "") == "reason:native"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Seconds", 5, 5),
        ("Seconds", "1", 1),  # stackd: test-wait-invalid-seconds-type, history-wait-type-error
        ("Timestamp", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        # localstack base/test_wait: test_wait_timestamppath[.0000000Z]
        ("Timestamp", "2024-01-01T00:00:00.0000000Z", "2024-01-01T00:00:00.0000000Z"),
        ("Timestamp", "2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00+02:00"),
        ("Items", [1], [1]),
        ("MaxConcurrency", "3", 3),
        ("ToleratedFailureCount", 0, 0),
        ("ToleratedFailurePercentage", 12.5, 12.5),
        ("ToleratedFailurePercentage", "12.5", 12.5),
        ("ToleratedFailurePercentage", " 1.e1 ", 10.0),
        ("TimeoutSeconds", 2**63 - 1, 2**63 - 1),
        ("StringEquals", {"any": 1}, {"any": 1}),
    ],
)
def test_path_fields(name: str, value: Any, expected: Any) -> None:
    state = {"Type": "Any", f"{name}Path": "$.x"}
    assert FIELDS.field(visit(state, {"x": value}), state, name, "", None) == expected


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("Seconds", 1.5, "The SecondsPath parameter cannot be parsed as a long value: $.x == 1.5"),
        ("Seconds", True, "The SecondsPath parameter cannot be parsed as a long value: $.x == true"),
        ("Seconds", -1, "The SecondsPath parameter references a negative value: $.x == -1"),
        # localstack base/test_wait: test_wait_timestamppath[]
        (
            "Timestamp",
            "2024-01-01T00:00:00",
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
            "$.x == 2024-01-01T00:00:00",
        ),
        (
            "Timestamp",
            "2024-02-31T00:00:00Z",
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
            "$.x == 2024-02-31T00:00:00Z",
        ),
        # stackd dataflow_execution.json: map-null, map-wrong-type
        ("Items", None, 'Reference path "$.x" must point to array.'),
        ("Items", 1, 'Reference path "$.x" must point to array.'),
        # localstack scenarios: test_map_state_tolerated_failure_count_path, _percentage_path
        (
            "ToleratedFailureCount",
            {},
            'The ToleratedFailureCountPath field refers to value "{}" which is not a valid integer: $.x',
        ),
        (
            "ToleratedFailureCount",
            "NoNumber",
            'The ToleratedFailureCountPath field refers to value "NoNumber" which is not a valid integer: $.x',
        ),
        ("ToleratedFailureCount", -1, "ToleratedFailureCount cannot be negative."),
        (
            "ToleratedFailurePercentage",
            {},
            'The ToleratedFailurePercentagePath field refers to value "{}" which is not a valid float: $.x',
        ),
        (
            "ToleratedFailurePercentage",
            "NoNumber",
            'The ToleratedFailurePercentagePath field refers to value "NoNumber" which is not a valid float: $.x',
        ),
        ("ToleratedFailurePercentage", -1.1, "ToleratedFailurePercentage must be between 0 and 100."),
        ("ToleratedFailurePercentage", 101, "ToleratedFailurePercentage must be between 0 and 100."),
        ("MaxConcurrency", [], 'The MaxConcurrencyPath field refers to value "[]" which is not a valid integer: $.x'),
        (
            "MaxConcurrency",
            "9" * 5000,
            f'The MaxConcurrencyPath field refers to value "{"9" * 5000}" which is not a valid integer: $.x',
        ),
        (
            "TimeoutSeconds",
            10**400,
            f'The TimeoutSecondsPath field refers to value "{10**400}" which is not a valid integer: $.x',
        ),
        (
            "ToleratedFailurePercentage",
            "1_0",
            'The ToleratedFailurePercentagePath field refers to value "1_0" which is not a valid float: $.x',
        ),
        ("MaxConcurrency", -1, "Expected non-negative integer for MaxConcurrency, got '-1' instead."),
        ("Error", 5, "The ErrorPath parameter does not reference a string: $.x == 5"),
    ],
)
def test_path_fields_of_another_type(name: str, value: Any, cause: str) -> None:
    state = {"Type": "Any", f"{name}Path": "$.x"}
    assert failure(state, name, {"x": value}) == ("States.Runtime", cause)


def test_a_path_field_without_a_value() -> None:
    state = {"Type": "Task", "TimeoutSecondsPath": "$.no"}
    assert failure(state, "TimeoutSeconds", {}) == (
        "States.Runtime",
        "Invalid path '$.no' : No results for path: $['no']",
    )
    state = {"Type": "Map", "ItemsPath": "$.items"}
    assert failure(state, "Items", {}) == (
        "States.ReferencePathConflict",
        'Unable to apply step "items" to input {}',
    )

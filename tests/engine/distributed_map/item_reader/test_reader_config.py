"""ReaderConfig: MaxItems as a path or an expression, and both forms of an inventory."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig

INNER = {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    "StartAt": "P",
    "States": {"P": {"Type": "Pass", "End": True}},
}


def run(harness: Any, most: Any, **config: Any) -> Any:
    """Run a Map over as many of three items as the configuration allows; `$.most` is `most`."""
    harness.store.objects = {"s3://b/k": b"1\n2\n3\n"}
    jsonpath = "MaxItemsPath" in config
    state = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "Parameters" if jsonpath else "Arguments": {"Bucket": "b", "Key": "k"},
            "ReaderConfig": {"InputType": "JSONL", **config},
        },
        "ItemProcessor": INNER,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "E"}],
        "End": True,
    }
    states = {"M": state, "E": {"Type": "Succeed"}}
    return harness.run(states, {"most": most}, QueryLanguage="JSONPath" if jsonpath else "JSONata")


@pytest.mark.parametrize(("most", "expected"), [(1, [1]), ("2", [1, 2]), (0, [1, 2, 3]), (100_000_001, [1, 2, 3])])
def test_max_items_may_be_a_path(harness: Any, most: Any, expected: list[int]) -> None:
    assert run(harness, most, MaxItemsPath="$.most").output == expected


# Recorded: localstack/localstack test_base_scenarios test_map_item_reader_csv_max_items_paths
@pytest.mark.parametrize(
    ("most", "cause"),
    [
        (-1, "field MaxItems must be positive"),
        ("-1", "field MaxItems must be positive"),
    ],
)
def test_a_path_to_an_invalid_max_items_fails(harness: Any, most: Any, cause: str) -> None:
    output = run(harness, most, MaxItemsPath="$.most").output
    assert (output["Error"], output["Cause"]) == ("States.ItemReaderFailed", cause)


@pytest.mark.parametrize(("most", "found"), [("many", "many"), (1.5, "1.5"), (True, "true"), (None, "null")])
def test_a_path_to_no_integer_ends_the_execution(harness: Any, most: Any, found: str) -> None:
    cause = f"The MaxItemsPath field refers to value '{found}' which is not a valid integer: $.most"
    result = run(harness, most, MaxItemsPath="$.most")
    assert (result.status, result.error, result.cause) == ("FAILED", "States.Runtime", cause)


# The wording was recorded for other fields: see language/jsonata/typed.py.
@pytest.mark.parametrize(
    ("most", "cause"),
    [
        (1.5, "The MaxItems field cannot be parsed as an integer: 1.5"),
        (-1, "MaxItems must be between 0 and 99999999 but was: -1"),
        (
            "2",
            "The JSONata expression '$states.input.most' specified for the field 'ItemReader/ReaderConfig/MaxItems' "
            "returned an unexpected result type. Expected 'number', but was 'string' for value: \"2\"",
        ),
    ],
)
def test_an_expression_with_an_invalid_max_items_fails(harness: Any, most: Any, cause: str) -> None:
    output = run(harness, most, MaxItems="{% $states.input.most %}").output
    assert output["Error"] == "States.QueryEvaluationError"
    assert output["Cause"].endswith(cause)


@pytest.mark.parametrize("form", [{"InputType": "MANIFEST"}, {"ManifestType": "S3_INVENTORY"}])
def test_an_inventory_may_be_declared_in_both_forms(form: dict[str, Any]) -> None:
    class LiteralVisit:
        def field(self, node: dict[str, Any], name: str, default: Any, at: str) -> Any:
            return node.get(name, default)

    config = ReaderConfig.of(LiteralVisit(), {"ReaderConfig": form})  # type: ignore[arg-type]
    assert (config.input_type, config.manifest_type) == (None, "S3_INVENTORY")

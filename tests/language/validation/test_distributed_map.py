"""Map states. AWS's messages: floci-io/floci issue 3733; badmintoncryer/cdk-preflight, pf-sfn-asl-map-distributed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LIMITS = "[MaxItemsPerBatch, MaxItemsPerBatchPath, MaxInputBytesPerBatch, MaxInputBytesPerBatchPath]"
CONFIG = "ItemProcessor/ProcessorConfig"
NO_REFERENCE = "Value is not a Reference Path"
IN_JSONATA = "The QueryLanguage is set to 'JSONata', but field '{}' is only supported for the 'JSONPath' QueryLanguage"
IN_JSONPATH = "The QueryLanguage is set to 'JSONPath', but field '{}' is only supported for the 'JSONata' QueryLanguage"


def only_one(*fields: str) -> str:
    return f": There should only be one of the following fields: [{', '.join(fields)}]"


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        (
            "jsonpath:map",
            "ItemProcessor",
            ...,
            [": This object should have only one of the following fields: [ItemProcessor, Iterator]"],
        ),
        (
            "jsonpath:map",
            "Iterator",
            {"StartAt": "Q", "States": {"Q": {"Type": "Pass", "End": True}}},
            [only_one("ItemProcessor", "Iterator")],
        ),
        ("jsonpath:map", "ItemProcessor", [], ["/ItemProcessor: Expected value of type [OBJECT]"]),
        ("jsonpath:map", "ItemProcessor", {}, ["/ItemProcessor: These fields are required: [States, StartAt]"]),
        (
            "jsonpath:map",
            "ItemProcessor/QueryLanguage",
            "JSONata",
            ["/ItemProcessor: Field 'QueryLanguage' is not supported"],
        ),
        (
            "jsonpath:iterator",
            "Iterator/QueryLanguage",
            "JSONata",
            ["/Iterator: Field 'QueryLanguage' is not supported"],
        ),
        ("jsonpath:map", CONFIG, "INLINE", [f"/{CONFIG}: Expected value of type [OBJECT]"]),
        (
            "jsonpath:map",
            f"{CONFIG}/Mode",
            "INLIN",
            [f"/{CONFIG}/Mode: Value should be one of the following: [INLINE, DISTRIBUTED]"],
        ),
        ("jsonpath:map", f"{CONFIG}/Mode", "DISTRIBUTED", [f"/{CONFIG}: These fields are required: [ExecutionType]"]),
        ("jsonpath:map", f"{CONFIG}/ExecutionType", "STANDARD", [f"/{CONFIG}: Field 'ExecutionType' is not supported"]),
        (
            "jsonpath:jsonl",
            f"{CONFIG}/ExecutionType",
            "SLOW",
            [f"/{CONFIG}/ExecutionType: Value should be one of the following: [STANDARD, EXPRESS]"],
        ),
        ("jsonpath:map", "TimeoutSeconds", 5, [": Field 'TimeoutSeconds' is not supported"]),
        ("jsonpath:map", "MaxConcurrency", -1, ["/MaxConcurrency: Minimum value is 0"]),
        ("jsonpath:map", "MaxConcurrency", 9223372036854775807, []),
        ("jsonpath:map", "MaxConcurrencyPath", "$.n", [only_one("MaxConcurrency", "MaxConcurrencyPath")]),
        ("jsonpath:map items path", "MaxConcurrencyPath", "$.n[*]", [f"/MaxConcurrencyPath: {NO_REFERENCE}"]),
        (
            "jsonpath:map items path",
            "MaxConcurrencyPath",
            "$$.Execution.Input.n",
            [f"/MaxConcurrencyPath: {NO_REFERENCE}"],
        ),
        (
            "jsonata:map",
            "MaxConcurrencyPath",
            "$.n",
            [f": {IN_JSONATA.format('MaxConcurrencyPath')}", only_one("MaxConcurrency", "MaxConcurrencyPath")],
        ),
        ("jsonata:map items", "MaxConcurrency", "4", ["/MaxConcurrency: Expected value of type [INTEGER]"]),
        ("jsonata:map items", "Items", "S1", ["/Items: Expected value of type [ARRAY, OBJECT]"]),
        ("jsonata:map items", "ItemsPath", "$.a", [f": {IN_JSONATA.format('ItemsPath')}"]),
        ("jsonpath:map", "Items", [1], [f": {IN_JSONPATH.format('Items')}"]),
        ("jsonpath:map items path", "Parameters", {}, [only_one("ItemSelector", "Parameters")]),
        (
            "jsonpath:map items path",
            "ItemSelector/s.$",
            "x",
            [
                "/ItemSelector: The value for the field 's.$' "
                "must be a valid JSONPath or a valid intrinsic function call"
            ],
        ),
        (
            "jsonpath:result writer",
            "ToleratedFailurePercentage",
            100.5,
            ["/ToleratedFailurePercentage: Maximum value is 100.0"],
        ),
        (
            "jsonpath:result writer",
            "ToleratedFailurePercentage",
            -1,
            ["/ToleratedFailurePercentage: Minimum value is 0.0"],
        ),
        (
            "jsonpath:result writer",
            "ToleratedFailurePercentagePath",
            "$.p",
            [only_one("ToleratedFailurePercentage", "ToleratedFailurePercentagePath")],
        ),
        ("jsonpath:result writer", "ToleratedFailureCount", -1, ["/ToleratedFailureCount: Minimum value is 0"]),
        (
            "jsonpath:result writer",
            "ToleratedFailureCount",
            1.5,
            ["/ToleratedFailureCount: Expected value of type [INTEGER]"],
        ),
        (
            "jsonpath:result writer",
            "ToleratedFailureCountPath",
            "$.p",
            [only_one("ToleratedFailureCount", "ToleratedFailureCountPath")],
        ),
        ("jsonpath:csv", "ItemsPath", "$.a", []),
        ("jsonata:csv", "Items", [], [only_one("Items", "ItemReader")]),
        (
            "jsonpath:item batcher",
            "ItemBatcher",
            {},
            [f"/ItemBatcher: This object should have at least one of the following fields: {LIMITS}"],
        ),
        (
            "jsonata:item batcher",
            "ItemBatcher",
            {"BatchInput": {}},
            [f"/ItemBatcher: This object should have at least one of the following fields: {LIMITS}"],
        ),
        ("jsonpath:item batcher", "ItemBatcher", 3, ["/ItemBatcher: Expected value of type [OBJECT]"]),
        ("jsonpath:item batcher", "ItemBatcher/MaxItems", 3, ["/ItemBatcher: Field 'MaxItems' is not supported"]),
        (
            "jsonpath:item batcher",
            "ItemBatcher/MaxItemsPerBatch",
            -1,
            ["/ItemBatcher/MaxItemsPerBatch: Minimum value is 0"],
        ),
        (
            "jsonpath:item batcher",
            "ItemBatcher/MaxInputBytesPerBatch",
            262145,
            ["/ItemBatcher/MaxInputBytesPerBatch: Maximum value is 262144"],
        ),
        (
            "jsonpath:item batcher",
            "ItemBatcher/MaxItemsPerBatchPath",
            "$.n",
            [f"/ItemBatcher{only_one('MaxItemsPerBatch', 'MaxItemsPerBatchPath')}"],
        ),
        (
            "jsonpath:item batcher",
            "ItemBatcher/MaxInputBytesPerBatchPath",
            "$.n",
            [f"/ItemBatcher{only_one('MaxInputBytesPerBatch', 'MaxInputBytesPerBatchPath')}"],
        ),
        (
            "jsonata:item batcher",
            "ItemBatcher/MaxItemsPerBatchPath",
            "$.n",
            [
                f"/ItemBatcher: {IN_JSONATA.format('MaxItemsPerBatchPath')}",
                f"/ItemBatcher{only_one('MaxItemsPerBatch', 'MaxItemsPerBatchPath')}",
            ],
        ),
        (
            "jsonpath:item batcher",
            "ItemBatcher/BatchInput",
            1,
            ["/ItemBatcher/BatchInput: Expected value of type [OBJECT]"],
        ),
        ("jsonata:result writer", "ResultWriter", {}, ["/ResultWriter: Value cannot be empty"]),
        (
            "jsonata:result writer",
            "ResultWriter/Resource",
            "arn:aws:states:::s3:getObject",
            ["/ResultWriter/Resource: The field 'Resource' does not match any of the allowed values"],
        ),
        (
            "jsonata:result writer",
            "ResultWriter/Resource",
            ...,
            ["/ResultWriter: These fields are required: [Resource]"],
        ),
        (
            "jsonata:result writer",
            "ResultWriter/Arguments",
            ...,
            ["/ResultWriter: These fields are required: [Arguments]"],
        ),
        (
            "jsonpath:result writer",
            "ResultWriter/Parameters",
            ...,
            ["/ResultWriter: These fields are required: [Parameters]"],
        ),
        (
            "jsonpath:result writer",
            "ResultWriter/Parameters/Bucket",
            ...,
            ["/ResultWriter/Parameters: The field 'Bucket' is required but was missing"],
        ),
        (
            "jsonpath:result writer",
            "ResultWriter/WriterConfig/Transformation",
            "FLAT",
            [
                "/ResultWriter/WriterConfig/Transformation: "
                "Value should be one of the following: [NONE, COMPACT, FLATTEN]"
            ],
        ),
        (
            "jsonpath:result writer",
            "ResultWriter/WriterConfig/OutputType",
            "CSV",
            ["/ResultWriter/WriterConfig/OutputType: Value should be one of the following: [JSON, JSONL]"],
        ),
        (
            "jsonpath:result writer",
            "ResultWriter/WriterConfig/Format",
            "CSV",
            ["/ResultWriter/WriterConfig: Field 'Format' is not supported"],
        ),
    ],
)
def test_problems_of_a_map(
    check: Callable[..., list[str]], name: str, place: str, value: Any, expected: list[str]
) -> None:
    assert check(name, f"States/M/{place}", value) == [f"/States/M{line}" for line in expected]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("csv", "ItemReader"),
        ("item batcher", "ItemBatcher"),
        ("writer config", "ResultWriter"),
    ],
)
def test_objects_of_a_distributed_map_are_refused_in_an_inline_map(
    check: Callable[..., list[str]], name: str, field: str
) -> None:
    assert check(f"jsonata:{name}", "States/M/ItemProcessor/ProcessorConfig", {"Mode": "INLINE"}) == [
        f"/States/M: Field '{field}' is not supported in INLINE mode; it needs ProcessorConfig.Mode DISTRIBUTED"
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Label", "Each"),
        ("ToleratedFailureCount", 1),
        ("ToleratedFailureCountPath", "$.a"),
        ("ToleratedFailurePercentage", 1),
        ("ToleratedFailurePercentagePath", "$.a"),
    ],
)
def test_fields_of_a_distributed_map_are_refused_in_an_inline_map(
    check: Callable[..., list[str]], field: str, value: Any
) -> None:
    assert check("jsonpath:iterator", f"States/M/{field}", value) == [
        f"/States/M: Field '{field}' is not supported in INLINE mode; it needs ProcessorConfig.Mode DISTRIBUTED"
    ]


def test_a_distributed_map_is_refused_in_an_express_machine(check: Callable[..., list[str]]) -> None:
    message = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
    path = "/States/M/ItemProcessor/ProcessorConfig/Mode"
    assert check("jsonpath:jsonl", "Comment", "", express=True) == [f"{path}: {message}"]
    inner_path = "/States/M/ItemProcessor/States/I/ItemProcessor/ProcessorConfig/Mode"
    execution_type = "States/M/ItemProcessor/ProcessorConfig/ExecutionType"
    assert check("jsonpath:map of maps", execution_type, "EXPRESS") == [f"{inner_path}: {message}"]

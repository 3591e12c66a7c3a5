"""ItemBatcher: the division of items into batches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.engine.distributed_map.item_chunk import ItemChunk
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def items_of_batches(batcher: ItemBatcher, items: list[Any]) -> list[list[Any]]:
    batches = [(batch.value, count) for batch, count in batcher.batches([ItemChunk.of(items)])]
    assert [count for _, count in batches] == [len(batch["Items"]) for batch, _ in batches]
    return [batch["Items"] for batch, _ in batches]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [[0], [1], [2]]), (2, [[0, 1], [2]]), (3, [[0, 1, 2]]), (9, [[0, 1, 2]]), (None, [[0, 1, 2]])],
)
def test_max_items_limits_a_batch(count: int | None, expected: list[list[int]]) -> None:
    assert items_of_batches(ItemBatcher(count, quotas.PAYLOAD.value, None), [0, 1, 2]) == expected


def test_there_is_no_batch_without_items() -> None:
    assert items_of_batches(ItemBatcher(2, quotas.PAYLOAD.value, {}), []) == []


@pytest.mark.parametrize(("limit", "expected"), [(21, [["é", "é"]]), (20, [["é"], ["é"]]), (1, [["é"], ["é"]])])
def test_max_bytes_limits_the_childs_whole_input(limit: int, expected: list[list[str]]) -> None:
    assert size({"Items": ["é", "é"]}) == 21 - 0
    assert items_of_batches(ItemBatcher(None, limit, None), ["é", "é"]) == expected


def test_batch_input_counts_towards_max_bytes() -> None:
    alone = size({"Items": ["a", "b"]})
    assert items_of_batches(ItemBatcher(None, alone, None), ["a", "b"]) == [["a", "b"]]
    assert items_of_batches(ItemBatcher(None, alone, {"x": 1}), ["a", "b"]) == [["a"], ["b"]]
    assert items_of_batches(
        ItemBatcher(None, size({"BatchInput": {"x": 1}, "Items": ["a", "b"]}), {"x": 1}), ["a", "b"]
    ) == [["a", "b"]]


@given(
    st.lists(st.text(max_size=30), max_size=30),
    st.none() | st.integers(1, 7),
    st.integers(1, 200),
    st.none() | st.dictionaries(st.text(max_size=3), st.integers(-9, 9), max_size=2),
    st.integers(1, 9),
    st.booleans(),
)
def test_batches_contain_all_items_in_order_and_are_as_large_as_both_limits_allow(
    items: list[str],
    count: int | None,
    limit: int,
    batch_input: dict[str, int] | None,
    chunk: int,
    are_decoded: bool,
) -> None:
    chunks = [ItemChunk.of(items[start : start + chunk]) for start in range(0, len(items), chunk)]
    if not are_decoded:
        chunks = [ItemChunk(chunk.texts) for chunk in chunks]
    texts = list(ItemBatcher(count, limit, batch_input).batches(chunks))
    assert [text.text for text, _ in texts] == [dumps(json.loads(text.text)) for text, _ in texts]
    batches = [(text.value, number) for text, number in texts]
    assert [batch for batch, _ in batches] == [json.loads(text.text) for text, _ in texts]
    assert [item for batch, _ in batches for item in batch["Items"]] == items
    for index, (batch, number) in enumerate(batches):
        assert number == len(batch["Items"]) >= 1
        assert count is None or number <= count
        assert size(batch) <= limit or number == 1
        assert ("BatchInput" in batch) is (batch_input is not None)
        if index + 1 < len(batches):
            larger = {**batch, "Items": [*batch["Items"], batches[index + 1][0]["Items"][0]]}
            assert number == count or size(larger) > limit


def test_an_item_larger_than_a_childs_input_fails() -> None:
    # Service quotas: 262,144 bytes of input; {"Items":[""]} is 14 of them.
    assert items_of_batches(ItemBatcher(None, 5, None), ["x" * 262_130]) == [["x" * 262_130]]
    with pytest.raises(StatesError) as raised:
        items_of_batches(ItemBatcher(2, quotas.PAYLOAD.value, None), ["a", "x" * 262_131])
    assert raised.value.output() == {
        "Error": "States.DataLimitExceeded",
        "Cause": ("ItemBatcher: expected child inputs of at most 262144 bytes, found that item 2 requires 262145"),
    }


def map_state(**batcher: Any) -> dict[str, Any]:
    return {
        "M": {
            "Type": "Map",
            "Items": ["a", "b", "c"],
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
            "ItemBatcher": batcher,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "P",
                "States": {"P": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    }


def test_children_receive_batches_with_batch_input(harness: Any) -> None:
    states = map_state(MaxItemsPerBatch="{% $states.input.n %}", BatchInput={"tag": "{% $states.input.tag %}"})
    assert harness.run(states, {"n": 2, "tag": "x"}).output == [
        {"BatchInput": {"tag": "x"}, "Items": [{"v": "a"}, {"v": "b"}]},
        {"BatchInput": {"tag": "x"}, "Items": [{"v": "c"}]},
    ]


def test_a_failed_batch_counts_all_its_items(harness: Any) -> None:
    states = map_state(MaxItemsPerBatch=2)
    fail = {"Type": "Choice", "Choices": [{"Condition": "{% $count($states.input.Items) = 2 %}", "Next": "F"}]}
    states["M"]["ItemProcessor"] |= {
        "StartAt": "C",
        "States": {"C": {**fail, "Default": "P"}, "P": {"Type": "Pass", "End": True}, "F": {"Type": "Fail"}},
    }
    result = harness.run({"M": {**states["M"], "ToleratedFailureCount": 2}})
    (run,) = result.map_runs
    assert (run["itemCounts"]["failed"], run["itemCounts"]["total"]) == (2, 3)
    assert (run["executionCounts"]["failed"], run["executionCounts"]["total"]) == (1, 2)
    harness.journal = harness.journal / "less"
    assert (
        harness.run({"M": {**states["M"], "ToleratedFailureCount": 1}}).error
        == "States.ExceedToleratedFailureThreshold"
    )


@pytest.mark.parametrize(
    ("batcher", "expected"),
    [
        ({"MaxItemsPerBatch": 2}, [["a", "b"], ["c"]]),
        ({"MaxItemsPerBatchPath": "$.n"}, [["a", "b"], ["c"]]),
        ({"MaxItemsPerBatchPath": "$.text", "MaxInputBytesPerBatch": 20}, [["a", "b"], ["c"]]),
        ({"MaxInputBytesPerBatchPath": "$.large"}, [["a", "b", "c"]]),  # more than AWS's 256 KiB
    ],
)
def test_limits_may_be_paths(harness: Any, batcher: dict[str, Any], expected: list[list[str]]) -> None:
    execution_input = {"items": ["a", "b", "c"], "n": 2, "text": "2", "large": 300_000}
    assert [batch["Items"] for batch in run_with_paths(harness, batcher, execution_input).output] == expected


def run_with_paths(harness: Any, batcher: dict[str, Any], execution_input: Any) -> Any:
    inner = map_state()["M"]["ItemProcessor"]
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemBatcher": batcher, "ItemProcessor": inner, "End": True}
    return harness.run({"M": state}, execution_input, QueryLanguage="JSONPath")


# The wording was recorded for MaxConcurrencyPath: localstack/localstack, test_base_scenarios.snapshot.json.
@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (0, "Expected positive integer for MaxItemsPerBatch, got '0' instead."),
        (-1, "Expected non-negative integer for MaxItemsPerBatch, got '-1' instead."),
        ("x", 'The MaxItemsPerBatchPath field refers to value "x" which is not a valid integer: $.n'),
        ([1], 'The MaxItemsPerBatchPath field refers to value "[1]" which is not a valid integer: $.n'),
    ],
)
def test_a_path_to_an_invalid_limit_fails(harness: Any, value: Any, cause: str) -> None:
    result = run_with_paths(harness, {"MaxItemsPerBatchPath": "$.n"}, {"items": ["a"], "n": value})
    assert (result.error, result.cause.partition("). ")[2]) == ("States.Runtime", cause)


@pytest.mark.parametrize(
    ("limit", "cause"),
    [
        (0, "Expected positive integer for MaxItemsPerBatch, got '0' instead."),
        ("{% 0 %}", "Expected positive integer for MaxItemsPerBatch, got '0' instead."),
        ("{% 1.5 %}", "The MaxItemsPerBatch field cannot be parsed as an integer: 1.5"),
        (
            "{% '1' %}",
            "The JSONata expression ''1'' specified for the field 'ItemBatcher/MaxItemsPerBatch' returned an "
            "unexpected result type. Expected 'number', but was 'string' for value: \"1\"",
        ),
    ],
)
def test_an_invalid_limit_fails(harness: Any, limit: Any, cause: str) -> None:
    result = harness.run(map_state(MaxItemsPerBatch=limit))
    assert (result.error, result.cause.partition("). ")[2]) == ("States.QueryEvaluationError", cause)

"""ItemBatcher: how items are put together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def items(batcher: ItemBatcher, given: list[Any]) -> list[list[Any]]:
    found = list(batcher.batches(given))
    assert [count for _, count in found] == [len(batch["Items"]) for batch, _ in found]
    return [batch["Items"] for batch, _ in found]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [[0], [1], [2]]), (2, [[0, 1], [2]]), (3, [[0, 1, 2]]), (9, [[0, 1, 2]]), (None, [[0, 1, 2]])],
)
def test_count(count: int | None, expected: list[list[int]]) -> None:
    assert items(ItemBatcher(count, quotas.PAYLOAD.value, None), [0, 1, 2]) == expected


def test_no_items_no_batch() -> None:
    assert items(ItemBatcher(2, quotas.PAYLOAD.value, {}), []) == []


@pytest.mark.parametrize(("limit", "expected"), [(21, [["é", "é"]]), (20, [["é"], ["é"]]), (1, [["é"], ["é"]])])
def test_bytes_are_those_of_the_childs_whole_input(limit: int, expected: list[list[str]]) -> None:
    assert size({"Items": ["é", "é"]}) == 21 - 0
    assert items(ItemBatcher(None, limit, None), ["é", "é"]) == expected


def test_batch_input_counts() -> None:
    alone = size({"Items": ["a", "b"]})
    assert items(ItemBatcher(None, alone, None), ["a", "b"]) == [["a", "b"]]
    assert items(ItemBatcher(None, alone, {"x": 1}), ["a", "b"]) == [["a"], ["b"]]
    assert items(ItemBatcher(None, size({"BatchInput": {"x": 1}, "Items": ["a", "b"]}), {"x": 1}), ["a", "b"]) == [
        ["a", "b"]
    ]


@given(
    st.lists(st.text(max_size=30), max_size=30),
    st.none() | st.integers(1, 7),
    st.integers(1, 200),
    st.none() | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
def test_batches_are_the_items_in_order_within_both_limits_and_no_smaller_than_they_must_be(
    given: list[str], count: int | None, limit: int, shared: dict[str, int] | None
) -> None:
    found = list(ItemBatcher(count, limit, shared).batches(given))
    assert [item for batch, _ in found for item in batch["Items"]] == given
    for place, (batch, number) in enumerate(found):
        assert number == len(batch["Items"]) >= 1
        assert count is None or number <= count
        assert size(batch) <= limit or number == 1
        assert ("BatchInput" in batch) is (shared is not None)
        if place + 1 < len(found):
            more = {**batch, "Items": [*batch["Items"], found[place + 1][0]["Items"][0]]}
            assert number == count or size(more) > limit


def test_an_item_that_no_child_can_be_given() -> None:
    # Service quotas: 262,144 bytes of input; {"Items":[""]} is 14 of them.
    assert items(ItemBatcher(None, 5, None), ["x" * 262_130]) == [["x" * 262_130]]
    with pytest.raises(StatesError) as raised:
        items(ItemBatcher(2, quotas.PAYLOAD.value, None), ["a", "x" * 262_131])
    assert raised.value.output() == {
        "Error": "States.DataLimitExceeded",
        "Cause": ("ItemBatcher: expected child inputs of at most 262144 bytes, found an item that makes one of 262145"),
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


def test_children_are_given_batches_and_batch_input(harness: Any) -> None:
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
        ({"MaxInputBytesPerBatchPath": "$.more"}, [["a", "b", "c"]]),  # than AWS allows: no more than 256 KiB
    ],
)
def test_limits_of_paths(harness: Any, batcher: dict[str, Any], expected: list[list[str]]) -> None:
    given = {"items": ["a", "b", "c"], "n": 2, "text": "2", "more": 300_000}
    assert [batch["Items"] for batch in with_paths(harness, batcher, given).output] == expected


def with_paths(harness: Any, batcher: dict[str, Any], given: Any) -> Any:
    inner = map_state()["M"]["ItemProcessor"]
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemBatcher": batcher, "ItemProcessor": inner, "End": True}
    return harness.run({"M": state}, given, QueryLanguage="JSONPath")


# A path's words are those recorded of MaxConcurrencyPath: localstack/localstack, test_base_scenarios.snapshot.json.
@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (0, "Expected positive integer for MaxItemsPerBatch, got '0' instead."),
        (-1, "Expected non-negative integer for MaxItemsPerBatch, got '-1' instead."),
        ("x", 'The MaxItemsPerBatchPath field refers to value "x" which is not a valid integer: $.n'),
        ([1], 'The MaxItemsPerBatchPath field refers to value "[1]" which is not a valid integer: $.n'),
    ],
)
def test_a_path_to_no_positive_integer(harness: Any, found: Any, cause: str) -> None:
    result = with_paths(harness, {"MaxItemsPerBatchPath": "$.n"}, {"items": ["a"], "n": found})
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
def test_an_expression_that_gives_no_positive_integer(harness: Any, limit: Any, cause: str) -> None:
    result = harness.run(map_state(MaxItemsPerBatch=limit))
    assert (result.error, result.cause.partition("). ")[2]) == ("States.QueryEvaluationError", cause)

"""The payload of a function over records, and its answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.record_task import RecordAnswer, RecordFailure, RecordPayload, batch_digest
from genomics_pipeline.model.task import RunPlace

PAYLOAD = RecordPayload("score", "score", RunPlace("r", "b", "runs/r/"), {"least": 3}, ({"a": 1},), {"scores": [1]})
ANSWER = RecordAnswer("score", 2, "f" * 64, [1, None], (RecordFailure(1, "no amount"),))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one), max_leaves=5
)


def test_payload_and_answer_are_read_as_they_are_written() -> None:
    assert RecordPayload.from_json(PAYLOAD.to_json()) == PAYLOAD
    assert RecordAnswer.from_json(ANSWER.to_json()) == ANSWER


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": {}}, "found one without items"),
        ({"stage": None, "run": 3}, "found one without stage, run"),
        ({"run": {"name": "r"}}, "found one without bucket, prefix"),
        ({"upstream": [1]}, "expected results by input in upstream, found"),
    ],
)
def test_payloads_of_another_shape_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        RecordPayload.from_json({**PAYLOAD.to_json(), **change})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"records": True}, "found one without records"),
        ({"failures": [{"index": 2, "message": "m"}]}, "expected the index of one of 2 records in an answer, found 2"),
        ({"failures": [{"index": "2"}]}, "expected a failure with index and message"),
    ],
)
def test_answers_of_another_shape_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        RecordAnswer.from_json({**ANSWER.to_json(), **change})
    assert message in str(error.value)


@given(st.one_of(json_values, st.dictionaries(st.sampled_from(["stage", "run", "items", "failures"]), json_values)))
def test_any_other_value_is_refused_with_a_message(value: Any) -> None:
    for parse in (RecordPayload.from_json, RecordAnswer.from_json):
        with pytest.raises(DataError):
            parse(value)


def test_the_digest_of_a_batch_does_not_depend_on_the_order_of_members() -> None:
    assert batch_digest([{"a": 1, "b": {"c": 2, "d": 3}}]) == batch_digest([{"b": {"d": 3, "c": 2}, "a": 1}])
    assert batch_digest([1, 2]) != batch_digest([2, 1])

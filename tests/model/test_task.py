from __future__ import annotations

import json
from typing import Any

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import RunPlace, TaskPayload, item_id

PAYLOAD: dict[str, Any] = {
    "stage": "alignment",
    "step": "alignment",
    "scope": "sample",
    "run": {"name": "r", "bucket": "b", "prefix": "runs/r/"},
    "reference": "/ref.fa",
    "parameters": {"format": "cram"},
    "inputs": {"reads": "sample.reads"},
    "publish": {"alignment": "preprocessing/{sample}"},
    "items": [{"sample": "a", "lanes": []}],
    "upstream": {},
}


def test_json_round_trip_of_a_payload() -> None:
    payload = TaskPayload.from_json(json.loads(json.dumps(PAYLOAD)))
    assert payload.run == RunPlace("r", "b", "runs/r/")
    assert payload.items == ({"sample": "a", "lanes": []},)
    assert payload.to_json() == PAYLOAD


@pytest.mark.parametrize("missing", PAYLOAD)
def test_every_member_of_a_payload_is_required(missing: str) -> None:
    with pytest.raises(DataError) as error:
        TaskPayload.from_json({key: value for key, value in PAYLOAD.items() if key != missing})
    expected = f"expected a task payload, found one in which {missing!r} is missing or wrong"
    assert str(error.value) == f"GENOMICS_PIPELINE_TASK: {expected}"


@pytest.mark.parametrize("data", [None, [], "x", {**PAYLOAD, "run": {"name": "r"}}, {**PAYLOAD, "items": 1}])
def test_other_json_is_not_a_payload(data: Any) -> None:
    with pytest.raises(DataError, match="GENOMICS_PIPELINE_TASK: expected a task payload"):
        TaskPayload.from_json(data)


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"sample": "NA12878", "patient": "p", "lanes": []}, "NA12878"),
        ({"interval": "00003", "regions": ["chr1:1-9"]}, "00003"),
        ({"cohort": "cohort"}, "cohort"),
    ],
)
def test_the_name_of_an_item(item: dict[str, Any], name: str) -> None:
    assert item_id(item) == name


@pytest.mark.parametrize("scope", ["sample", "interval", "cohort"])
@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b", "a\n", None, 7, "x" * 65])
def test_a_name_cannot_leave_its_folder(scope: str, name: object) -> None:
    with pytest.raises(DataError) as error:
        item_id({scope: name})
    rule = "name of letters, digits, '.', '_' and '-'"
    assert str(error.value) == f"expected a {scope}'s {rule}, found {name!r}"


def test_an_item_without_a_scope_is_refused() -> None:
    with pytest.raises(DataError) as error:
        item_id({"patient": "p", "lanes": []})
    assert str(error.value) == "expected an item with one of sample, interval, cohort, found ['lanes', 'patient']"

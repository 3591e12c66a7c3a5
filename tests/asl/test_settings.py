"""Settings of a Distributed Map, in the fields of the document."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.language.jsonata.text import member
from genomics_pipeline.model.pipeline import MapSettings

STAGES = [("align", "sample", {"reads": "sample.reads"})]
PERCENTAGE, COUNT = "ToleratedFailurePercentage", "ToleratedFailureCount"
NUMBER, BYTES = "MaxItemsPerBatch", "MaxInputBytesPerBatch"


def sample_map(pipeline: Any, **settings: Any) -> dict[str, Any]:
    map_state: dict[str, Any] = generate(pipeline("p", STAGES, {"sample": MapSettings(**settings)}))["States"]["Sample"]
    return map_state


@pytest.mark.parametrize(
    ("percentage", "count", "expected"),
    [
        (0, None, (0, 100_000_000)),
        (12.5, None, (12.5, 100_000_000)),
        (50, 3, (50, 3)),
        (50, 0, (50, 0)),
        (0, 3, (100, 3)),  # with 0 %, the count would tolerate nothing
        (0, 0, (100, 0)),
    ],
)
def test_tolerated_failures(pipeline: Any, percentage: float, count: int | None, expected: tuple[float, int]) -> None:
    settings = MapSettings(tolerated_failure_percentage=percentage, tolerated_failure_count=count)
    assert tuple(settings.tolerance().values()) == expected
    maps = {"interval": settings, "sample": settings}
    states = generate(pipeline("p", [*STAGES, ("joint", "interval", {"calls": "align.out"})], maps))["States"]
    assert (states["Interval"][PERCENTAGE], states["Interval"][COUNT]) == expected
    expressions = "{% $states.input.tolerated.percentage %}", "{% $states.input.tolerated.count %}"
    assert (states["Sample"][PERCENTAGE], states["Sample"][COUNT]) == expressions


@pytest.mark.parametrize(
    ("items", "most", "expected"),
    [
        (None, None, None),
        (5, None, {NUMBER: 5, BYTES: 5_000}),
        (5, 2048, {NUMBER: 5, BYTES: 2048}),
        (None, 2048, {BYTES: 2048}),
    ],
)
def test_item_batcher(pipeline: Any, items: int | None, most: int | None, expected: dict[str, int] | None) -> None:
    map_state = sample_map(pipeline, items_per_batch=items, max_input_bytes_per_batch=most)
    batcher = map_state.get("ItemBatcher")
    assert (batcher and {name: batcher[name] for name in batcher if name != "BatchInput"}) == expected
    task = map_state["ItemProcessor"]["States"]["align"]["Arguments"]
    timeout = task["Timeout"]["AttemptDurationSeconds"]
    assert ("86400*$count($states.input.Items)" in timeout) == bool(expected)


@pytest.mark.parametrize("name", ["true", "false", "null", "function", "and", "or", "in", "truely", "a1_"])
def test_a_member_is_read_whatever_its_name(name: str) -> None:
    from genomics_pipeline.language.jsonata.expressions import evaluate

    text = "{% $merge([{}," + member("$states.input", name) + "]) %}"
    assert evaluate(text, {"states": {"input": {name: {"x": 1}}}}, "Output") == {"x": 1}

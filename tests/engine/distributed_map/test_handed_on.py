"""Children whose states hand on their input: they leave the same as children whose states are run one by one."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map import child, distributed_state
from genomics_pipeline.engine.events import ChildEnded, ChildStarted
from genomics_pipeline.engine.interpreter import handing_on_chain
from tests.engine.conftest import EngineHarness

ITEM = st.none() | st.integers() | st.text(max_size=5) | st.just("%b%") | st.just("\x7f") | st.just("x" * 40_000)
WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "b", "Prefix": "p"}}
PASS, SUCCEED = {"Type": "Pass"}, {"Type": "Succeed", "Comment": "as it is"}


def chain(length: int, succeed: bool) -> dict[str, Any]:
    names = [f"P{number}" for number in range(length)]
    states: dict[str, Any] = {name: {**PASS, "Next": after} for name, after in pairwise(names)}
    states[names[-1]] = {**PASS, "Next": "End"} if succeed else {**PASS, "End": True}
    return {"StartAt": names[0], "States": {**states, **({"End": SUCCEED} if succeed else {})}}


def outcome(state: dict[str, Any], chain_of: Any) -> Any:
    """Run a Map, and return its events, its result files and its journal."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(distributed_state, "uuid4", lambda: UUID(int=7))
        patch.setattr(child, "handing_on_chain", chain_of)
        harness = EngineHarness(Path(folder) / "journal")
        result = harness.run({"M": state})
        files = {file.name: file.read_bytes() for file in harness.journal.iterdir()}
        for event in harness.events:
            if isinstance(event, ChildStarted | ChildEnded):
                event.kept_input = event.input
        return harness.events, harness.store.objects, files, result.output


@settings(max_examples=30)
@given(
    st.lists(ITEM, min_size=1, max_size=5),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(["STANDARD", "EXPRESS"]),
    st.sampled_from(["JSON", "JSONL"]),
    st.sampled_from([{}, {"ItemBatcher": {"MaxItemsPerBatch": 2}}]),
)
def test_events_files_and_journal_are_those_of_states_that_are_run(
    items: list[Any], length: int, succeed: bool, kind: str, output: str, more: dict[str, Any]
) -> None:
    state = {
        "Type": "Map",
        "Label": "Each",
        "Items": items,
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}, **chain(length, succeed)},
        "ResultWriter": {**WRITER, "WriterConfig": {"Transformation": "NONE", "OutputType": output}},
        "End": True,
        **more,
    }
    assert outcome(state, handing_on_chain) == outcome(state, lambda machine: None)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}, [("A", "Pass"), ("B", "Succeed")]),
        ({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}, None),
        ({"A": {"Type": "Pass", "Output": 1, "End": True}}, None),
        ({"A": {"Type": "Pass", "Result": 1, "End": True}}, None),
        ({"A": {"Type": "Pass", "Assign": {"x": 1}, "End": True}}, None),
        ({"A": {"Type": "Fail"}}, None),
    ],
)
def test_only_states_without_an_effect_on_their_output_hand_on(states: Any, expected: Any) -> None:
    assert handing_on_chain({"StartAt": "A", "States": states}) == expected


@pytest.mark.parametrize(("kind", "status"), [("STANDARD", "FAILED"), ("EXPRESS", "SUCCEEDED")])
def test_a_chain_of_more_events_than_a_history_may_have_fails(harness: EngineHarness, kind: str, status: str) -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}, **chain(12_500, succeed=False)}
    harness.run(
        {"M": {"Type": "Map", "Items": [1], "ToleratedFailureCount": 1, "ItemProcessor": processor, "End": True}}
    )
    assert [event.status for event in harness.seen(ChildEnded)] == [status]

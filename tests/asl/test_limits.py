"""Limits of a document: each exceeded limit is one problem with its path."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.limits import check_limits
from genomics_pipeline.asl.task_state import SUBMIT_RETRY
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import MapSettings

STAGES = [
    ("align", "sample", {"reads": "sample.reads"}),
    ("call", "sample", {"bam": "align.out"}),
    ("joint", "interval", {"calls": "call.out"}),
    ("gather", "cohort", {"parts": "joint.out"}),
]
ALIGN = "/States/Sample/ItemProcessor/States/align"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def valid(pipeline: Any) -> dict[str, Any]:
    document: dict[str, Any] = generate(pipeline("p", STAGES))
    return document


def set_value(*path: Any) -> Change:
    """Return a change that sets the value at a path."""

    def change(document: dict[str, Any]) -> None:
        *parents, key, value = path
        node: Any = document
        for parent in parents:
            node = node[parent]
        node[key] = value

    return change


def set_in_map(*path: Any) -> Change:
    return set_value("States", "Sample", *path)


def set_in_task(*path: Any) -> Change:
    return set_in_map("ItemProcessor", "States", "align", *path)


def set_retrier(**fields: Any) -> Change:
    return set_in_task("Retry", 0, {**SUBMIT_RETRY, **fields})


def rename_state(old: str, new: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        states = document["States"]
        states[new] = states.pop(old)
        for state in states.values():
            for node in (state, *state.get("Choices", ())):
                if node.get("Next") == old:
                    node["Next"] = new

    return change


def enlarge_definition(document: dict[str, Any]) -> None:
    document["Comment"] = ""
    size = len(canonical_json(document).encode())
    document["Comment"] = "é" + "x" * (1_048_576 - size - 1)  # é has two bytes


def set_batch_bytes(most: int) -> Change:
    return set_in_map("ItemBatcher", {"MaxItemsPerBatch": 5, "MaxInputBytesPerBatch": most})


BROKEN: dict[str, tuple[Change, str]] = {
    "definition": (enlarge_definition, "the definition: AWS allows at most 1048576 bytes, found 1048577"),
    "name": (
        rename_state("gather", "g" * 81),
        f"/States/{'g' * 81}: State name '{'g' * 81}' exceeds the 80-character limit allowed by the service",
    ),
    "name twice": (rename_state("gather", "align"), f"{ALIGN}: Duplicate State name: align"),
    "label": (
        set_in_map("Label", "L" * 41),
        f"/States/Sample/Label: Label '{'L' * 41}' exceeds the 40-character limit allowed by the service",
    ),
    "label twice": (
        set_value("States", "Interval", "Label", "Sample"),
        "/States/Interval/Label: Duplicate Label name: Sample",
    ),
    "concurrency": (
        set_in_map("MaxConcurrency", 10_001),
        "/States/Sample: MaxConcurrency: AWS allows 0 to 10000, found 10001",
    ),
    "negative concurrency": (set_in_map("MaxConcurrency", -1), "/States/Sample/MaxConcurrency: Minimum value is 0"),
    "percentage": (
        set_in_map("ToleratedFailurePercentage", 100.5),
        "/States/Sample/ToleratedFailurePercentage: Maximum value is 100.0",
    ),
    "count": (set_in_map("ToleratedFailureCount", -1), "/States/Sample/ToleratedFailureCount: Minimum value is 0"),
    "batch": (set_batch_bytes(262_145), "/States/Sample/ItemBatcher/MaxInputBytesPerBatch: Maximum value is 262144"),
    "interval": (set_retrier(IntervalSeconds=0), f"{ALIGN}/Retry[0]/IntervalSeconds: Minimum value is 1"),
    "longest delay": (
        set_retrier(MaxDelaySeconds=31_622_401),
        f"{ALIGN}/Retry[0]/MaxDelaySeconds: Maximum value is 31622400",
    ),
    "delay below the interval": (
        set_retrier(IntervalSeconds=300),
        f"{ALIGN}/Retry[0]/MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds, which is 300; "
        "found 300",
    ),
    "attempts": (set_retrier(MaxAttempts=-1), f"{ALIGN}/Retry[0]/MaxAttempts: Minimum value is 0"),
    "rate": (set_retrier(BackoffRate=0.5), f"{ALIGN}/Retry[0]/BackoffRate: Minimum value is 1.0"),
    "States.ALL not alone": (
        set_in_task("Catch", 0, {"ErrorEquals": ["States.ALL", "Bad"], "Next": "alignFailed"}),
        f"{ALIGN}/Catch[0]/ErrorEquals: States.ALL must appear alone and at end of list",
    ),
    "States.ALL not last": (
        set_in_task("Retry", [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["Bad"]}]),
        f"{ALIGN}/Retry[0]/ErrorEquals: States.ALL must appear alone and at end of list",
    ),
}


def test_the_document_is_valid(valid: dict[str, Any]) -> None:
    check_limits(valid)


@pytest.mark.parametrize("name", BROKEN)
def test_an_exceeded_limit_is_one_problem(name: str, valid: dict[str, Any]) -> None:
    change, expected = BROKEN[name]
    document = copy.deepcopy(valid)
    change(document)
    with pytest.raises(DataError) as raised:
        check_limits(document)
    assert [str(problem) for problem in raised.value.problems] == [expected]


@pytest.mark.parametrize(
    "change",
    [
        rename_state("gather", "g" * 80),
        set_in_map("Label", "L" * 40),
        set_in_map("MaxConcurrency", 10_000),
        set_in_map("MaxConcurrency", 0),
        set_in_map("ToleratedFailurePercentage", 100),
        set_in_map("ToleratedFailureCount", 0),
        set_retrier(IntervalSeconds=299),
        set_retrier(MaxDelaySeconds=31_622_400, MaxAttempts=0, BackoffRate=1),
        set_in_task("Arguments", "Timeout", "AttemptDurationSeconds", 60),
    ],
)
def test_each_limit_itself_is_allowed(change: Change, valid: dict[str, Any]) -> None:
    document = copy.deepcopy(valid)
    change(document)
    check_limits(document)


@pytest.mark.parametrize("character", ' \t\n?*<>{}[]"#%\\^|~$&,;:/`\x00\x1f\x7f\x9f')
def test_characters_that_labels_must_not_contain(character: str, valid: dict[str, Any]) -> None:
    document = copy.deepcopy(valid)
    set_in_map("Label", f"a{character}b")(document)
    with pytest.raises(DataError, match="contains the invalid character"):
        check_limits(document)


def test_sync_jobs_are_refused_in_express_children(valid: dict[str, Any]) -> None:
    document = copy.deepcopy(valid)
    document["States"]["Sample"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "EXPRESS"
    with pytest.raises(DataError) as raised:
        check_limits(document)
    assert [str(problem) for problem in raised.value.problems] == [
        f"/States/Sample/ItemProcessor/States/{name}/Resource: Express state machine does not support '.sync' "
        "service integration"
        for name in ("align", "call")
    ]


def test_all_problems_are_reported_together(valid: dict[str, Any]) -> None:
    document = copy.deepcopy(valid)
    for name in ("definition", "label", "percentage", "rate"):
        BROKEN[name][0](document)
    with pytest.raises(DataError) as raised:
        check_limits(document)
    assert len(raised.value.problems) == 4


def test_generate_refuses_batches_whose_pointers_do_not_fit_a_job(pipeline: Any) -> None:
    maps = {"sample": MapSettings(items_per_batch=50, max_input_bytes_per_batch=20_000)}
    with pytest.raises(DataError) as raised:
        generate(pipeline("p", STAGES, maps))
    assert [str(problem) for problem in raised.value.problems] == [
        "maps.sample: expected batches that fit the container overrides of a job (ECS allows 8192 characters): "
        "max_input_bytes_per_batch of at most 6410, or items_per_batch of at most 36"
    ]
    for items, most in ((50, 6410), (36, 20_000), (50, None)):
        maps = {"sample": MapSettings(items_per_batch=items, max_input_bytes_per_batch=most)}
        generate(pipeline("p", STAGES, maps))


def test_generate_refuses_parameters_larger_than_a_jobs_overrides(pipeline: Any) -> None:
    with pytest.raises(DataError) as raised:
        generate(pipeline("p", STAGES, None, {"gather": {"a": "x" * 6_600}}))
    assert [str(problem).split(",")[0] for problem in raised.value.problems] == [
        "stage gather: expected a payload that leaves room for an item in the 7"
    ]
    generate(pipeline("p", STAGES, None, {"gather": {"a": "x" * 5_000}}))

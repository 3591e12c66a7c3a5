"""Limits of a document: each one that is exceeded alone is one problem with its path."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.limits import check_limits, submit_bytes
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
def good(pipeline: Any) -> dict[str, Any]:
    document: dict[str, Any] = generate(pipeline("p", STAGES))
    return document


def change_value(*path: Any) -> Change:
    """Return a change that sets the value at a path."""

    def change(document: dict[str, Any]) -> None:
        *parents, key, value = path
        node: Any = document
        for parent in parents:
            node = node[parent]
        node[key] = value

    return change


def sample(*path: Any) -> Change:
    return change_value("States", "Sample", *path)


def align(*path: Any) -> Change:
    return sample("ItemProcessor", "States", "align", *path)


def retry(**fields: Any) -> Change:
    return align("Retry", 0, {**SUBMIT_RETRY, **fields})


def rename(old: str, new: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        states = document["States"]
        states[new] = states.pop(old)
        for state in states.values():
            for node in (state, *state.get("Choices", ())):
                if node.get("Next") == old:
                    node["Next"] = new

    return change


def large(document: dict[str, Any]) -> None:
    document["Comment"] = ""
    size = len(canonical_json(document).encode())
    document["Comment"] = "é" + "x" * (1_048_576 - size - 1)  # é is of two bytes


def environment(bytes_more: int) -> Change:
    def change(document: dict[str, Any]) -> None:
        arguments = document["States"]["gather"]["Arguments"]
        arguments["ContainerOverrides"]["Environment"][0]["Value"] = ""
        arguments["ContainerOverrides"]["Environment"][0]["Value"] = "x" * (
            30_720 - submit_bytes(arguments) + bytes_more
        )

    return change


def batcher(most: int) -> Change:
    return sample("ItemBatcher", {"MaxItemsPerBatch": 5, "MaxInputBytesPerBatch": most})


BROKEN: dict[str, tuple[Change, str]] = {
    "definition": (large, "the definition: AWS allows at most 1048576 bytes, found 1048577"),
    "name": (
        rename("gather", "g" * 81),
        f"/States/{'g' * 81}: State name '{'g' * 81}' exceeds the 80-character limit allowed by the service",
    ),
    "name twice": (rename("gather", "align"), f"{ALIGN}: Duplicate State name: align"),
    "label": (
        sample("Label", "L" * 41),
        f"/States/Sample/Label: Label '{'L' * 41}' exceeds the 40-character limit allowed by the service",
    ),
    "label twice": (
        change_value("States", "Interval", "Label", "Sample"),
        "/States/Interval/Label: Duplicate Label name: Sample",
    ),
    "concurrency": (
        sample("MaxConcurrency", 10_001),
        "/States/Sample: MaxConcurrency: AWS allows 0 to 10000, found 10001",
    ),
    "negative concurrency": (sample("MaxConcurrency", -1), "/States/Sample/MaxConcurrency: Minimum value is 0"),
    "percentage": (
        sample("ToleratedFailurePercentage", 100.5),
        "/States/Sample/ToleratedFailurePercentage: Maximum value is 100.0",
    ),
    "count": (sample("ToleratedFailureCount", -1), "/States/Sample/ToleratedFailureCount: Minimum value is 0"),
    "batch": (batcher(262_145), "/States/Sample/ItemBatcher/MaxInputBytesPerBatch: Maximum value is 262144"),
    "interval": (retry(IntervalSeconds=0), f"{ALIGN}/Retry[0]/IntervalSeconds: Minimum value is 1"),
    "longest delay": (
        retry(MaxDelaySeconds=31_622_401),
        f"{ALIGN}/Retry[0]/MaxDelaySeconds: Maximum value is 31622400",
    ),
    "delay below the interval": (
        retry(IntervalSeconds=300),
        f"{ALIGN}/Retry[0]/MaxDelaySeconds: MaxDelaySeconds must be greater than IntervalSeconds, which is 300; "
        "found 300",
    ),
    "attempts": (retry(MaxAttempts=-1), f"{ALIGN}/Retry[0]/MaxAttempts: Minimum value is 0"),
    "rate": (retry(BackoffRate=0.5), f"{ALIGN}/Retry[0]/BackoffRate: Minimum value is 1.0"),
    "States.ALL not alone": (
        align("Catch", 0, {"ErrorEquals": ["States.ALL", "Bad"], "Next": "alignFailed"}),
        f"{ALIGN}/Catch[0]/ErrorEquals: States.ALL must appear alone and at end of list",
    ),
    "States.ALL not last": (
        align("Retry", [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["Bad"]}]),
        f"{ALIGN}/Retry[0]/ErrorEquals: States.ALL must appear alone and at end of list",
    ),
    "job name": (
        align("Arguments", "JobName", "j" * 129),
        f"{ALIGN}: JobName: AWS allows at most 128 letters, digits, '-' and '_', found {'j' * 129!r}",
    ),
    "job name's letters": (
        align("Arguments", "JobName", "a.b"),
        f"{ALIGN}: JobName: AWS allows at most 128 letters, digits, '-' and '_', found 'a.b'",
    ),
    "job request": (
        environment(1),
        "/States/gather: Arguments: AWS allows a SubmitJob request of at most 30720 bytes, found 30721 without items",
    ),
}


def test_the_document_is_good(good: dict[str, Any]) -> None:
    check_limits(good)


@pytest.mark.parametrize("name", BROKEN)
def test_one_limit_broken_is_one_problem(name: str, good: dict[str, Any]) -> None:
    change, expected = BROKEN[name]
    document = copy.deepcopy(good)
    change(document)
    with pytest.raises(DataError) as raised:
        check_limits(document)
    assert [str(problem) for problem in raised.value.problems] == [expected]


@pytest.mark.parametrize(
    "change",
    [
        rename("gather", "g" * 80),
        sample("Label", "L" * 40),
        sample("MaxConcurrency", 10_000),
        sample("MaxConcurrency", 0),
        sample("ToleratedFailurePercentage", 100),
        sample("ToleratedFailureCount", 0),
        retry(IntervalSeconds=299),
        retry(MaxDelaySeconds=31_622_400, MaxAttempts=0, BackoffRate=1),
        align("Arguments", "JobName", "j" * 128),
        align("Arguments", "Timeout", "AttemptDurationSeconds", 60),
        environment(0),
    ],
)
def test_each_limit_itself_is_allowed(change: Change, good: dict[str, Any]) -> None:
    document = copy.deepcopy(good)
    change(document)
    check_limits(document)


@pytest.mark.parametrize("character", ' \t\n?*<>{}[]"#%\\^|~$&,;:/`\x00\x1f\x7f\x9f')
def test_what_no_label_may_hold(character: str, good: dict[str, Any]) -> None:
    document = copy.deepcopy(good)
    sample("Label", f"a{character}b")(document)
    with pytest.raises(DataError, match="contains the invalid character"):
        check_limits(document)


def test_sync_jobs_in_express_children(good: dict[str, Any]) -> None:
    document = copy.deepcopy(good)
    document["States"]["Sample"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "EXPRESS"
    with pytest.raises(DataError) as raised:
        check_limits(document)
    assert [str(problem) for problem in raised.value.problems] == [
        f"/States/Sample/ItemProcessor/States/{name}/Resource: Express state machine does not support '.sync' "
        "service integration"
        for name in ("align", "call")
    ]


def test_all_problems_come_at_once(good: dict[str, Any]) -> None:
    document = copy.deepcopy(good)
    for name in ("definition", "label", "percentage", "rate", "job name"):
        BROKEN[name][0](document)
    with pytest.raises(DataError) as raised:
        check_limits(document)
    assert len(raised.value.problems) == 5


def test_generate_refuses_a_batch_that_no_job_could_carry(pipeline: Any) -> None:
    maps = {"sample": MapSettings(items_per_batch=10, max_input_bytes_per_batch=20_000)}
    with pytest.raises(DataError) as raised:
        generate(pipeline("p", STAGES, maps))
    problems = [str(problem) for problem in raised.value.problems]
    assert [problem.split(", so that")[0] for problem in problems] == [
        f"/States/Sample: ItemBatcher.MaxInputBytesPerBatch: AWS allows at most {fits} bytes"
        for fits in (14_771, 14_780)
    ]
    assert problems[0].endswith("so that the SubmitJob request of align has at most 30720, found 20000")
    for allowed in (14_771, None):
        generate(pipeline("p", STAGES, {"sample": MapSettings(items_per_batch=10, max_input_bytes_per_batch=allowed)}))


def test_generate_refuses_parameters_that_no_job_could_carry(pipeline: Any) -> None:
    with pytest.raises(DataError) as raised:
        generate(pipeline("p", STAGES, None, {"gather": {"a": "x" * 31_000}}))
    assert [problem.column for problem in raised.value.problems] == ["/States/gather"]

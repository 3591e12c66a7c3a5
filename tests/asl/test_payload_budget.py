"""The greatest size of a run's items: in a job's overrides, in a child's input, in the file of items."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.map_state import SHARED
from genomics_pipeline.asl.payload_budget import PayloadBudget, check_items, least_duration, payload_budgets
from genomics_pipeline.engine.distributed_map.item_batcher import ItemBatcher
from genomics_pipeline.engine.distributed_map.item_chunk import ItemChunk
from genomics_pipeline.model.container_overrides import overrides_length
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.pipeline import MapSettings
from genomics_pipeline.model.task import MEMORY_VARIABLE, PAYLOAD_VARIABLE, RunPlace, TaskPayload
from genomics_pipeline.runs.item_lines import item_lines

STAGES = [
    ("align", "sample", {"reads": "sample.reads"}),
    ("call", "sample", {"bam": "align.out"}),
    ("joint", "interval", {"calls": "call.out"}),
    ("gather", "cohort", {"parts": "joint.out"}),
]
RUN = {"name": "cohort-0123456789ab", "bucket": "b", "prefix": "runs/cohort-0123456789ab/"}


def execution_input(**parameters: Any) -> dict[str, Any]:
    tolerated = MapSettings().tolerance()
    return ExecutionInput(RunPlace(**RUN), "s3://b/ref.fa", parameters, tolerated).to_json()


def budgets(pipeline: Any, **parameters: Any) -> dict[str, PayloadBudget]:
    return payload_budgets(pipeline, generate(pipeline), execution_input(**parameters))


def overrides_of(pipeline: Any, *items: Any) -> int:
    """Return the characters of the overrides of ``call``, as ECS counts them, with what Batch and others add."""
    stage = next(each for each in pipeline.stages if each.name == "call")
    payload = TaskPayload(
        "call", stage.step.name, "sample", RunPlace(**RUN), "s3://b/ref.fa", {}, stage.inputs, stage.publish, items, {}
    )
    queue = "arn:aws:batch:us-east-1:000000000000:job-queue/genomics-pipeline-on-demand"
    environment = {
        PAYLOAD_VARIABLE: compact(payload.to_json()),
        MEMORY_VARIABLE: "2048",
        "MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS",
        "AWS_BATCH_JOB_ID": "00000000-0000-0000-0000-000000000000",
        "AWS_BATCH_JOB_ATTEMPT": "1",
        "AWS_BATCH_JQ_NAME": queue,
        "AWS_BATCH_CE_NAME": queue.replace("queue", "environment"),
    }
    container = {
        "name": "default",
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "resourceRequirements": [{"type": "MEMORY", "value": "2048"}],
    }
    return overrides_length({"containerOverrides": [container]})


def item(size: int) -> dict[str, str]:
    return {"sample": "S", "lanes": '"' * size}


def test_the_largest_item_just_fits_a_job(pipeline: Any) -> None:
    declared = pipeline("p", STAGES)
    budget = budgets(declared)["sample"]
    size = next(size for size in range(7600, 0, -1) if budget.holds(item(size)))
    assert 7_000 < overrides_of(declared, item(size)) <= 8_192


def test_a_large_item_does_not_fit(pipeline: Any) -> None:
    by_scope = budgets(pipeline("p", STAGES))
    assert not by_scope["sample"].holds({"sample": "S", "lanes": "x" * 7_000})
    assert by_scope["interval"].quoted < by_scope["sample"].quoted  # its payload names the earlier results


ROWS = [
    {"sample": "S1"},
    {"sample": "S1", "lanes": [{"lane": "L001", "fastq_1": "s3://b/" + "f" * 60}]},
    {"sample": "S1", "lanes": [{"a": "b"}] * 9},  # mostly quotes
    {"sample": "S1", "lanes": [""] * 100},
    {"sample": "0" * 64, "uri": RunPlace(**RUN).uri(f"items/{'0' * 64}.json")},  # a pointer, with the longest name
]


@pytest.mark.parametrize("most", [None, 2_000, 8_192, 200_000])
@pytest.mark.parametrize("row", ROWS)
def test_a_batch_of_items_that_fit_fits_a_job(pipeline: Any, most: int | None, row: dict[str, Any]) -> None:
    settings = MapSettings(items_per_batch=30, max_input_bytes_per_batch=most)
    declared = pipeline("p", STAGES, {"sample": settings})
    batcher = generate(declared)["States"]["Sample"]["ItemBatcher"]
    fits = budgets(declared)["sample"].holds(row)
    assert fits or (row["sample"] == "S1" and len(compact(row)) > 60)  # a pointer always does
    items = ItemBatcher(batcher["MaxItemsPerBatch"], batcher["MaxInputBytesPerBatch"], None)
    batch, _ = next(items.batches([ItemChunk.of([{"item": row}] * 100)]))
    if fits:
        assert overrides_of(declared, *(entry["item"] for entry in batch.value["Items"])) <= 8_192


def test_ten_samples_of_a_lane_need_no_pointers(pipeline: Any) -> None:
    for most in (None, 8_192):
        settings = MapSettings(items_per_batch=10, max_input_bytes_per_batch=most)
        pair = {
            f"fastq_{number}": f"s3://some-bucket/reads/2026/NA12878_S1_L001_R{number}_001.fastq.gz"
            for number in (1, 2)
        }
        sample = {"sample": "NA12878", "lanes": [{"lane": "L001", **pair}]}
        assert budgets(pipeline("p", STAGES, {"sample": settings}))["sample"].holds(sample)


def test_parameters_reduce_the_budget(pipeline: Any) -> None:
    declared = pipeline("p", STAGES)
    before, after = budgets(declared)["sample"], budgets(declared, align={"a": "x" * 1000})["sample"]
    assert before.quoted - after.quoted == len('"a":""') + 1000 + 4  # its four quotes are escaped
    assert before.plain - after.plain == len(compact({"align": {"a": "x" * 1000}})) - 2


def test_the_budget_of_a_batch_is_that_of_its_item_batcher(pipeline: Any) -> None:
    maps = {"sample": MapSettings(items_per_batch=10, max_input_bytes_per_batch=2000)}
    budget = budgets(pipeline("p", STAGES, maps))["sample"]
    batch_input = {name: execution_input()[name] for name in SHARED}
    shared = compact({"BatchInput": {**batch_input, "upstream": {}}, "Items": [{"item": None}]})
    assert budget.plain == 2000 - len(shared)
    default = {"sample": MapSettings(items_per_batch=10)}
    assert budgets(pipeline("p", STAGES, default))["sample"].plain == 5_000 - len(shared)


def test_batches_too_small_for_a_pointer_are_refused(pipeline: Any) -> None:
    def check(most: int) -> None:
        budgets(pipeline("p", STAGES, {"interval": MapSettings(items_per_batch=3, max_input_bytes_per_batch=most)}))

    with pytest.raises(DataError) as raised:
        check(1024)
    message = str(raised.value)
    expected = r"maps\.interval: expected max_input_bytes_per_batch of at least (\d+), the size of .*, found 1024"
    match = re.fullmatch(expected, message)
    assert match, message
    check(int(match[1]))
    with pytest.raises(DataError):
        check(int(match[1]) - 1)


def test_jobs_too_large_without_an_item_are_refused(pipeline: Any) -> None:
    with pytest.raises(DataError) as raised:
        budgets(pipeline("p", STAGES), align={"a": "x" * 40_000}, gather={"a": "x" * 300_000})
    problems = [str(problem) for problem in raised.value.problems]
    kept = "of which 2048 are for failed attempts of a stage of the cohort"
    assert problems[0].startswith(f"the execution's input: AWS allows 262144 bytes, {kept}, found 3")
    words = "expected a payload that leaves room for an item in the 7,300 bytes of a job's container overrides"
    assert [problem.split(" (ECS")[0] for problem in problems[1:]] == [
        f"stage {name}: {words}" for name in ("align", "gather")
    ]
    assert "(ECS allows 8192 characters, some of which Batch needs), found 40,9" in problems[1]
    assert problems[1].endswith("bytes without its item; shorten the parameters")


def test_the_items_of_a_map_run_are_limited() -> None:
    check_items("manifest.jsonl", 100_000_000, 10_000_000_000)
    for count, size, message in (
        (100_000_001, 1, "AWS allows 100000000 items in a Map Run, found 100000001"),
        (1, 10_000_000_001, "AWS allows a file of 10000000000 bytes for a Map Run, found 10000000001"),
    ):
        with pytest.raises(DataError) as raised:
            check_items("manifest.jsonl", count, size)
        advice = "divide them among more Map Runs: map_runs in the pipeline's file"
        assert str(raised.value) == f"manifest.jsonl: {message}; {advice}"
        check_items("manifest.jsonl", count, size, parts=2)


def test_the_least_duration(pipeline: Any) -> None:
    counts = {"sample": 10_000, "interval": 600}
    # 20,000 + 600 + 1 jobs at 50 a second; starting the child executions at 100 a second overlaps with them.
    assert least_duration(pipeline("p", STAGES), counts) == (20_601, 412.02)
    maps = {"sample": MapSettings(items_per_batch=10)}
    assert least_duration(pipeline("p", STAGES, maps), counts) == (2_601, 52.02)


FIRST = {"first_attempts": {"align": {"memory_mib": 10**8 - 1, "timeout_s": 10**8 - 1}}}
PLACE = RunPlace(**RUN)


def test_first_attempts_need_no_room_in_a_job(pipeline: Any) -> None:
    budget = budgets(pipeline("p", STAGES))["sample"]
    size = next(size for size in range(7600, 0, -1) if budget.holds(item(size)))
    assert budget.holds({**item(size), **FIRST})
    assert not budget.holds({**item(size + 1), **FIRST})


def test_first_attempts_stay_in_the_line_of_a_large_item(pipeline: Any) -> None:
    """The file of the item itself has only what a task sees."""
    budget, large = budgets(pipeline("p", STAGES))["sample"], dict[str, str]()
    text = compact({**item(7_600), **FIRST}) + "\n"
    (line,) = item_lines("sample", [text], budget, PLACE, large)
    assert json.loads(line) == {"sample": "S", "uri": PLACE.uri("items/S.json"), **FIRST}
    assert large == {"items/S.json": compact(item(7_600)) + "\n"}


def test_a_pointer_with_first_attempts_that_is_too_large_has_none(pipeline: Any) -> None:
    settings = MapSettings(items_per_batch=10, max_input_bytes_per_batch=2_000)
    budget = budgets(pipeline("p", STAGES, {"sample": settings}))["sample"]
    long = {"first_attempts": {f"stage_{number}": FIRST["first_attempts"]["align"] for number in range(40)}}
    (line,) = item_lines("sample", [compact({"sample": "S", **long}) + "\n"], budget, PLACE, {})
    assert json.loads(line) == {"sample": "S", "uri": PLACE.uri("items/S.json")}

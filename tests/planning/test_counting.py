"""Counts of one child of each class, multiplied, and of all children; those of a small run by hand."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from genomics_pipeline.asl.generate import DEFAULT_NAMES, generate
from genomics_pipeline.language.errors import THRESHOLD_EXCEEDED
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning import counting
from genomics_pipeline.planning.counting import MapLoad, RunLoad, count, count_fully
from genomics_pipeline.planning.scripts import TaskScript
from genomics_pipeline.runs.catalog import load_pipeline
from tests.planning.generated import generated_load


@pytest.mark.parametrize("seed", range(60))
def test_one_child_of_each_class_counts_as_all_children_do(seed: int) -> None:
    load = generated_load(random.Random(seed))
    counted, full = count(load), count_fully(load)
    if full.error == THRESHOLD_EXCEEDED:  # the moment decides which children still start: all were executed for both
        assert (counted.status, counted.error) == (full.status, full.error)
        return
    assert replace(counted, seconds=0) == replace(full, seconds=0)
    assert full.transitions >= sum(full.jobs.values()) > 0


def germline(samples: int, **scripts: TaskScript) -> RunLoad:
    """Return a run of `germline` whose first sample has the scripts."""
    pipeline, _ = load_pipeline("germline")
    maps = {
        "Sample": MapLoad("sample", [1] * samples, {0: scripts} if scripts else {}),
        "Interval": MapLoad("interval", [1, 1]),
    }
    tolerated = pipeline.maps["sample"].tolerance()
    execution_input = ExecutionInput(RunPlace("r", "b", ""), "r.fa", {}, tolerated)
    steps = {stage.name: stage.step for stage in pipeline.stages}
    return RunLoad(generate(pipeline), DEFAULT_NAMES, execution_input, maps, {}, lambda stage: 60.0, steps)


def test_a_cohort_by_hand() -> None:
    counts = count(germline(3))
    # Sample, Interval, gather, annotationChosen, annotationLeftOut; each child: its start, and its stages.
    assert counts.transitions == 5 + 3 * (1 + 2) + 2 * (1 + 1)
    # Of a Task: entered, scheduled, started, submitted, succeeded, exited; of each execution: its start and its end.
    of_maps = 2 * len(("MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunSucceeded", "Succeeded", "Exited"))
    assert counts.events == (2 + of_maps + 6 + 2 + 2) + 3 * (2 + 2 * 6) + 2 * (2 + 6)
    assert counts.jobs == {"alignment": 3, "variant_calling": 3, "aggregation": 2, "gather": 1}
    assert counts.children == {"Sample": 3, "Interval": 2}
    assert counts.status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("script", "transitions", "jobs", "attempts"),
    [
        (TaskScript(out_of_memory=1), 2, 1, 1),  # the Choice, and the Task again
        (TaskScript(hosts_lost=4), 0, 0, 4),  # Batch retries them
        (TaskScript(hosts_lost=5), 2, 1, 5),  # the sixth attempt is of another job, on On-Demand hosts
        (TaskScript(out_of_memory=3), 2 * 2 + 2 - 1, 2, 2),  # the ladder has three rungs; no second stage
        (TaskScript(out_of_memory=3, rungs=4), 3 * 2, 3, 3),  # with a first attempt below the ladder
        (TaskScript(out_of_memory=1, rungs=1), 2 - 1, 0, 0),  # with a first attempt at its end
        (TaskScript(fails=True), 2 - 1, 0, 0),  # the Choice and the Fail state instead of the second stage
    ],
)
def test_retries_add_transitions_jobs_and_attempts(
    script: TaskScript, transitions: int, jobs: int, attempts: int
) -> None:
    without, counts = count(germline(4)), count(germline(4, alignment=script))
    assert counts.transitions - without.transitions == transitions
    assert counts.jobs["alignment"] - without.jobs["alignment"] == jobs
    assert counts.attempts["alignment"] - without.attempts["alignment"] == attempts


def test_a_million_samples_count_as_quickly_as_three() -> None:
    counts = count(germline(1_000_000, alignment=TaskScript(out_of_memory=1)))
    assert counts.transitions == 5 + 1_000_000 * 3 + 2 + 2 * 2
    assert counts.jobs["alignment"] == 1_000_001


def test_more_failures_than_tolerated_are_executed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    load = germline(3)
    fails = {"alignment": TaskScript(fails=True)}
    load = replace(load, maps={**load.maps, "Sample": MapLoad("sample", [1] * 3, {0: fails, 1: fails})})
    assert count(load).status == "FAILED"
    assert count(load).failed == {"Sample": 2}
    monkeypatch.setattr(counting, "MOST_EXECUTED", 4)
    bound = count(load)
    assert (bound.status, bound.error, bound.failed) == ("FAILED", THRESHOLD_EXCEEDED, {"Sample": 2})
    assert bound.jobs["aggregation"] == 2

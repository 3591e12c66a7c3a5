"""The naive definition: one that AWS accepts, whose polls and retries are counted by executing it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.planning.counting import MapLoad, count
from genomics_pipeline.planning.naive import count_naive, naive_document
from genomics_pipeline.planning.scripts import TaskScript
from genomics_pipeline.runs.catalog import load_pipeline, pipeline_names
from tests.planning.test_counting import germline


@pytest.mark.parametrize("name", pipeline_names())
def test_the_naive_definition_of_each_pipeline_is_valid(name: str) -> None:
    assert diagnose(naive_document(generate(load_pipeline(name)[0]))) == []


def test_polls_by_hand() -> None:
    load = replace(germline(3), seconds=lambda stage: 150.0)
    counts = count(replace(load, document=naive_document(load.document)))
    # A job of 150 s is seen to have ended by the third poll: SubmitJob, and three times Wait, DescribeJobs and Choice.
    job = 1 + 3 * 3
    # Sample, Interval, the job of gather, annotationChosen and its end; a Succeed at the end of each child.
    assert counts.transitions == 2 + job + 2 + 3 * (1 + 2 * job + 1) + 2 * (1 + job + 1)
    assert counts.jobs == {"alignment": 3, "variant_calling": 3, "aggregation": 2, "gather": 1}
    assert counts.status == "SUCCEEDED"


@pytest.mark.parametrize("seconds", [{"alignment": 400.0, "gather": 59.9}, {"alignment": 61.0, "aggregation": 7200.0}])
def test_polls_are_multiplied_as_they_would_be_executed(seconds: dict[str, float]) -> None:
    load = replace(germline(3), seconds=lambda stage: seconds.get(stage, 150.0))
    executed = count(replace(load, document=naive_document(load.document)))
    counted = count_naive(load)
    assert (counted.transitions, counted.events) == (executed.transitions, executed.events)
    assert (counted.jobs, counted.attempts) == (executed.jobs, executed.attempts)


def test_every_failure_is_tried_three_times_again() -> None:
    load = germline(3)
    fails = {0: {"alignment": TaskScript(fails=True)}}
    maps = {**load.maps, "Sample": MapLoad("sample", [1] * 3, fails)}
    counts = count(replace(load, document=naive_document(load.document), maps=maps))
    assert counts.jobs["alignment"] == 2 + 4
    assert counts.failed == {"Sample": 1}

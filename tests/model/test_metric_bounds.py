"""Bounds of metrics in pipeline files, files of parameters and arguments of the command line."""

from __future__ import annotations

import json

import pytest

from genomics_pipeline.model.errors import DataError, UsageError
from genomics_pipeline.model.metric_bounds import bound_assignments, file_form, parse_bound_assignments
from genomics_pipeline.model.metric_spec import MetricSpec
from genomics_pipeline.model.params_file import parse_params_file
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.pipeline_file import parse_pipeline
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.step_file import parse_step

STEP = """
name = "map"
version = "1"
summary = "Alignments"
command = ["map"]
[inputs.reads]
type = "reads"
[outputs.metrics]
path = "{sample}.json"
[metrics.mean_depth]
title = "Depth"
good = { min = 20 }
bad = { below = 10 }
[metrics.duplicates]
title = "Duplicates"
"""
STAGE = 'name = "p"\nsummary = "P"\n[[stages]]\nname = "first"\nstep = "map"\nscope = "sample"\npublish = "a"\n'
STAGE += 'inputs = { reads = "sample.reads" }\n'
ORDER = "expected bad.below <= good.min <= good.max <= bad.above"


def load(_: str) -> StepSpec:
    return parse_step(STEP, file="map/step.toml")


def pipeline(more: str = "") -> Pipeline:
    return parse_pipeline(STAGE + more, file="p.toml", load_step=load)


def depth(of: Pipeline) -> MetricSpec:
    return of.stages[0].step.metrics["mean_depth"]


def test_a_pipeline_replaces_single_bounds() -> None:
    spec = depth(
        pipeline("[stages.metrics]\nmean_depth = { good = { min = 4 }, bad = { below = 'none', above = 90 } }\n")
    )
    assert (spec.good_min, spec.good_max, spec.bad_below, spec.bad_above) == (4, None, None, 90)
    assert (spec.title, pipeline().stages[0].step.metrics["mean_depth"].bad_below) == ("Depth", 10)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "mean_dept = { bad = { below = 1 } }",
            "p.toml:10:stages.0.metrics.mean_dept: unknown metric 'mean_dept' of step map; did you mean 'mean_depth'?",
        ),
        (
            "mean_depth = { bad = { below = 30 } }",
            f"p.toml:10:stages.0.metrics.mean_depth.bad.below: {ORDER}, found bad.below = 30 and good.min = 20",
        ),
        (
            "mean_depth.bad.below = 'low'",
            "p.toml:10:stages.0.metrics.mean_depth.bad.below: expected a number, or 'none', found 'low'",
        ),
        (
            "mean_depth.bad.below = true",
            "p.toml:10:stages.0.metrics.mean_depth.bad.below: expected a number, or 'none', found True",
        ),
        (
            "mean_depth.good.min = nan",
            "p.toml:10:stages.0.metrics.mean_depth.good.min: expected a finite number, or no bound, "
            "found good.min = nan",
        ),
        (
            "mean_depth.bad.under = 1",
            "p.toml:10:stages.0.metrics.mean_depth.bad.under: unknown key 'under'; known: below, above",
        ),
        ("mean_depth = 3", "p.toml:10:stages.0.metrics.mean_depth: expected a table, found 3"),
    ],
)
def test_what_is_wrong_in_a_pipeline(table: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        pipeline(f"[stages.metrics]\n{table}\n")
    assert list(map(str, error.value.problems)) == [message]


def test_a_file_of_parameters_precedes_the_pipeline() -> None:
    given = pipeline("[stages.metrics.mean_depth]\ngood.min = 4\nbad.below = 2\n")
    text = "[first.metrics.mean_depth.bad]\nbelow = 3\n"
    read = parse_params_file(text, file="/x/p.toml", pipeline=given)
    assert (read.values, read.bounds) == ({"first": {}}, {"first": {"mean_depth": {"bad.below": 3}}})
    changed = depth(given.with_bounds(read.bounds))
    assert (changed.good_min, changed.bad_below) == (4, 3)
    recorded = json.dumps({"first": file_form(read.bounds["first"])})
    assert parse_params_file(recorded, file="/x/p.json", pipeline=given).bounds == read.bounds


def test_all_problems_of_a_file_of_parameters_are_found() -> None:
    text = "[first]\nploidy = 1\n[first.metrics.depth]\nbad = { below = 3 }\n[first.metrics.mean_depth.good]\nmin = 2\n"
    with pytest.raises(DataError) as error:
        parse_params_file(text, file="/x/p.toml", pipeline=pipeline())
    assert [str(one).partition(";")[0] for one in error.value.problems] == [
        "/x/p.toml:2:first.ploidy: unknown parameter 'ploidy'",
        "/x/p.toml:3:first.metrics.depth: unknown metric 'depth' of step map",
        f"/x/p.toml:6:first.metrics.mean_depth.good.min: {ORDER}, found bad.below = 10 and good.min = 2",
    ]


def test_arguments_and_back() -> None:
    steps = {"first": load("map")}
    given = ["first.mean_depth.bad.below=none", "first.mean_depth.good.min=0.5", "first.duplicates.bad.above=2"]
    bounds = parse_bound_assignments(given, steps)
    assert bounds == {"first": {"mean_depth": {"bad.below": None, "good.min": 0.5}, "duplicates": {"bad.above": 2}}}
    assert list(bound_assignments(bounds)) == given


def test_all_problems_of_arguments_are_found() -> None:
    arguments = ["first.mean_depth=3", "last.x.bad.below=1", "first.dept.bad.below=1", "first.mean_depth.bad.belo=1"]
    arguments += ["first.mean_depth.bad.below=low", "first.mean_depth.good.min=9", "first.duplicates.bad.above=inf"]
    with pytest.raises(UsageError) as error:
        parse_bound_assignments(arguments, {"first": load("map")})
    form = "expected STAGE.METRIC.BOUND=NUMBER, such as alignment.mean_depth.bad.below=2"
    assert [str(one) for one in error.value.problems] == [
        f"--bound first.mean_depth=3: {form}",
        "--bound last.x.bad.below=1: unknown stage 'last'; known: first",
        "--bound first.dept.bad.below=1: unknown metric 'dept' of step map; known: mean_depth, duplicates",
        "--bound first.mean_depth.bad.belo=1: unknown bound 'bad.belo'; did you mean 'bad.below'?",
        "--bound first.mean_depth.bad.below=low: expected a number, or 'none', found 'low'",
        f"--bound first.mean_depth: {ORDER}, found bad.below = 10 and good.min = 9",
        "--bound first.duplicates: expected a finite number, or no bound, found bad.above = inf",
    ]

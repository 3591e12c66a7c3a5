"""Names of jobs, as a definition composes them: legal for all that may be named, and telling whose a job is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.asl.job_name import job_name
from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.language.jsonata.text import expression
from genomics_pipeline.model.job_name import is_job_name, may_be_job_of
from genomics_pipeline.model.pipeline import Stage
from genomics_pipeline.runs.catalog import load_pipeline

LONGEST_RUN, LONGEST_STAGE, LONGEST_ITEM = "R" * 80, "s" * 48, "N" * 64
RUNS = st.from_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,79}", fullmatch=True) | st.just(LONGEST_RUN)
STAGES = st.from_regex("[a-z][a-z0-9_]{0,47}", fullmatch=True) | st.just(LONGEST_STAGE)
ITEMS = st.from_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True) | st.just(LONGEST_ITEM)
STEP = load_pipeline("germline")[0].stages[0].step


def name_of(run: str, stage: str, items: list[str], scope: str = "sample", is_batched: bool = True) -> str:
    """Return the name of a job as its definition evaluates it."""
    count: str | None
    declared = Stage(stage, STEP, scope, {}, {})
    states: dict[str, Any] = {"run": {"name": run}}
    if is_batched:
        first, count = "$states.input.Items[0].item", "$count($states.input.Items)"
        states["Items"] = [{"item": {scope: item, "lanes": []}} for item in items]
    else:
        first, count = "$states.input.item", None
        states["item"] = {scope: items[0], "lanes": []}
    text = expression(job_name(declared, "$states.input.run.name", first, count))
    name: str = evaluate(text, {"states": {"input": states}}, "JobName")
    return name


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("c-1f-alignment-NA12878", ("c-1f", "alignment", ["NA12878"], "sample", False)),
        ("c-1f-aggregation-00003", ("c-1f", "aggregation", ["00003"], "interval", False)),
        ("c-1f-align-a", ("c-1f", "align", ["a"])),
        ("c-1f-align-a-1-and-2-more", ("c-1f", "align", ["a.1", "b", "c"])),
        ("c-1f-gather", ("c-1f", "gather", ["cohort"], "cohort", False)),
        (f"{'R' * 62}-s-{LONGEST_ITEM[:62]}", (LONGEST_RUN[:62], "s", [LONGEST_ITEM[:62]])),
        (f"{'R' * 14}-{LONGEST_STAGE}-{LONGEST_ITEM}", (LONGEST_RUN, LONGEST_STAGE, [LONGEST_ITEM])),
        (f"R-{LONGEST_STAGE}-{LONGEST_ITEM}-and-298-more", (LONGEST_RUN, LONGEST_STAGE, [LONGEST_ITEM] * 299)),
    ],
)
def test_a_name_shows_run_stage_and_item(name: str, arguments: tuple[Any, ...]) -> None:
    assert name_of(*arguments) == name


@settings(max_examples=60)
@given(run=RUNS, stage=STAGES, items=st.lists(ITEMS, min_size=1, max_size=3), is_batched=st.booleans())
def test_each_name_is_legal_and_found_by_its_run(run: str, stage: str, items: list[str], is_batched: bool) -> None:
    name = name_of(run, stage, items, is_batched=is_batched)
    assert is_job_name(name)
    assert may_be_job_of(run, name)
    assert f"-{stage}-{items[0].replace('.', '-')}" in name

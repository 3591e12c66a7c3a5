"""Fixtures of the generator's tests: small pipelines and random ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jsonata  # noqa: F401  # sets the recursion limit, which hypothesis refuses inside a test
import pytest
from hypothesis import strategies as st

from genomics_pipeline.model.parameters import ParameterSpec
from genomics_pipeline.model.pipeline import MapSettings, Pipeline, Stage
from genomics_pipeline.model.step import RETRY, InputSpec, OutputSpec, Resources, StepSpec

NAMES = st.sampled_from(["true", "null", "function", "and", "in", "failed", "sample"]) | st.from_regex(
    r"[a-z][a-z0-9_]{0,47}", fullmatch=True
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# $string, which serialises a task's payload, keeps 15 digits of a fraction, also on AWS.
FRACTIONS = st.floats(-1e9, 1e9).map(lambda number: float(f"{number:.15g}"))
VALUES = TEXT | st.booleans() | st.integers(-(2**53), 2**53) | FRACTIONS


def step(name: str, inputs: Sequence[InputSpec], scope: str, timeout_s: int = 86400) -> StepSpec:
    path = "out.txt" if scope == "cohort" else f"{{{scope}}}.txt"
    parameters = {parameter: ParameterSpec(parameter, "string", "a parameter") for parameter in ("a", "b", "c")}
    return StepSpec(
        name,
        "1.0.0",
        "a step",
        ("true",),
        {spec.name: spec for spec in inputs},
        {"out": OutputSpec("out", path)},
        parameters,
        Resources(timeout_s=timeout_s),
        {},
        RETRY,
    )


def make_pipeline(
    name: str,
    stages: Sequence[tuple[str, str, Mapping[str, str]]],
    maps: Mapping[str, MapSettings] | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> Pipeline:
    """Return a pipeline of stages (name, scope, inputs), each with a step of the same name."""
    kinds = {"sample.reads": "reads", "reference": "reference"}
    declared = []
    for stage, scope, inputs in stages:
        specs = [InputSpec(key, kinds.get(source, "files")) for key, source in inputs.items()]
        declared.append(Stage(stage, step(stage, specs, scope), scope, inputs, {"out": f"{stage}/folder"}))
    settings = {"sample": MapSettings(tolerated_failure_percentage=50), "interval": MapSettings(), **(maps or {})}
    return Pipeline(name, "a pipeline", settings, tuple(declared), parameters or {})


def _settings(items: st.SearchStrategy[int | None]) -> st.SearchStrategy[MapSettings]:
    return st.builds(
        MapSettings,
        max_concurrency=st.integers(1, 10_000),
        tolerated_failure_percentage=st.integers(0, 100) | st.floats(0, 100),
        tolerated_failure_count=st.none() | st.integers(0, 10**6),
        items_per_batch=items,
        max_input_bytes_per_batch=st.none() | st.integers(2_600, 4_000),
    )


@st.composite
def _pipelines(draw: st.DrawFn) -> Pipeline:
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    stages: list[tuple[str, str, dict[str, str]]] = []
    for name in names:
        scope = draw(st.sampled_from(["sample", "sample", "interval", "cohort"]))
        sources = ["reference", *(f"{stage}.out" for stage, _, _ in stages), *(["sample.reads"] * (scope == "sample"))]
        chosen = draw(st.lists(st.sampled_from(sources), min_size=1, max_size=4, unique=True))
        stages.append((name, scope, {f"in_{number}": source for number, source in enumerate(chosen)}))
    items = st.none() | st.integers(1, 20)
    parameters = draw(
        st.dictionaries(
            st.sampled_from(names), st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3), max_size=3
        )
    )
    maps = {"sample": draw(_settings(items)), "interval": draw(_settings(items))}
    return make_pipeline(draw(NAMES), stages, maps, parameters)


@pytest.fixture(scope="session")
def pipelines() -> st.SearchStrategy[Pipeline]:
    """Generate pipelines with any stages, scopes, sources, settings and parameters."""
    return _pipelines()


@pytest.fixture(scope="session")
def pipeline() -> Any:
    """Return `make_pipeline`."""
    return make_pipeline

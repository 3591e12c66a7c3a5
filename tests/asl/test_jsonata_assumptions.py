"""Assumptions about JSONata: checked before a document is generated, and complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from genomics_pipeline.asl import jsonata_assumptions
from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.jsonata_assumptions import ASSUMPTIONS, check_assumptions
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonata import expressions, functions
from genomics_pipeline.runs.catalog import load_pipeline

OWN = {"begins"}  # functions that the expressions define
CLOCK = {"now"}  # of the host, without which assumptions are evaluated


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    """Clear the caches of the check and of compiled expressions, before and after each test."""
    caches = (check_assumptions, expressions.compiled)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def test_all_assumptions_hold() -> None:
    check_assumptions()


def test_no_document_is_generated_if_an_assumption_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonata_assumptions, "ASSUMPTIONS", (*ASSUMPTIONS, ("$count([1,2])", 3)))
    with pytest.raises(RuntimeError, match=r"expected 3 as the value of \$count\(\[1,2\]\), found 2"):
        generate(load_pipeline("germline")[0])


@pytest.mark.parametrize("name", ["lookup", "count", "append", "keys", "filter", "exists", "string", "parse", "merge"])
def test_a_changed_function_breaks_an_assumption(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed: dict[str, Any] = {**functions.function_bindings(), name: "changed"}
    monkeypatch.setattr(expressions, "_functions", lambda: changed)
    with pytest.raises(StatesError, match="function"):
        check_assumptions()


def test_every_function_of_a_definition_is_in_an_assumption(pipeline: Any) -> None:
    stages = [("align", "sample", {"reads": "sample.reads"}), ("gather", "cohort", {"parts": "align.out"})]
    texts = [canonical_json(generate(each)) for each in (load_pipeline("germline")[0], pipeline("p", stages))]
    used = {name for text in texts for name in re.findall(r"\$([a-z]+)\(", text)} - OWN - CLOCK
    assumed = {name for text, _ in ASSUMPTIONS for name in re.findall(r"\$([a-z]+)\(", text)}
    assert used == assumed

"""The examples in the engine's own words."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from genomics_pipeline import engine


@pytest.mark.parametrize(
    "name", [module.name for module in pkgutil.walk_packages(engine.__path__, "genomics_pipeline.engine.")]
)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0

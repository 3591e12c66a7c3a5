"""The examples in the docstrings of the whole package."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import genomics_pipeline

MODULES = [
    module.name
    for module in pkgutil.walk_packages(genomics_pipeline.__path__, "genomics_pipeline.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

"""The examples in the room's own words."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from genomics_pipeline.engine import jsonata


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(jsonata.__path__)])
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"{jsonata.__name__}.{name}"))
    assert found.failed == 0

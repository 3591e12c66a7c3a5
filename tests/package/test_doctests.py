"""The examples in the docstrings of the package, of the steps' programs and of the tests' shared modules."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import genomics_pipeline

ROOT = Path(genomics_pipeline.__file__).parents[1]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(genomics_pipeline.__path__, "genomics_pipeline.")
    if not module.name.endswith("__main__")
]
PROGRAMS, SHARED = (
    sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py") if ">>> " in path.read_text())
    for folder in ("steps", "tests")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("path", [path for path in SHARED if "/test_" not in path])
def test_examples_of_tests(path: str) -> None:
    results = doctest.testmod(importlib.import_module(path.removesuffix(".py").replace("/", ".")))
    assert results.attempted
    assert results.failed == 0


# Each in its own process, since programs of different steps have modules of the same names.
@pytest.mark.parametrize("path", PROGRAMS)
def test_examples_of_steps(path: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "steps")}
    argv = [sys.executable, "-m", "doctest", str(ROOT / path)]
    process = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert process.returncode == 0, process.stdout + process.stderr

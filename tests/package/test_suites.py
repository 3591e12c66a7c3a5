"""Continuous integration runs the tests of every mark, from all files that have it."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARKS = [
    one.partition(":")[0]
    for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
]


@pytest.fixture(scope="module")
def suites() -> str:
    """Return the commands of all suites, which are not run."""
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "--dry-run", "--no-print-directory", "suites"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("mark", MARKS)
def test_the_tests_of_a_mark_are_a_suite(mark: str, suites: str) -> None:
    (paths,) = re.findall(rf"-m pytest (?:-n \S+ )?(?:--dist \S+ )?-m {mark} (.+)", suites)
    named = [ROOT / path for path in paths.split()]
    used = re.compile(rf'(?:mark\.|marker\("){mark}\b')
    for top in ("tests", "steps"):
        for file in (ROOT / top).rglob("*.py"):
            if used.search(file.read_text()):
                assert any(path in (file, file.parent) for path in named), f"{file}: not among the files of {mark}"


def test_no_test_of_another_suite_is_in_the_first() -> None:
    first = re.search(r'-m "(not .+)"', (ROOT / "Makefile").read_text())
    assert first
    assert sorted(first[1].removeprefix("not ").split(" and not ")) == sorted(MARKS)

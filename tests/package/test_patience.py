"""Tests wait for what happens soon as long as `tests/patience.py` says, so that none fails on a busy machine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted({*ROOT.glob("tests/**/*.py"), *ROOT.glob("steps/**/test_*.py"), *ROOT.glob("steps/**/conftest.py")})
WAITS = {"wait": 0, "join": 0, "result": 0, "timeout": 0, "wait_for": 1}  # with the place of the limit


def impatient(source: str) -> Iterator[int]:
    """Yield the lines that wait for a time of their own, and examples of Hypothesis that must come within a time.

    Less than a second is the pause between two looks.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            place = WAITS.get(node.func.attr, len(node.args))
            limits = [*node.args[place : place + 1], *(one.value for one in node.keywords if one.arg == "timeout")]
            if any(isinstance(one, ast.Constant) and _is_short(one.value) for one in limits):
                yield node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "suppress_health_check" and "too_slow" not in ast.dump(node):
            yield node.lineno


def _is_short(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < PATIENCE_S


def test_no_test_has_less_patience() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for path in FILES for line in impatient(path.read_text())]
    assert found == [], "expected tests.patience.PATIENCE_S, or no limit at all"


@pytest.mark.parametrize(
    "source",
    [
        "assert job.cancelled.wait(60)",
        "thread.join(5)",
        "subprocess.run(argv, timeout=300)",
        "await asyncio.wait_for(work, 20)",
        "async def f():\n    async with asyncio.timeout(120):\n        pass",
        "settings(suppress_health_check=[HealthCheck.data_too_large])",
    ],
)
def test_planted_limits_are_found(source: str) -> None:
    assert list(impatient(source.replace("await ", "")))


@pytest.mark.parametrize(
    "source", ["event.wait(0.01)", "event.wait(PATIENCE_S)", "asyncio.timeout(86_400)", "', '.join(x)"]
)
def test_others_are_not(source: str) -> None:
    assert not list(impatient(source))

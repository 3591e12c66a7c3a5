"""A Task's context without an engine around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext


class Now:
    """A clock that stands still: 23 September 2026, 22:17:11.644 UTC."""

    def now(self) -> float:
        return 1790201831.644

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("no handler waits")

    def jitter(self, seconds: float) -> float:
        raise AssertionError("no handler spreads")


@pytest.fixture
def beats() -> list[str]:
    """A mark for each heartbeat."""
    return []


@pytest.fixture
def task(beats: list[str]) -> Callable[..., TaskContext]:
    """`task(resource, **others)`: the context of a Task of the machine `machine`."""

    def make(resource: str = "r", **others: Any) -> TaskContext:
        given: dict[str, Any] = {
            "execution": "arn:aws:states:us-east-1:000000000000:execution:machine:run-1",
            "machine": "machine",
            "state": "T",
            "resource": resource,
            "attempt": 0,
            "label": None,
            "index": None,
            "token": None,
            "heartbeat": lambda: beats.append("beat"),
            "submitted": lambda output: None,
            "clock": Now(),
            "observer": lambda event: None,
        }
        return TaskContext(**{**given, **others})

    return make

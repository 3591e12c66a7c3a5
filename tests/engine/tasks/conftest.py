"""Fixtures of the handlers' tests: a Task's context without an execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext


class StoppedClock:
    """A clock that always shows 23 September 2026, 22:17:11.644 UTC."""

    def now(self) -> float:
        return 1790201831.644

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a handler slept")

    def jitter(self, seconds: float) -> float:
        raise AssertionError("a handler used jitter")


@pytest.fixture
def beats() -> list[str]:
    """Return a list to which each heartbeat adds an entry."""
    return []


@pytest.fixture
def task(beats: list[str]) -> Callable[..., TaskContext]:
    """Return `task(resource, **others)`, which returns the context of a Task of the machine `machine`."""

    def make(resource: str = "r", **others: Any) -> TaskContext:
        defaults: dict[str, Any] = {
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
            "clock": StoppedClock(),
            "observer": lambda event: None,
        }
        return TaskContext(**{**defaults, **others})

    return make

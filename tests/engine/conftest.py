"""Fixtures of the engine's tests: a clock without delays, buckets in memory, and a harness that runs documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonata  # noqa: F401  # sets the recursion limit, about which hypothesis warns inside a test
import pytest

from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.check_document import check_document
from genomics_pipeline.engine.events import Event
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.handlers import Handlers
from tests.fakes.memory_store import MemoryStore


class FakeClock:
    """A clock whose time passes only by sleeping.

    Attributes:
        time: The current time in seconds since the epoch.
        slept: All delays so far.
    """

    def __init__(self) -> None:
        self.time = 1_000_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def jitter(self, seconds: float) -> float:
        return seconds / 4


class Buckets(MemoryStore):
    """A store in memory, with queries for tests."""

    def lines(self, uri: str) -> Sequence[Any]:
        return [json.loads(line) for line in self.objects[uri].splitlines()]

    def uri_of(self, name: str) -> str:
        """Return the URI of the only object with that file name."""
        (uri,) = (uri for uri in self.objects if uri.endswith(f"/{name}"))
        return uri


def function(name: str) -> str:
    """Return the ARN of a function by its name; an ARN is returned unchanged."""
    return name if ":" in name else f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def with_functions(value: Any) -> Any:
    """Return states with the names of functions in Tasks replaced by ARNs."""
    if isinstance(value, dict):
        node = {key: with_functions(member) for key, member in value.items()}
        return {**node, "Resource": function(node["Resource"])} if node.get("Type") == "Task" else node
    return [with_functions(member) for member in value] if isinstance(value, list) else value


class EngineHarness:
    """The engine with a fake clock and store; it runs documents and keeps their events.

    Attributes:
        events: All events so far.
        journal: The folder of the journal of the next run.
        calls: The arguments of all calls of the function `echo`.
        history: The file for history events; None for none.
        fast_forward: Whether to run in virtual time.
    """

    def __init__(self, journal: Path) -> None:
        self.clock = FakeClock()
        self.store = Buckets()
        self.events: list[Event] = []
        self.journal = journal
        self.calls: list[Any] = []
        self.history: Path | None = None
        self.fast_forward = False

    def run(
        self,
        states: Mapping[str, Any],
        execution_input: Any = None,
        *,
        tasks: Mapping[str, Callable[..., Any]] | None = None,
        redrive: bool = False,
        **top: Any,
    ) -> ExecutionResult:
        document = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": with_functions(states), **top}

        async def echo(arguments: Any, context: Any) -> Any:
            self.calls.append(arguments)
            return arguments

        handlers = Handlers({function(name): task for name, task in {"echo": echo, **(tasks or {})}.items()})
        check_document(document, "machine", handlers)
        return execute(
            document,
            {} if execution_input is None else execution_input,
            name="run-1",
            state_machine="machine",
            store=self.store,
            tasks=handlers,
            journal=self.journal,
            observer=self.events.append,
            clock=self.clock,
            history=self.history,
            fast_forward=self.fast_forward,
            redrive=redrive,
        )

    def seen(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def harness(tmp_path: Path) -> EngineHarness:
    return EngineHarness(tmp_path / "journal")

"""What the engine's tests share: a clock without time, buckets in memory, and a way to run a document."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonata  # noqa: F401  # sets the recursion limit, and hypothesis minds that inside a test
import pytest

from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.check_document import check_document
from genomics_pipeline.engine.events import Event
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.handlers import Handlers
from tests.fakes.memory_store import MemoryStore


class FakeClock:
    """Time that passes only by sleeping; what was slept is kept."""

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
    """The store of a harness, with what tests ask of it."""

    def lines(self, uri: str) -> Sequence[Any]:
        return [json.loads(line) for line in self.objects[uri].splitlines()]

    def named(self, name: str) -> str:
        """The one object with that file name."""
        (found,) = (uri for uri in self.objects if uri.endswith(f"/{name}"))
        return found


def function(name: str) -> str:
    """The ARN of a function by its short name; an ARN stays as it is."""
    return name if ":" in name else f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def with_functions(value: Any) -> Any:
    """States whose Tasks may name their function shortly."""
    if isinstance(value, dict):
        found = {key: with_functions(member) for key, member in value.items()}
        return {**found, "Resource": function(found["Resource"])} if found.get("Type") == "Task" else found
    return [with_functions(member) for member in value] if isinstance(value, list) else value


class EngineHarness:
    """Runs documents, and keeps what was seen."""

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
        given: Any = None,
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
            {} if given is None else given,
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

"""A service that fails until it is repaired, for tests of redrives."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import StatesError
from tests.engine.conftest import EngineHarness

START = 1_000_000_000.0
CONTEXT = {
    "execution": "{% $states.context.Execution ~> |$|{}, ['Input', 'Id', 'RoleArn', 'Name']| %}",
    "state": "{% $states.context.State %}",
    "input": "{% $states.input %}",
}


class Service:
    """A service whose calls fail for some arguments until it is repaired.

    Attributes:
        broken: The arguments for which calls fail.
        ran: The arguments of all calls since the last repair.
    """

    def __init__(self, *broken: Any) -> None:
        self.broken = set(broken)
        self.ran: list[Any] = []

    async def work(self, arguments: Any, context: Any) -> Any:
        self.ran.append(arguments)
        if any(arguments == value for value in self.broken):
            raise StatesError("Bad", f"{arguments} is broken")
        return arguments

    def repair(self) -> list[Any]:
        """Let all further calls succeed, and return the arguments of the calls so far."""
        ran, self.ran, self.broken = self.ran, [], set()
        return ran


def task(name: Any, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "work", "Arguments": name, **fields}


def run(harness: EngineHarness, service: Service, states: dict[str, Any], **top: Any) -> Any:
    return harness.run(states, {"x": 1}, tasks={"work": service.work}, **top)

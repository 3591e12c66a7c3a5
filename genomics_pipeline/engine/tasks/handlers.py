"""Task handlers by resource, without mocks or functions."""

from __future__ import annotations

from genomics_pipeline.engine.execution import TaskHandler
from genomics_pipeline.model.errors import did_you_mean


class Handlers(dict[str, TaskHandler]):
    """The handlers of exactly these resources; an implementation of `engine.execution.Tasks`."""

    def handler(self, resource: str, machine: str, state: str) -> TaskHandler | None:
        """Return the handler of a resource; None if there is none. `machine` and `state` do not matter."""
        return self.get(resource)

    def advice(self, resource: str) -> str:
        """Return the message to the user about a Task without a handler."""
        return f"there is no handler for {resource!r}; {did_you_mean(resource, sorted(self))}"

    async def drain(self) -> None:
        """Do nothing: these handlers wait for all their work."""

"""Task handlers by their resource, where nothing is mocked."""

from __future__ import annotations

from genomics_pipeline.engine.execution import TaskHandler
from genomics_pipeline.model.errors import did_you_mean


class Handlers(dict[str, TaskHandler]):
    """`engine.execution.Tasks` of a run: just these resources."""

    def handler(self, resource: str, machine: str, state: str) -> TaskHandler | None:
        """Return the handler of that resource."""
        return self.get(resource)

    def advice(self, resource: str) -> str:
        """Return what a user is told of a Task that nothing here runs."""
        return f"nothing here runs {resource!r}; {did_you_mean(resource, sorted(self))}"

    async def drain(self) -> None:
        """Nothing is begun without being waited for."""

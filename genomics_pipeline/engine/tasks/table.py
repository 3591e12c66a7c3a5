"""Which handler runs a Task."""

from __future__ import annotations

from genomics_pipeline.engine.execution import TaskHandler


class Handlers(dict[str, TaskHandler]):
    """Task handlers by resource."""

    def handler(self, resource: str, machine: str, state: str) -> TaskHandler | None:
        """The handler of that resource."""
        return self.get(resource)

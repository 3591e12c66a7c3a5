"""The history events of a task, of one of three families according to its resource.

Lambda functions and activities that a state names directly have events of their own; every other resource is a
service integration (``arn:aws:states:::batch:submitJob.sync``) with ``Task…`` events. Shapes: botocore's model.
"""

from __future__ import annotations

from typing import Any

from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.language.errors import TIMEOUT, StatesError

REGION = "us-east-1"  # the region in all ARNs of the engine, although nothing runs there


class TaskEvents:
    """The events of one attempt of a task.

    Attributes:
        display_name: The name of the task in AWS's cause for a result that is too large.
    """

    def __init__(self, trail: Trail, resource: str) -> None:
        self._trail = trail
        self._resource = resource
        self._integrated: dict[str, Any] = {}
        self.display_name = resource
        if ":activity:" in resource:
            self._kind, self._name = "Activity", "activity"
        elif resource.startswith("arn:aws:states:::"):
            service, _, action = resource.removeprefix("arn:aws:states:::").rpartition(":")
            self._kind, self._name = "Task", "task"
            self._integrated = {"resourceType": service, "resource": action}
            self.display_name = service
        else:
            self._kind, self._name = "LambdaFunction", "lambdaFunction"

    def _add(self, suffix: str, details: dict[str, Any]) -> None:
        self._trail.add(f"{self._kind}{suffix}", f"{self._name}{suffix}", {**self._integrated, **details})

    def add_scheduled(self, arguments: Any, timeout_s: float | None, heartbeat_s: float | None) -> None:
        """Add the event of the task's scheduling.

        Args:
            arguments: The task's arguments.
            timeout_s: ``TimeoutSeconds``.
            heartbeat_s: ``HeartbeatSeconds``.
        """
        limits = {"timeoutInSeconds": timeout_s, "heartbeatInSeconds": heartbeat_s}
        if self._integrated:
            self._add("Scheduled", {"region": REGION, "parameters": arguments, **limits})
        else:
            if self._kind == "LambdaFunction":
                del limits["heartbeatInSeconds"]  # not a member of this event
            self._add("Scheduled", {"resource": self._resource, "input": arguments, **limits})

    def add_started(self) -> None:
        """Add the event of the task's start."""
        if self._integrated:
            self._add("Started", {})
        else:
            self._trail.add(f"{self._kind}Started")

    def add_submitted(self, output: Any) -> None:
        """Add the event of the response to the request of a ``.sync`` or ``.waitForTaskToken`` task."""
        if self._integrated:
            self._add("Submitted", {"output": output})

    def add_succeeded(self, output: Any) -> None:
        """Add the event of the task's success."""
        self._add("Succeeded", {"output": output})

    def add_failed(self, error: StatesError) -> None:
        """Add the event of the task's failure or timeout."""
        self._add("TimedOut" if error.error == TIMEOUT else "Failed", error.details())

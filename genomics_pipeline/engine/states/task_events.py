"""The history events of a task: three families, by what its resource is.

Lambda functions and activities that a state names directly have events of their own; everything else is an
integration (``arn:aws:states:::batch:submitJob.sync``) with ``Task…`` events. Shapes: botocore's model.
"""

from __future__ import annotations

from typing import Any

from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.language.errors import TIMEOUT, StatesError

REGION = "us-east-1"  # of every ARN here; nothing is there


class TaskEvents:
    """The events of one attempt.

    Attributes:
        called: What AWS calls the task in the cause of a result that is too large.
    """

    def __init__(self, trail: Trail, resource: str) -> None:
        self._trail = trail
        self._resource = resource
        self._integrated: dict[str, Any] = {}
        self.called = resource
        if ":activity:" in resource:
            self._kind, self._name = "Activity", "activity"
        elif resource.startswith("arn:aws:states:::"):
            service, _, action = resource.removeprefix("arn:aws:states:::").rpartition(":")
            self._kind, self._name = "Task", "task"
            self._integrated = {"resourceType": service, "resource": action}
            self.called = service
        else:
            self._kind, self._name = "LambdaFunction", "lambdaFunction"

    def _add(self, what: str, details: dict[str, Any]) -> None:
        self._trail.add(f"{self._kind}{what}", f"{self._name}{what}", {**self._integrated, **details})

    def scheduled(self, arguments: Any, timeout_s: float | None, heartbeat_s: float | None) -> None:
        """It is scheduled with these arguments."""
        limits = {"timeoutInSeconds": timeout_s, "heartbeatInSeconds": heartbeat_s}
        if self._integrated:
            self._add("Scheduled", {"region": REGION, "parameters": arguments, **limits})
        else:
            if self._kind == "LambdaFunction":
                del limits["heartbeatInSeconds"]  # which that event does not have
            self._add("Scheduled", {"resource": self._resource, "input": arguments, **limits})

    def started(self) -> None:
        """It is started."""
        if self._integrated:
            self._add("Started", {})
        else:
            self._trail.add(f"{self._kind}Started")

    def submitted(self, output: Any) -> None:
        """It was submitted, and goes on elsewhere: ``.sync``, ``.waitForTaskToken``."""
        if self._integrated:
            self._add("Submitted", {"output": output})

    def succeeded(self, output: Any) -> None:
        """It ended with this output."""
        self._add("Succeeded", {"output": output})

    def failed(self, error: StatesError) -> None:
        """It failed, or its time was over."""
        what = "TimedOut" if error.error == TIMEOUT else "Failed"
        self._add(what, error.details())

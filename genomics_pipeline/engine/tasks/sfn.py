"""``aws-sdk:sfn``: a state machine that ends a Task of another, or of itself, by its token."""

from __future__ import annotations

import json
from typing import Any

from genomics_pipeline.engine.execution import TaskContext, TaskHandler
from genomics_pipeline.engine.tasks.aws_response import require_arguments, sdk_cause
from genomics_pipeline.engine.tasks.callbacks import CallbackError, Callbacks
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.json_text import compact

SFN = "arn:aws:states:::aws-sdk:sfn:"


class SendTask:
    """The handlers of ``sendTaskSuccess``, ``sendTaskFailure`` and ``sendTaskHeartbeat``.

    Each answers an empty object, and fails as ``Sfn.InvalidTokenException``, ``Sfn.InvalidOutputException`` or
    ``Sfn.TaskTimedOutException``.
    """

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks

    def handlers(self) -> dict[str, TaskHandler]:
        """Return the handlers by their resources."""
        names = ("sendTaskSuccess", "sendTaskFailure", "sendTaskHeartbeat")
        return dict.fromkeys((SFN + name for name in names), self)

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Make the callback.

        Raises:
            StatesError: if it was refused.
        """
        try:
            self._send(context.resource.rsplit(":", 1)[-1], arguments)
        except CallbackError as refused:
            cause = sdk_cause(str(refused), "Sfn", 400)
            raise StatesError(f"Sfn.{refused.code}Exception", cause) from refused
        return {}

    def _send(self, name: str, arguments: Any) -> None:
        if name == "sendTaskSuccess":
            token, output = require_arguments(arguments, "TaskToken", "Output")
            self._callbacks.succeed(token, _value(output))
        elif name == "sendTaskFailure":
            (token,) = require_arguments(arguments, "TaskToken")
            self._callbacks.fail(token, arguments.get("Error") or "", arguments.get("Cause") or "")
        else:
            self._callbacks.heartbeat(*require_arguments(arguments, "TaskToken"))


def _value(output: Any) -> Any:
    """Return the value of the output, which is JSON text; any other value is written as text first."""
    try:
        return json.loads(output if isinstance(output, str) else compact(output))
    except ValueError:
        raise CallbackError("InvalidOutput", f"Invalid Output: '{output}' is not valid JSON.") from None

"""``aws-sdk:sfn``: callbacks by which a state machine ends a Task of another state machine, or of its own."""

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

    Each returns an empty object, and fails with ``Sfn.InvalidTokenException``, ``Sfn.InvalidOutputException`` or
    ``Sfn.TaskTimedOutException``.
    """

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks

    def handlers(self) -> dict[str, TaskHandler]:
        """Return the handlers by their resources."""
        names = ("sendTaskSuccess", "sendTaskFailure", "sendTaskHeartbeat")
        return dict.fromkeys((SFN + name for name in names), self)

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Make the callback that the resource's last part names.

        Raises:
            StatesError: if it is refused.
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
    """Return the output's value: that of JSON text, or any other value as it is."""
    try:
        return json.loads(output if isinstance(output, str) else compact(output))
    except ValueError:
        raise CallbackError("InvalidOutput", f"Invalid Output: '{output}' is not valid JSON.") from None

"""Activities: a Python function is the worker that polls ``arn:aws:states:REGION:ACCOUNT:activity:NAME``."""

from __future__ import annotations

import json
import re
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.callbacks import Callbacks
from genomics_pipeline.engine.tasks.functions import FunctionFailed, Functions
from genomics_pipeline.language.errors import StatesError

ACTIVITY = re.compile(r"arn:aws[\w-]*:states:[^:]*:[^:]*:activity:[^:]+")


class Activity:
    """The handler of activities that a function was given for.

    The function's return is the worker's SendTaskSuccess, what it raises its SendTaskFailure; its context's ``token``
    and ``heartbeat`` are the task's. A callback that uses the token before the function returns ends the task.
    """

    def __init__(self, functions: Functions, callbacks: Callbacks) -> None:
        self._functions = functions
        self._callbacks = callbacks

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Hand the task to the worker.

        Returns:
            The function's result.

        Raises:
            StatesError: the function's, or one named after its exception, with its message as the cause.
        """
        with self._callbacks.issue_token(context, context.resource) as ended:
            try:
                output = json.loads(await self._functions.call(context.resource, arguments, context))
            except FunctionFailed as failed:
                if not ended.done():
                    raise StatesError(failed.error, failed.message) from failed
            return await ended if ended.done() else output

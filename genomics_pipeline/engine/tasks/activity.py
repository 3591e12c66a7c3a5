"""Activities (``arn:aws:states:REGION:ACCOUNT:activity:NAME``), with a Python function as the activity worker."""

from __future__ import annotations

import json
import re
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.callbacks import Callbacks
from genomics_pipeline.engine.tasks.functions import Functions
from genomics_pipeline.engine.tasks.lambda_functions import FunctionFailed
from genomics_pipeline.language.errors import StatesError

ACTIVITY = re.compile(r"arn:aws[\w-]*:states:[^:]*:[^:]*:activity:[^:]+")


class Activity:
    """The handler of activities for which there is a function.

    The function's return value takes the place of the worker's SendTaskSuccess, its exception that of SendTaskFailure.
    ``token`` and ``heartbeat`` of its context are the task's. A callback with the token before the function returns
    ends the task.
    """

    def __init__(self, functions: Functions, callbacks: Callbacks) -> None:
        self._functions = functions
        self._callbacks = callbacks

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Call the worker's function.

        Returns:
            The function's result, or the output of a callback.

        Raises:
            StatesError: as raised by the function; for any other exception, its class as the error and its message as
                the cause.
        """
        with self._callbacks.issue_token(context, context.resource) as ended:
            try:
                output = json.loads(await self._functions.call(context.resource, arguments, context))
            except FunctionFailed as failed:
                if not ended.done():
                    raise StatesError(failed.error, failed.message) from failed
            return await ended if ended.done() else output

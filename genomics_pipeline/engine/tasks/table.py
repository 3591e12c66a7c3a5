"""The choice of a Task's handler: a mock, then a function of the user, then the handler of its resource or family."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from genomics_pipeline.engine.execution import TaskHandler
from genomics_pipeline.engine.tasks.activity import ACTIVITY, Activity
from genomics_pipeline.engine.tasks.callbacks import Callbacks, EndedByCallback, WaitForTaskToken
from genomics_pipeline.engine.tasks.functions import Functions
from genomics_pipeline.engine.tasks.lambda_invoke import FunctionTask
from genomics_pipeline.engine.tasks.mock import Mocks

CALLBACK = ".waitForTaskToken"
SYNC = (".sync", ".sync:2")
_PARTITION = re.compile(r"arn:aws[\w-]*:states:::")


class TaskTable:
    """All handlers of Tasks; an implementation of `engine.execution.Tasks`.

    Args:
        handlers: Handlers by resource. A key that ends with ``*`` stands for a family: all resources with that prefix.
            The handler of a ``.waitForTaskToken`` resource must itself wait for the callback.
        functions: The user's functions, by resource.
        callbacks: The tokens of functions for ``.waitForTaskToken`` resources and activities.
        mocks: The mocked responses, which come before all handlers.
        drains: Functions that wait for the work that Tasks started without waiting for it.
    """

    def __init__(
        self,
        handlers: Mapping[str, TaskHandler],
        functions: Functions,
        callbacks: Callbacks,
        mocks: Mocks | None = None,
        drains: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._drains = drains
        self._exact = {name: handler for name, handler in handlers.items() if not name.endswith("*")}
        families = {name[:-1]: handler for name, handler in handlers.items() if name.endswith("*")}
        self._families = sorted(families.items(), key=lambda family: -len(family[0]))  # the longest prefix first
        self._functions = functions
        self._mocks = mocks
        self._callbacks = callbacks
        function = FunctionTask(functions)
        self._function: TaskHandler = function
        self._function_and_token: TaskHandler = WaitForTaskToken(function, callbacks)
        self._activity: TaskHandler = Activity(functions, callbacks)

    def handler(self, resource: str, machine: str, state: str) -> TaskHandler | None:
        """Return the handler of a Task; None if there is none.

        Args:
            resource: The Task's ``Resource``.
            machine: Its state machine's name, ``NAME`` or ``NAME/LABEL``.
            state: The state's name.
        """
        if self._mocks and self._mocks.is_mocked(machine, state):
            return self._mocks
        if resource in self._functions:
            if ACTIVITY.fullmatch(resource):
                return self._activity
            return self._function_and_token if resource.endswith(CALLBACK) else self._function
        name = _PARTITION.sub("arn:aws:states:::", resource)
        handler = self._exact.get(name) or next(
            (handler for family, handler in self._families if name.startswith(family)), None
        )
        return EndedByCallback(handler, self._callbacks) if handler and name.endswith(SYNC) else handler

    async def drain(self) -> None:
        """Wait for the work that Tasks started without waiting for it."""
        for drain in self._drains:
            await drain()

    @staticmethod
    def advice(resource: str) -> str:
        """Return the message to the user about a Task without a handler."""
        return (
            f"there is no handler for {resource!r}: mock the state in a file given with --mock, "
            f"or name a Python function with --task {resource}=module:function"
        )

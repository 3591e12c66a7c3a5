"""Which handler runs a Task: a mock, then a function of the user's, then ours for its resource or its family."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from genomics_pipeline.engine.execution import TaskHandler
from genomics_pipeline.engine.tasks.activity import ACTIVITY, Activity
from genomics_pipeline.engine.tasks.callbacks import Callbacks, WaitForTaskToken
from genomics_pipeline.engine.tasks.functions import Functions
from genomics_pipeline.engine.tasks.lambda_invoke import FunctionTask
from genomics_pipeline.engine.tasks.mock import Mocks

CALLBACK = ".waitForTaskToken"
_PARTITION = re.compile(r"arn:aws[\w-]*:states:::")


class TaskTable:
    """The handlers there are.

    Args:
        handlers: Handlers by resource; a key that ends with ``*`` is a family's, all resources that begin so. The
            handler of a ``.waitForTaskToken`` resource is the wait as well.
        functions: Functions of the user's, by resource.
        callbacks: The tokens that functions of ``.waitForTaskToken`` resources and activities end.
        mocks: Answers that come before any handler.
        drains: Wait for what Tasks began and did not wait for.
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
        self._families = sorted(families.items(), key=lambda family: -len(family[0]))  # the nearest first
        self._functions = functions
        self._mocks = mocks
        function = FunctionTask(functions)
        self._function: TaskHandler = function
        self._function_and_token: TaskHandler = WaitForTaskToken(function, callbacks)
        self._activity: TaskHandler = Activity(functions, callbacks)

    def handler(self, resource: str, machine: str, state: str) -> TaskHandler | None:
        """Return the handler of a Task, None where nothing here runs it.

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
        if name in self._exact:
            return self._exact[name]
        return next((handler for family, handler in self._families if name.startswith(family)), None)

    async def drain(self) -> None:
        """Wait for what Tasks began and did not wait for: the engine does so before it ends."""
        for drain in self._drains:
            await drain()

    @staticmethod
    def advice(resource: str) -> str:
        """Return what a user is told of a Task that nothing here runs."""
        return (
            f"nothing here runs {resource!r}: mock the state in a file given with --mock, "
            f"or give a Python function with --task {resource}=module:function"
        )

"""The interruption of an execution by SIGINT, also while the event loop waits for an evaluation."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable
from types import FrameType
from typing import Any


class Interruption:
    """The signals that came and have not yet cancelled the execution."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._signalled = self._cancelled = False

    async def cancel_on_sigint(self, work: Awaitable[Any]) -> Any:
        """Await the work in this task, and cancel the task on SIGINT.

        The handler belongs to the loop, which wakes up at once; a handler of Python's `signal` module can be late.
        """
        self._task = asyncio.current_task()
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._cancel)
            signal.signal(signal.SIGINT, self._note)  # the loop's handler is called nevertheless
        return await work

    def check(self) -> None:
        """Cancel the execution if a signal came, in a callback that has blocked the loop or is about to do so.

        Raises:
            CancelledError: in the current task, if it did; also in tasks that run before they are cancelled.
        """
        self._cancel()
        if self._cancelled:
            raise asyncio.CancelledError

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True

    def _cancel(self) -> None:
        if self._signalled and self._task is not None:
            self._signalled, self._cancelled = False, True
            self._task.cancel()

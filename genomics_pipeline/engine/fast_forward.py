"""Virtual time: an event loop that skips delays while no real work is in progress."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from genomics_pipeline.engine.clock import SystemClock


class FastForwardLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer as soon as only timers are pending.

    Work in threads (jobs, functions, the journal) and open sockets are real: while there are any, time passes at its
    normal rate. Delays, retries and timeouts of a state machine all use the timers of this loop, so they keep their
    order.

    Attributes:
        skipped: The skipped time in seconds.
    """

    def __init__(self) -> None:
        self.skipped = 0.0
        self._work_in_progress = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the loop's time, including the skipped time."""
        return super().time() + self.skipped

    def is_idle(self, open_files: int) -> bool:
        """Return whether no real work is in progress; the loop itself keeps one file open."""
        return self._work_in_progress == 0 and open_files <= 1

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run a function in a thread; time does not jump before it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.start_work()
        future.add_done_callback(lambda _: self.end_work())
        return future

    def start_work(self) -> None:
        """Count the start of real work."""
        self._work_in_progress += 1

    def end_work(self) -> None:
        """Count the end of real work."""
        self._work_in_progress -= 1


@contextmanager
def real_work() -> Iterator[None]:
    """Mark the wait inside the block as one for real work that the loop does not know of, such as a new thread."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, FastForwardLoop):
        yield
        return
    loop.start_work()
    try:
        yield
    finally:
        loop.end_work()


class _Selector(selectors.DefaultSelector):
    """A selector that skips the time which the loop would sleep."""

    def __init__(self, loop: FastForwardLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the ready files, without waiting unless real work is in progress."""
        if not timeout or not self._loop.is_idle(len(self.get_map())):
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self._loop.skipped += timeout
        return ready


class FastForwardClock(SystemClock):
    """The time of a `FastForwardLoop`."""

    def now(self) -> float:
        """Return the time in seconds since the epoch, including the skipped time."""
        loop = asyncio.get_running_loop()
        return time.time() + (loop.skipped if isinstance(loop, FastForwardLoop) else 0.0)

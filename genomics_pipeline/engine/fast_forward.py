"""Virtual time: an event loop that does not wait where nothing real is being waited for."""

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
    """Its time jumps to the next timer as soon as only timers are left.

    Work in threads (jobs, functions, the journal) and open sockets are real: while there is any, time passes as it
    does. Delays, retries and timeouts of a state machine use this loop's timers, so all of them jump together.
    """

    def __init__(self) -> None:
        self.skipped = 0.0
        self._working = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the loop's time, with what was skipped."""
        return super().time() + self.skipped

    def is_idle(self, open_files: int) -> bool:
        """Return whether nothing real is being waited for; one open file is the loop's own."""
        return self._working == 0 and open_files <= 1

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Work in a thread: time does not jump before it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.start_work()
        future.add_done_callback(lambda _: self.end_work())
        return future

    def start_work(self) -> None:
        """Something real has begun."""
        self._working += 1

    def end_work(self) -> None:
        """It has ended."""
        self._working -= 1


@contextmanager
def real_work() -> Iterator[None]:
    """Mark what is waited for inside as real, where the loop cannot see it: a thread of one's own."""
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
    """Skips what the loop would sleep."""

    def __init__(self, loop: FastForwardLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; at once, unless something real is being waited for."""
        if not timeout or not self._loop.is_idle(len(self.get_map())):
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self._loop.skipped += timeout
        return ready


class FastForwardClock(SystemClock):
    """The time of a `FastForwardLoop`."""

    def now(self) -> float:
        """Seconds since the epoch, with what was skipped."""
        loop = asyncio.get_running_loop()
        return time.time() + (loop.skipped if isinstance(loop, FastForwardLoop) else 0.0)

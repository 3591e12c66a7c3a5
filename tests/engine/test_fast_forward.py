"""Virtual time: it jumps while only timers are pending, and not past real work."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from genomics_pipeline.engine.fast_forward import FastForwardClock, FastForwardLoop, real_work


def run(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=FastForwardLoop) as runner:
        return runner.run(work)


def test_delays_take_no_real_time_and_keep_their_order() -> None:
    async def work() -> tuple[list[int], float]:
        clock, order = FastForwardClock(), []

        async def after(hours: int) -> None:
            await clock.sleep(hours * 3600)
            order.append(hours)

        start = clock.now()
        await asyncio.gather(after(3), after(1), after(2))
        return order, clock.now() - start

    real = time.monotonic()
    order, seconds = run(work())
    assert order == [1, 2, 3]
    assert 3 * 3600 - 1 < seconds < 4 * 3600
    assert time.monotonic() - real < 3600


def test_a_timeout_is_skipped_too() -> None:
    async def work() -> None:
        async with asyncio.timeout(86_400):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(work())


@pytest.mark.parametrize("own_thread", [False, True])
def test_time_does_not_jump_past_work_in_a_thread(own_thread: bool) -> None:
    """Time work that lasts until a real timer fires, which a timeout of an hour in virtual time must not overtake."""

    async def work() -> str:
        loop = asyncio.get_running_loop()
        released = threading.Event()
        threading.Timer(0.05, released.set).start()
        async with asyncio.timeout(3600):
            if not own_thread:
                return "done" if await loop.run_in_executor(None, released.wait) else ""
            ended: asyncio.Future[str] = loop.create_future()

            def thread() -> None:
                released.wait()
                loop.call_soon_threadsafe(ended.set_result, "done")

            threading.Thread(target=thread).start()
            with real_work():
                return await ended

    assert run(work()) == "done"


def test_in_other_loops_real_work_has_no_effect() -> None:
    async def work() -> int:
        with real_work():
            return 1

    assert asyncio.run(work()) == 1

"""Work at the same time, at most so much at once; the first failure cancels the rest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any


async def run_all(work: Iterator[Coroutine[Any, Any, Any]], limit: int) -> list[Any]:
    """Results of all the work, in its order, at most `limit` at once; the first failure cancels the rest."""
    results: list[Any] = []
    numbered = enumerate(work)

    async def worker() -> None:
        for number, one in numbered:
            results.extend([None] * (number + 1 - len(results)))
            results[number] = await one

    await run_workers(worker, limit)
    return results


async def finish_before_cancellation(work: Awaitable[None]) -> None:
    """Do work that a cancellation must not cut in two: it is done first, and cancelled then."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled


async def run_workers(worker: Callable[[], Coroutine[Any, Any, None]], size: int) -> None:
    """Run so many of the same worker to their end; the first failure cancels the rest and is raised."""
    parent = asyncio.current_task()
    assert parent is not None
    cancelled = parent.cancelling()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(worker())
    except BaseExceptionGroup as failures:
        if sys.version_info < (3, 13) and parent.cancelling() > cancelled:
            parent.uncancel()  # before 3.13 a group leaves its own cancellation counted, which spoils outer timeouts
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None

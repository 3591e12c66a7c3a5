"""Concurrent work with a limit, where the first failure cancels the rest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any


async def run_all(work: Iterator[Coroutine[Any, Any, Any]], limit: int) -> list[Any]:
    """Run coroutines, at most `limit` at a time, and return their results in order; the first failure is raised."""
    results: list[Any] = []
    numbered = enumerate(work)

    async def worker() -> None:
        for number, coroutine in numbered:
            results.extend([None] * (number + 1 - len(results)))
            results[number] = await coroutine

    await run_workers(worker, limit)
    return results


async def finish_before_cancellation(work: Awaitable[None]) -> None:
    """Await work that must not be interrupted; a cancellation in the meantime is raised after its end."""
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
    """Run `size` instances of a worker to their end; the first failure cancels the others and is raised."""
    parent = asyncio.current_task()
    assert parent is not None
    cancelled = parent.cancelling()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(worker())
    except BaseExceptionGroup as failures:
        if sys.version_info < (3, 13) and parent.cancelling() > cancelled:
            # Before 3.13 a group does not take back its own cancellation, which would break outer timeouts.
            parent.uncancel()
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None

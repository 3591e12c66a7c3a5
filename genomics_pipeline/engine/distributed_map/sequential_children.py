"""The run of children without effects, one after the other in one thread, while their ends are written in another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from genomics_pipeline.engine.distributed_map.child import ChildRunner, EndedChild
from genomics_pipeline.engine.distributed_map.children import ChildInput
from genomics_pipeline.engine.states.concurrency import finish_before_cancellation

_CHILDREN = 1000  # that share one write to the journal
_ROW_BYTES = 8 << 20  # of theirs
_TURNS = 2  # of the event loop until a thread writes: `save` begins in one, the writer of the journal in the next


async def run_sequentially(
    runner: ChildRunner, inputs: Iterable[ChildInput], failed: int, is_exceeded: Callable[[int], bool]
) -> None:
    """Run children; while the ends of some are written, the next ones run.

    Args:
        runner: Their runner.
        inputs: Their inputs.
        failed: The number of items that have failed before.
        is_exceeded: Returns whether so many failed items are more than tolerated; no child is started then.
    """
    ended: list[EndedChild] = []
    row_bytes = 0
    writing = asyncio.ensure_future(asyncio.sleep(0))
    try:
        for child_input in inputs:
            if (child := runner.handed_on(child_input)) is None:
                execution = runner.start(child_input)
                child = runner.end(execution, child_input.items, run_without_waiting(runner.run(execution)))
            ended.append(child)
            row_bytes += child.end.row_bytes
            if child.end.row is None:
                failed += child_input.items
                if is_exceeded(failed):
                    break
            if len(ended) == _CHILDREN or row_bytes > _ROW_BYTES:
                await finish_before_cancellation(writing)
                writing = asyncio.ensure_future(runner.save(ended))
                ended, row_bytes = [], 0
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
    finally:  # after a failure to evaluate the next child's input too
        await finish_before_cancellation(writing)
        if ended:
            await finish_before_cancellation(runner.save(ended))


def run_without_waiting(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits and return its result."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a state without effects waited")

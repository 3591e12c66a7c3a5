"""Run a state machine document on this machine."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomics_pipeline.engine.result import ExecutionResult

if TYPE_CHECKING:
    from genomics_pipeline.engine.clock import Clock
    from genomics_pipeline.engine.events import Event
    from genomics_pipeline.engine.execution import Tasks
    from genomics_pipeline.stores.protocol import Store


def execute(
    document: Mapping[str, Any],
    execution_input: Any,
    *,
    name: str,
    state_machine: str,
    store: Store,
    tasks: Tasks,
    journal: Path,
    observer: Callable[[Event], None] = lambda event: None,
    clock: Clock | None = None,
    history: Path | None = None,
    fast_forward: bool = False,
    redrive: bool = False,
) -> ExecutionResult:
    """Run a document to its end, or go on where the journal says it was interrupted.

    The document must be one that AWS would take and whose Tasks can be run: `check_document` tells. It is
    not asked here, as what was generated is known to be such.

    A child of a Map Run that ended is not run again, and no Task of the execution itself that ended; a Map Run keeps
    its UUID. When the journal holds the end already, that is the answer.

    Args:
        document: The state machine.
        execution_input: Its input, any JSON value.
        name: The execution's name.
        state_machine: The state machine's name.
        store: Where buckets lie.
        tasks: What Task states call.
        journal: A folder for this execution alone.
        observer: Told what happens; see `events`.
        clock: Time and chance; the real ones unless a test replaces them.
        history: A file that the execution's events are added to, one JSON line each.
        fast_forward: Let time jump where only delays are waited for.
        redrive: Where the journal says that the execution failed, timed out or was aborted, go on from there as AWS's
            RedriveExecution does; see `redrive`.

    Returns:
        How it ended. A failed state machine is an answer, not an exception.

    Raises:
        RunError: for a journal that is damaged, of another execution, or of one to be redriven that succeeded.
        KeyboardInterrupt: when interrupted: running tasks were cancelled and awaited, and the journal can be resumed.
    """
    import asyncio

    from genomics_pipeline.engine.clock import SystemClock
    from genomics_pipeline.engine.execution import Engine
    from genomics_pipeline.engine.fast_forward import FastForwardClock, FastForwardLoop
    from genomics_pipeline.engine.history import EventFile
    from genomics_pipeline.engine.start import StartRequest, run_execution

    journal.mkdir(parents=True, exist_ok=True)
    engine = Engine(store, tasks, clock or (FastForwardClock() if fast_forward else SystemClock()), observer, journal)
    beginning = StartRequest(document, execution_input, name, state_machine)

    async def whole() -> ExecutionResult:
        with EventFile(history) as events:
            result = await run_execution(engine, beginning, events, redrive)
        await tasks.drain()
        return result

    with asyncio.Runner(loop_factory=FastForwardLoop if fast_forward else None) as runner:
        try:
            return runner.run(_interruptible(whole()))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _interruptible(work: Coroutine[Any, Any, ExecutionResult]) -> ExecutionResult:
    """Cancel the work on SIGINT. A handler of the loop wakes it at once; one of Python's can come late."""
    import asyncio
    import signal
    import threading

    task = asyncio.current_task()
    assert task is not None
    if threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    return await work

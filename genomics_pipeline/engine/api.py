"""The entry point of the engine: one call executes a state machine document on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """Execute a document to its end, or resume the execution from its journal.

    The document must be one that AWS accepts and whose Tasks all have a handler. `check_document` verifies that; it
    is not called here, because generated documents are known to be valid.

    On resuming, neither children of a Map Run nor Tasks of the execution itself that have ended run again, and a Map
    Run keeps its UUID. If the journal already records the end of the execution, that result is returned.

    Args:
        document: The state machine.
        execution_input: The input, any JSON value.
        name: The execution's name.
        state_machine: The state machine's name.
        store: The store that holds the buckets.
        tasks: The handlers of Task states.
        journal: A folder for this execution alone.
        observer: Receives each event as it happens; see `events`.
        clock: The source of time and jitter; by default the system's.
        history: A file to which the history events of the execution are appended, one JSON line each.
        fast_forward: Skip delays while nothing else is being waited for.
        redrive: If the journal says that the execution failed, timed out or was aborted, continue it as AWS's
            RedriveExecution does; see `redrive`.

    Returns:
        The end of the execution. The failure of a state machine is a result, not an exception.

    Raises:
        RunError: if the journal is damaged or belongs to another execution, or if the execution to redrive succeeded.
        KeyboardInterrupt: on SIGINT, after running tasks were cancelled and awaited; the journal can be resumed.
    """
    import asyncio

    from genomics_pipeline.engine.clock import SystemClock
    from genomics_pipeline.engine.execution import Engine
    from genomics_pipeline.engine.fast_forward import FastForwardClock, FastForwardLoop
    from genomics_pipeline.engine.history import EventFile
    from genomics_pipeline.engine.start import StartRequest, run_execution
    from genomics_pipeline.stores.publish import make_folders

    make_folders(journal)
    engine = Engine(store, tasks, clock or (FastForwardClock() if fast_forward else SystemClock()), observer, journal)
    request = StartRequest(document, execution_input, name, state_machine)

    async def run_and_drain() -> ExecutionResult:
        with EventFile(history) as events:
            result = await run_execution(engine, request, events, redrive)
        await tasks.drain()
        return result

    with asyncio.Runner(loop_factory=FastForwardLoop if fast_forward else None) as runner:
        try:
            result: ExecutionResult = runner.run(engine.interruption.cancel_on_sigint(run_and_drain()))
            return result
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

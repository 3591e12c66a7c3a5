"""Run a state machine document on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomics_pipeline.model.errors import RunError

if TYPE_CHECKING:
    from genomics_pipeline.engine.clock import Clock
    from genomics_pipeline.engine.events import Event
    from genomics_pipeline.engine.execution import Engine, Execution, TaskHandler
    from genomics_pipeline.stores.protocol import Store


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """How an execution ended.

    Attributes:
        status: ``SUCCEEDED``, ``FAILED`` or ``TIMED_OUT``.
        output: Its output, when it succeeded.
        error: The error's name, unless it succeeded.
        cause: The error's cause, unless it succeeded.
        map_runs: Every Map Run, in the order they ended: ``MapRunArn, Label, Status, ItemCounts, ExecutionCounts,
            Transitions``, and ``ResultWriterDetails`` where it wrote results.
        transitions: State transitions that AWS would bill: one a child started, one a state entered, one a retry.
    """

    status: str
    output: Any = None
    error: str | None = None
    cause: str | None = None
    map_runs: list[dict[str, Any]] = field(default_factory=list)
    transitions: int = 0


def execute(
    document: Mapping[str, Any],
    execution_input: Any,
    *,
    name: str,
    state_machine: str,
    store: Store,
    tasks: Mapping[str, TaskHandler],
    journal: Path,
    observer: Callable[[Event], None] = lambda event: None,
    clock: Clock | None = None,
) -> ExecutionResult:
    """Run a document to its end, or go on where the journal says it was interrupted.

    A child of a Map Run that ended is not run again, and no Task of the execution itself that ended; a Map Run keeps
    its UUID. When the journal holds the end already, that is the answer.

    Args:
        document: The state machine.
        execution_input: Its input, any JSON value.
        name: The execution's name.
        state_machine: The state machine's name.
        store: Where buckets lie.
        tasks: Handlers of Task resources, by their ARN.
        journal: A folder for this execution alone.
        observer: Told what happens; see `events`.
        clock: Time and chance; the real ones unless a test replaces them.

    Returns:
        How it ended. A failed state machine is an answer, not an exception.

    Raises:
        DataError: for a document that cannot be run here, every problem at once.
        RunError: for a journal that is damaged, or of another execution.
        KeyboardInterrupt: when interrupted: running tasks were cancelled and awaited, and the journal can be resumed.
    """
    import asyncio

    from genomics_pipeline.engine.clock import SystemClock
    from genomics_pipeline.engine.execution import Engine
    from genomics_pipeline.engine.validation.document import check

    check(document, tasks.keys())
    journal.mkdir(parents=True, exist_ok=True)
    engine = Engine(store, tasks, clock or SystemClock(), observer, journal)
    try:
        return asyncio.run(_interruptible(_execute(engine, document, execution_input, name, state_machine)))
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


async def _execute(
    engine: Engine, document: Mapping[str, Any], value: Any, name: str, state_machine: str
) -> ExecutionResult:
    from genomics_pipeline.engine.execution import Execution
    from genomics_pipeline.engine.journal import Log, Memory, Recorder, read

    path = engine.folder / "execution.jsonl"
    begin = {"document": _digest(document), "input": _digest(value), "name": name, "stateMachine": state_machine}
    memory, started = Memory(), None
    for record in read(path) if path.exists() else ():
        if "begin" in record:
            started = record["started"]
            if record["begin"] != begin:
                raise RunError(f"{path}: the journal is of another execution; give this one a folder of its own")
        elif "result" in record:
            return ExecutionResult(**record["result"])
        memory.learn(record)
    engine.map_runs.update({run["MapRunArn"]: run for run in memory.runs})
    log = Log(path)
    try:
        if started is None:
            started = engine.clock.now()
            await log.append({"begin": begin, "started": started})
        execution = Execution(engine, state_machine, name, value, started, Recorder(log, memory))
        result = await _run(execution, document)
        await log.append({"result": asdict(result)})
        return result
    finally:
        await log.close()


async def _run(execution: Execution, document: Mapping[str, Any]) -> ExecutionResult:
    import asyncio

    from genomics_pipeline.engine.errors import TIMEOUT, StatesError
    from genomics_pipeline.engine.interpreter import Frame, run_machine

    limit = document.get("TimeoutSeconds")
    deadline = asyncio.timeout(limit)
    ended: dict[str, Any]
    try:
        async with deadline:
            ended = {
                "status": "SUCCEEDED",
                "output": await run_machine(Frame(execution, document), execution.input, {}),
            }
    except StatesError as error:
        ended = {"status": "FAILED", "error": error.error, "cause": error.cause}
    except TimeoutError:
        if not deadline.expired():
            raise
        ended = {"status": "TIMED_OUT", "error": TIMEOUT, "cause": f"The execution did not end within {limit} seconds."}
    runs = list(execution.engine.map_runs.values())
    transitions = execution.transitions + sum(run["Transitions"] for run in runs)
    return ExecutionResult(**ended, map_runs=runs, transitions=transitions)


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()

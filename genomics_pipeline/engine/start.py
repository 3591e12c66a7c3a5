"""One execution from its beginning to its end, by its journal."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from genomics_pipeline.engine.api import ExecutionResult
from genomics_pipeline.engine.errors import TIMEOUT, StatesError
from genomics_pipeline.engine.execution import ROLE, Engine, Execution
from genomics_pipeline.engine.history import EventFile, History
from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.journal import Log, Memory, Recorder, read
from genomics_pipeline.engine.json_text import dumps
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.model.errors import RunError


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an execution begins with: a document, its input, its own name and its state machine's."""

    document: Mapping[str, Any]
    input: Any
    name: str
    machine: str

    def digest(self) -> dict[str, str]:
        """What tells it from others, without its payloads."""
        return {
            "document": _digest(self.document),
            "input": _digest(self.input),
            "name": self.name,
            "stateMachine": self.machine,
        }


async def run_execution(engine: Engine, beginning: Beginning, events: EventFile) -> ExecutionResult:
    """Run an execution, or go on with it; its journal is `engine.folder`.

    Raises:
        RunError: for a journal that is damaged, or of another execution.
    """
    path = engine.folder / "execution.jsonl"
    digest = beginning.digest()
    memory, started = Memory(), None
    for record in read(path) if path.exists() else ():
        if "begin" in record:
            started = record["started"]
            if record["begin"] != digest:
                raise RunError(f"{path}: the journal is of another execution; give this one a folder of its own")
        elif "result" in record:
            return ExecutionResult(**record["result"])
        memory.learn(record)
    engine.map_runs.update({run["mapRunArn"]: run for run in memory.runs})
    log = Log(path)
    try:
        trail = Trail(History(engine.clock, events.write, events.last), events.last)
        if started is None:
            started = engine.clock.now()
            await log.append({"begin": digest, "started": started})
            trail.history.add("ExecutionStarted", 0, "executionStarted", {"input": beginning.input, "roleArn": ROLE})
        engine.log = Recorder(log, memory)
        execution = Execution(
            engine,
            beginning.machine,
            beginning.name,
            beginning.input,
            started,
            engine.log,
            trail.history,
            beginning.document.get("QueryLanguage", "JSONPath"),
        )
        result = await _run(execution, beginning.document, trail)
        await log.append({"result": asdict(result)})
        return result
    finally:
        await log.close()


async def _run(execution: Execution, document: Mapping[str, Any], trail: Trail) -> ExecutionResult:
    deadline = asyncio.timeout(document.get("TimeoutSeconds"))
    ended: dict[str, Any]
    try:
        async with deadline:
            output = await run_machine(Frame(execution, document, trail), execution.input, {})
        ended = {"status": "SUCCEEDED", "output": output}
        trail.add("ExecutionSucceeded", "executionSucceeded", {"output": output})
    except StatesError as error:
        ended = {"status": "FAILED", **error.details()}
        trail.add("ExecutionFailed", "executionFailed", error.details())
    except TimeoutError:
        if not deadline.expired():
            raise
        ended = {"status": "TIMED_OUT", "error": TIMEOUT, "cause": None}
        trail.history.add("ExecutionTimedOut", 0, "executionTimedOut", {"error": TIMEOUT})
    except asyncio.CancelledError:
        if (stop := execution.engine.stop) is None:
            raise
        ended = {"status": "ABORTED", **asdict(stop)}
        trail.history.add("ExecutionAborted", 0, "executionAborted", asdict(stop))
    runs = list(execution.engine.map_runs.values())
    return ExecutionResult(
        **ended,
        map_runs=runs,
        transitions=execution.transitions + sum(run["transitions"] for run in runs),
        seconds=round(execution.engine.clock.now() - execution.started, 3),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(dumps(value, sort_keys=True)).hexdigest()

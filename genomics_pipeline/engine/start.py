"""One execution from its beginning to its end, by its journal."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.execution import ROLE, Engine, Execution
from genomics_pipeline.engine.history import EventFile, History
from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.journal import JournalFile, JournalRecord, JournalState, Recorder, read_records
from genomics_pipeline.engine.redrive import NOT_REDRIVABLE, NOT_REDRIVEN, Redrives
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.language.errors import TIMEOUT, StatesError
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import dumps


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The beginning of an execution: a document, its input, its own name and its state machine's."""

    document: Mapping[str, Any]
    input: Any
    name: str
    machine: str

    def digest(self) -> dict[str, str]:
        """Return what identifies the execution, without its payloads."""
        return {
            "document": _digest(self.document),
            "input": _digest(self.input),
            "name": self.name,
            "stateMachine": self.machine,
        }


@dataclass(slots=True)
class _Past:
    """The past of an execution, from its journal."""

    state: JournalState = field(default_factory=JournalState)
    started: float | None = None
    end: JournalRecord | None = None
    redrives: Redrives = NOT_REDRIVEN

    @classmethod
    def read(cls, path: Path, digest: dict[str, str]) -> _Past:
        past = cls()
        for record in read_records(path) if path.exists() else ():
            if "begin" in record:
                past.started = record["started"]
                if record["begin"] != digest:
                    raise RunError(f"{path}: the journal is of another execution; give this one a folder of its own")
            elif "result" in record:
                past.end = record
            elif "redrive" in record:
                past.go_on(Redrives.of(record))
            else:
                past.state.apply(record)
        return past

    def go_on(self, redrives: Redrives) -> None:
        """It was redriven: from the state that it ended in, where that is known."""
        if self.end and "state" in self.end:
            self.state.apply(self.end["state"])
        self.end, self.redrives = None, redrives


async def run_execution(
    engine: Engine, beginning: StartRequest, events: EventFile, redrive: bool = False
) -> ExecutionResult:
    """Run an execution, or go on with it; its journal is `engine.folder`.

    Args:
        engine: What it shares with its children.
        beginning: What it begins with.
        events: Where its history goes.
        redrive: Go on with one that ended, and not well; see `redrive`.

    Raises:
        RunError: for a journal that is damaged, of another execution, or of one to be redriven that succeeded.
    """
    path = engine.folder / run_layout.EXECUTION_JOURNAL
    digest = beginning.digest()
    past = _Past.read(path, digest)
    if past.end and not redrive:
        return ExecutionResult(**past.end["result"])
    if past.end and past.end["result"]["status"] == "SUCCEEDED":
        raise RunError(f"{path}: {NOT_REDRIVABLE.format('SUCCEEDED')}")
    state, started = past.state, past.started
    engine.map_runs.update({run["mapRunArn"]: run for run in state.runs})
    engine.map_runs_to_replace.update(state.map_runs_to_replace)
    log = JournalFile(path)
    try:
        trail = Trail(History(engine.clock, events.write, events.last), events.last)
        if started is None:
            started = engine.clock.now()
            await log.append({"begin": digest, "started": started})
            trail.history.add("ExecutionStarted", 0, "executionStarted", {"input": beginning.input, "roleArn": ROLE})
        elif past.end:
            past.go_on(past.redrives.next(engine.clock.now()))
            await log.append(past.redrives.record())
            trail.add("ExecutionRedriven", "executionRedriven", {"redriveCount": past.redrives.count})
        engine.log = Recorder(log, state)
        execution = Execution(
            engine,
            beginning.machine,
            beginning.name,
            beginning.input,
            started,
            engine.log,
            trail.history,
            beginning.document.get("QueryLanguage", "JSONPath"),
            redrives=past.redrives,
        )
        frame = Frame(execution, beginning.document, trail)
        result = await _run(frame)
        await log.append({"result": asdict(result), **({} if result.status == "SUCCEEDED" else frame.redrive_state())})
        return result
    finally:
        await log.close()


async def _run(frame: Frame) -> ExecutionResult:
    execution, trail = frame.execution, frame.trail
    deadline = asyncio.timeout(frame.machine.get("TimeoutSeconds"))
    ended: dict[str, Any]
    try:
        async with deadline:
            output = await run_machine(frame, execution.input, {})
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

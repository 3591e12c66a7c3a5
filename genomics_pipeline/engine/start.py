"""The run of one execution from its start, or from where its journal ends, to its end."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
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
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import dumps


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The request to start an execution.

    Attributes:
        document: The state machine.
        input: The input, any JSON value.
        name: The execution's name.
        machine: The state machine's name.
    """

    document: Mapping[str, Any]
    input: Any
    name: str
    machine: str

    def digest(self) -> dict[str, str]:
        """Return the identity of the execution, with digests of the document and the input."""
        return {
            "document": _digest(self.document),
            "input": _digest(self.input),
            "name": self.name,
            "stateMachine": self.machine,
        }


@dataclass(slots=True)
class _JournaledExecution:
    """An execution as its journal knows it.

    Attributes:
        state: Its frames and Map Runs.
        started: Start time in seconds since the epoch; None if it has not started.
        end: The record of its end; None if it has not ended.
        redrives: Its redrives.
    """

    state: JournalState = field(default_factory=JournalState)
    started: float | None = None
    end: JournalRecord | None = None
    redrives: Redrives = NOT_REDRIVEN

    @classmethod
    def read(cls, path: Path, digest: dict[str, str]) -> _JournaledExecution:
        journaled = cls()
        for record in read_records(path) if path.exists() else ():
            if "begin" in record:
                journaled.started = record["started"]
                if record["begin"] != digest:
                    raise RunError(f"{path}: the journal belongs to another execution; use another folder")
            elif "result" in record:
                journaled.end = record
            elif "redrive" in record:
                journaled.redrive(Redrives.of(record))
            else:
                journaled.state.apply(record)
        return journaled

    def redrive(self, redrives: Redrives) -> None:
        """Reopen the execution, in the state in which it ended if that is recorded."""
        if self.end and "state" in self.end:
            self.state.apply(self.end["state"])
        self.end, self.redrives = None, redrives


async def run_execution(
    engine: Engine, request: StartRequest, events: EventFile, redrive: bool = False
) -> ExecutionResult:
    """Run an execution, or resume it from the journal in `engine.folder`.

    Args:
        engine: The state that it shares with its children.
        request: The request to start it; the same one if it is resumed.
        events: The file for its history.
        redrive: If it has ended without success, continue it; see `redrive`.

    Raises:
        RunError: if the journal is damaged or belongs to another execution, or if the execution to redrive succeeded.
    """
    path = engine.folder / run_layout.EXECUTION_JOURNAL
    journaled = _JournaledExecution.read(path, request.digest())
    if journaled.end and not redrive:
        return ExecutionResult(**journaled.end["result"])
    if journaled.end and journaled.end["result"]["status"] == "SUCCEEDED":
        raise RunError(f"{path}: {NOT_REDRIVABLE.format('SUCCEEDED')}")
    engine.map_runs.update({run["mapRunArn"]: run for run in journaled.state.runs})
    engine.map_runs_to_replace.update(journaled.state.map_runs_to_replace)
    file = JournalFile(path)
    try:
        trail = Trail(History(engine.clock, events.write, events.last), events.last)
        started = await _open(engine, request, journaled, file, trail)
        engine.log = Recorder(file, journaled.state)
        execution = Execution(
            engine,
            request.machine,
            request.name,
            request.input,
            started,
            engine.log,
            trail.history,
            request.document.get("QueryLanguage", "JSONPath"),
            redrives=journaled.redrives,
        )
        frame = Frame(execution, request.document, trail)
        result = await _run_to_end(frame)
        await file.append({"result": asdict(result), **({} if result.status == "SUCCEEDED" else frame.redrive_state())})
        return result
    finally:
        await file.close()


async def _open(
    engine: Engine, request: StartRequest, journaled: _JournaledExecution, file: JournalFile, trail: Trail
) -> float:
    """Record the start or the redrive of the execution, if this is one, and return the start time."""
    started = journaled.started
    if started is None:
        started = engine.clock.now()
        await file.append({"begin": request.digest(), "started": started})
        trail.history.add("ExecutionStarted", 0, "executionStarted", {"input": request.input, "roleArn": ROLE})
    elif journaled.end:
        journaled.redrive(journaled.redrives.next(engine.clock.now()))
        await file.append(journaled.redrives.record())
        trail.add("ExecutionRedriven", "executionRedriven", {"redriveCount": journaled.redrives.count})
    return started


async def _run_to_end(frame: Frame) -> ExecutionResult:
    execution, trail = frame.execution, frame.trail
    longest = quotas.STANDARD_SECONDS.value
    deadline = asyncio.timeout(min(frame.machine.get("TimeoutSeconds", longest), longest))
    execution.is_ended_from_outside = lambda: execution.engine.stop is not None or deadline.expired()
    end: dict[str, Any]
    try:
        async with deadline:
            output = await run_machine(frame, execution.input, {})
        end = {"status": "SUCCEEDED", "output": output}
        trail.add("ExecutionSucceeded", "executionSucceeded", {"output": output})
    except StatesError as error:
        end = {"status": "FAILED", **error.details()}
        trail.add("ExecutionFailed", "executionFailed", error.details())
    except TimeoutError:
        if not deadline.expired():
            raise
        end = {"status": "TIMED_OUT", "error": TIMEOUT, "cause": None}
        trail.history.add("ExecutionTimedOut", 0, "executionTimedOut", {"error": TIMEOUT})
    except asyncio.CancelledError:
        if (stop := execution.engine.stop) is None:
            raise
        end = {"status": "ABORTED", **asdict(stop)}
        trail.history.add("ExecutionAborted", 0, "executionAborted", asdict(stop))
    runs = _in_order(execution.engine.map_runs.values())
    return ExecutionResult(
        **end,
        map_runs=runs,
        transitions=execution.transitions + sum(run["transitions"] for run in runs),
        seconds=round(execution.engine.clock.now() - execution.started, 3),
    )


def _in_order(map_runs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return Map Runs in the order of their ends; those that were aborted together, in that of their executions.

    The names of children have their indexes, and in ARNs a child's state machine ``machine/Label:`` precedes
    ``machine:``, so that a Map Run within a child comes before the one that the child is of.
    """
    runs = list(map_runs)
    aborted = iter(sorted((run for run in runs if _is_aborted(run)), key=lambda run: str(run["executionArn"])))
    return [next(aborted) if _is_aborted(run) else run for run in runs]


def _is_aborted(map_run: Mapping[str, Any]) -> bool:
    return bool(map_run["status"] == "ABORTED")


def _digest(value: Any) -> str:
    return hashlib.sha256(dumps(value, sort_keys=True)).hexdigest()

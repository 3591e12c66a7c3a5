"""One execution of the fake Step Functions: the engine in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.events import ChildEnded, ChildStarted, Event, MapRunEnded, MapRunStarted
from genomics_pipeline.engine.execution import ARN, Engine, Stop, Tasks
from genomics_pipeline.engine.history import EventFile
from genomics_pipeline.engine.journal import read_records
from genomics_pipeline.engine.progress import row_of_success
from genomics_pipeline.engine.redrive import NOT_REDRIVABLE
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.start import StartRequest, run_execution
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.stores.protocol import Store
from tests.fakes.faults import ApiError
from tests.patience import PATIENCE_S


@dataclass
class Machine:
    """A state machine.

    Attributes:
        name: Its name.
        definition: The text of the document.
        role: The ARN of its role.
        created: The time of its creation, in seconds since the epoch.
    """

    name: str
    definition: str
    role: str
    created: float = field(default_factory=time.time)

    @property
    def arn(self) -> str:
        """The ARN."""
        return f"{ARN}:stateMachine:{self.name}"


@dataclass
class Child:
    """A child execution of a Map Run."""

    map_run: str
    machine: str
    name: str
    place: int
    input: Any
    started: float
    items: int
    status: str = "RUNNING"
    stopped: float | None = None
    error: str | None = None
    cause: str | None = None
    redrive_times: list[float] = field(default_factory=list)
    before: str = ""

    @property
    def arn(self) -> str:
        """The ARN."""
        return f"{ARN}:execution:{self.machine}:{self.name}"

    def mark_pending_redrive(self) -> None:
        """Mark the child as pending a redrive, unless it succeeded."""
        if self.status != "SUCCEEDED":
            self.before, self.status = self.status, "PENDING_REDRIVE"

    def restore_status(self) -> None:
        """Restore the status from before, if the Map Run ended before the child was redriven."""
        if self.status == "PENDING_REDRIVE":
            self.status = self.before

    def redrive(self, now: float) -> None:
        """Mark the child as redriven, and running."""
        self.status, self.stopped, self.error, self.cause = "RUNNING", None, None, None
        self.redrive_times.append(now)

    def list_entry(self) -> dict[str, Any]:
        """Return the entry in ListExecutions."""
        return {
            "executionArn": self.arn,
            "stateMachineArn": f"{ARN}:stateMachine:{self.machine}",
            "name": self.name,
            "status": self.status,
            "startDate": self.started,
            **({} if self.stopped is None else {"stopDate": self.stopped}),
            "mapRunArn": self.map_run,
            "itemCount": self.items,
            **redrives(self.redrive_times),
        }


@dataclass
class Environment:
    """The environment that all executions of a fake share: storage, tasks and time."""

    store: Store
    tasks: Callable[[Path], Tasks]
    clock: Clock


class Execution:
    """An execution, which starts immediately.

    Attributes:
        arn: Its ARN.
        map_runs: ARNs of its Map Runs, in the order they began.
        children: Its Map Runs' children, in the order they began, by their ARNs.
        failure: The error of the engine or of a test's function, if there was one.
    """

    def __init__(self, machine: Machine, name: str, text: str, folder: Path, environment: Environment) -> None:
        self.redrive_times: list[float] = []
        self._tokens: dict[str, float] = {}
        self._environment = environment
        self.machine, self.name, self.text, self.folder = machine, name, text, folder
        self.arn = f"{ARN}:execution:{machine.name}:{name}"
        self.started = time.time()
        self.stopped: float | None = None
        self.map_runs: list[str] = []
        self.children: dict[str, Child] = {}
        self.failure: BaseException | None = None
        self._result: ExecutionResult | None = None
        self._stop: Stop | None = None
        self._changed = threading.Condition()
        self._labels: dict[str, str] = {}
        folder.mkdir(parents=True)
        self._start()

    def _start(self) -> None:
        environment = self._environment
        self._engine = Engine(
            environment.store, environment.tasks(self.folder), environment.clock, self._observe, self.folder
        )
        self._started_event = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.arn, daemon=True)
        self._thread.start()
        self._started_event.wait()

    # Methods for other threads.

    @property
    def status(self) -> str:
        """``RUNNING``, or the final status."""
        if self._stop is not None:
            return "ABORTED"
        if self.failure is not None:
            return "FAILED"
        return "RUNNING" if self._result is None else self._result.status

    def description(self) -> dict[str, Any]:
        """Return the response of DescribeExecution."""
        response = {**self.list_entry(), "input": self.text, "inputDetails": {"included": True}}
        if self.status == "SUCCEEDED":
            assert self._result is not None
            response |= {"output": compact(self._result.output), "outputDetails": {"included": True}}
        elif self.status != "RUNNING":
            end = self._stop or self._result or Stop("States.Runtime", repr(self.failure))
            response |= {key: text for key in ("error", "cause") if (text := getattr(end, key)) is not None}
        if (reason := self.not_redrivable()) is None:
            return {**response, "redriveStatus": "REDRIVABLE"}
        return {**response, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}

    def not_redrivable(self) -> str | None:
        """Return ``redriveStatusReason``: the first two as recorded on AWS, the others as in botocore's model."""
        now, status = time.time(), self.status
        if status in ("RUNNING", "SUCCEEDED"):
            return NOT_REDRIVABLE.format(status)
        if len(self.history()) > quotas.REDRIVE_HISTORY.value:
            return "Execution history event limit exceeded"
        if now - self.started > quotas.STANDARD_SECONDS.value:
            return "Execution has exceeded the max execution time"
        if now - (self.stopped or now) > quotas.REDRIVE_DAYS.value * 86_400:
            return "Execution redrivable period exceeded"
        return None

    def redrive(self, token: str) -> float:
        """Redrive the execution and return the time; with the token of an earlier redrive, return the time of that one.

        Raises:
            ApiError: ``ExecutionNotRedrivable``.
        """
        if token in self._tokens:  # as recorded, while that redrive runs and after its end
            return self._tokens[token]
        if reason := self.not_redrivable():
            raise ApiError("ExecutionNotRedrivable", f"Execution {self.arn} invalid for redrive as: {reason}")
        self._thread.join()  # a Map Run that is still canceling or writing completes first
        before = self._engine.map_runs
        self.stopped, self._result, self._stop = None, None, None
        self.redrive_times.append(time.time())
        self._tokens = dict([*self._tokens.items(), (token, self.redrive_times[-1])][-quotas.REDRIVE_TOKENS.value :])
        self._start()
        self._engine.map_runs.update({arn: run for arn, run in before.items() if arn not in self._engine.map_runs})
        return self.redrive_times[-1]

    def list_entry(self) -> dict[str, Any]:
        """Return the entry in ListExecutions."""
        return {
            "executionArn": self.arn,
            "stateMachineArn": self.machine.arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.started,
            **({} if self.stopped is None else {"stopDate": self.stopped}),
            **redrives(self.redrive_times),
        }

    def map_run(self, arn: str) -> dict[str, Any]:
        """Return the engine's description of a Map Run, with times in seconds."""
        description = dict(
            self._call_in_thread(
                lambda: (self._engine.running_map_runs.get(arn) or (lambda: self._engine.map_runs[arn]))()
            )
        )
        for key in ("startDate", "stopDate", "redriveDate"):
            if key in description:
                description[key] = seconds(description[key])
        return description

    def limit_map_run(self, arn: str, limit: int) -> None:
        """Set MaxConcurrency of a running Map Run, at most to what its state has; 0 for no limit."""
        most = self.map_run(arn)["maxConcurrency"]
        if most and (limit == 0 or limit > most):
            raise NotImplementedError(f"MaxConcurrency above the state's: {limit}")
        self._call_in_thread(lambda: self._engine.map_run_limits[arn](limit))

    def child(self, arn: str) -> dict[str, Any]:
        """Return the response of DescribeExecution for a child."""
        child = self.children[arn]
        hidden = ("itemCount",) if child.redrive_times else ("itemCount", "redriveCount")
        response = {key: value for key, value in child.list_entry().items() if key not in hidden}
        response |= {"input": compact(child.input), "inputDetails": {"included": True}}
        if child.status == "SUCCEEDED":
            uuid = child.map_run.rsplit(":", 1)[-1]
            log = self.folder / f"{uuid}.jsonl"
            end = [record for record in read_records(log, truncate=False) if record.get("end") == child.place][-1]
            output = row_of_success(self.folder, uuid, end)["Output"]
            response |= {"output": output, "outputDetails": {"included": True}}
        response |= {key: text for key in ("error", "cause") if (text := getattr(child, key)) is not None}
        if child.status in ("RUNNING", "SUCCEEDED"):
            response |= {"redriveStatus": "NOT_REDRIVABLE"}
            response |= {"redriveStatusReason": NOT_REDRIVABLE.format(child.status)}
        else:
            response |= {"redriveStatus": "REDRIVABLE_BY_MAP_RUN"}
        return response

    def history(self) -> list[dict[str, Any]]:
        """Return the events so far, as GetExecutionHistory does, with times in seconds."""
        lines = (self.folder / "history.jsonl").read_bytes().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return [{**event, "timestamp": seconds(event["timestamp"])} for event in events]

    def stop(self, error: str | None, cause: str | None) -> None:
        """Stop the execution: its status is ABORTED at once; then its tasks end and its files are written."""
        if self.status != "RUNNING":
            return
        self._stop = Stop(error, cause)
        self.stopped = time.time()
        with suppress(RuntimeError):  # its loop is closed, since it has just ended
            self._loop.call_soon_threadsafe(self._cancel)

    def wait(self, holds: Callable[[Execution], bool] = lambda execution: False, timeout: float = PATIENCE_S) -> None:
        """Wait until a condition holds, which is checked after each event, or until the thread has ended.

        Raises:
            TimeoutError: if neither happens within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._finished or holds(self), timeout):
                raise TimeoutError(f"{self.arn}: still {self.status}")

    # Methods of its own thread.

    @property
    def _finished(self) -> bool:
        return self._result is not None or self.failure is not None

    def _run(self) -> None:
        result: ExecutionResult | None = None
        try:
            with asyncio.Runner() as runner:
                result = runner.run(self._work())
        except BaseException as failure:
            self.failure = failure
        finally:
            with self._changed:
                self.stopped = self.stopped or time.time()
                self._result = result
                self._started_event.set()
                self._changed.notify_all()

    async def _work(self) -> ExecutionResult:
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        request = StartRequest(json.loads(self.machine.definition), json.loads(self.text), self.name, self.machine.name)
        with EventFile(self.folder / "history.jsonl") as events:
            self._started_event.set()
            result = await run_execution(self._engine, request, events, bool(self.redrive_times))
        await self._engine.tasks.drain()
        return result

    def _cancel(self) -> None:
        self._engine.stop = self._stop
        self._task.cancel()

    def _call_in_thread(self, function: Callable[[], Any]) -> Any:
        """Return the result of a function, called in the engine's thread, or in this one if that has ended."""

        while not self._finished:
            answer: Future[Any] = Future()
            try:
                self._loop.call_soon_threadsafe(_call, function, answer)
            except RuntimeError:  # its loop is closed
                break
            with suppress(TimeoutError):  # if the loop ended before the call
                return answer.result(0.5)
            answer.cancel()
        return function()

    def _observe(self, event: Event) -> None:
        now = time.time()
        with self._changed:
            if isinstance(event, MapRunStarted):
                if event.arn not in self.map_runs:
                    self.map_runs.append(event.arn)
                self._labels[event.label] = event.arn
                for child in self._children(event.arn):
                    child.mark_pending_redrive()
            elif isinstance(event, MapRunEnded):
                for child in self._children(event.arn):
                    child.restore_status()
            elif isinstance(event, ChildStarted):
                arn = self._labels[event.label]
                machine = f"{self.machine.name}/{event.label}"
                batch = event.input.get("Items") if isinstance(event.input, dict) else None
                items = len(batch) if isinstance(batch, list) else 1
                child = Child(arn, machine, event.name, event.index, event.input, now, items)
                if child.arn in self.children:
                    self.children[child.arn].redrive(now)
                else:
                    self.children[child.arn] = child
            elif isinstance(event, ChildEnded):
                child = self.children[f"{ARN}:execution:{self.machine.name}/{event.label}:{event.name}"]
                child.stopped, child.items = now, event.items
                child.error, child.cause, child.status = event.error, event.cause, event.status
            self._changed.notify_all()

    def _children(self, map_run: str) -> list[Child]:
        return [child for child in self.children.values() if child.map_run == map_run]


def redrives(dates: list[float]) -> dict[str, Any]:
    """Return ``redriveCount`` and the date of the last redrive."""
    return {"redriveCount": len(dates), **({"redriveDate": dates[-1]} if dates else {})}


def seconds(timestamp: str) -> float:
    """Return the seconds since the epoch of a timestamp."""
    return datetime.fromisoformat(timestamp).timestamp()


def _call(function: Callable[[], Any], answer: Future[Any]) -> None:
    """Call a function, unless its caller no longer waits for the answer."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(function())
    except BaseException as error:
        answer.set_exception(error)

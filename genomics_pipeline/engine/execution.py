"""An execution of a state machine: the top-level one, or a child of a Distributed Map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.events import Observer
from genomics_pipeline.engine.history import History
from genomics_pipeline.engine.host import EngineHost
from genomics_pipeline.engine.interruption import Interruption
from genomics_pipeline.engine.journal import Recorder
from genomics_pipeline.engine.redrive import NOT_REDRIVEN, Redrives
from genomics_pipeline.language.host import Host
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model.json_text import decoded
from genomics_pipeline.stores.protocol import Store

# ARNs have AWS's form, although nothing here is on AWS, so that code that parses them works on both.
ARN = "arn:aws:states:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/local"


@dataclass(frozen=True, slots=True)
class TaskContext:
    """The circumstances of a call of a task handler.

    Attributes:
        execution: ARN of the execution.
        machine: Name of its state machine: ``NAME``, or ``NAME/LABEL`` inside a child.
        state: The Task state's name.
        resource: The Task state's ``Resource``.
        attempt: The number of retries before this call.
        label: The Distributed Map's label; None outside a child.
        index: The child's index; None outside a child.
        token: ``Task.Token`` of the context object, for ``.waitForTaskToken`` and activities; otherwise None.
        heartbeat: The handler calls it to send a heartbeat, for ``HeartbeatSeconds``.
        submitted: The handler calls it with the response to its request, if the work goes on elsewhere (``.sync``).
        clock: The engine's clock.
        observer: Receives the handler's events.
    """

    execution: str
    machine: str
    state: str
    resource: str
    attempt: int
    label: str | None
    index: int | None
    token: str | None
    heartbeat: Callable[[], None]
    submitted: Callable[[Any], None]
    clock: Clock
    observer: Observer


TaskHandler = Callable[[Any, TaskContext], Awaitable[Any]]


class Tasks(Protocol):
    """The handlers that Task states call."""

    def handler(self, resource: str, machine: str, state: str) -> TaskHandler | None:
        """Return the handler of a Task state; None if there is none.

        Args:
            resource: The Task state's ``Resource``.
            machine: Name of its state machine: ``NAME`` or ``NAME/LABEL``.
            state: The state's name.
        """

    def advice(self, resource: str) -> str:
        """Return the message to the user about a Task without a handler."""

    async def drain(self) -> None:
        """Wait for the work that Tasks started without waiting for it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The arguments of StopExecution: an error and a cause."""

    error: str | None = None
    cause: str | None = None


@dataclass(slots=True)
class Engine:
    """The state that a top-level execution shares with its children.

    Attributes:
        store: The store that holds the buckets.
        tasks: The handlers of Task states.
        clock: The source of time and jitter.
        observer: Receives each event as it happens.
        folder: The journal's folder.
        map_runs: The descriptions of Map Runs that have ended, by ARN; members as in DescribeMapRun.
        map_runs_to_replace: ARNs of Map Runs that a redrive does not continue but replaces; see `redrive`.
        running_map_runs: For each running Map Run, by ARN, a function that describes it; call it in the engine's
            thread.
        map_run_limits: For each running Map Run, by ARN, a function that sets its MaxConcurrency (UpdateMapRun); call
            it in the engine's thread.
        items: The number of items of all Map Runs that this process has started or resumed, by Label.
        stop: Set before the execution is cancelled for good (StopExecution). A cancelled execution without it can be
            resumed from its journal.
        interruption: Cancels the execution on SIGINT.
        host: The source of time and randomness for expressions.
        log: The journal of the top-level execution.
    """

    store: Store
    tasks: Tasks
    clock: Clock
    observer: Observer
    folder: Path
    map_runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    map_runs_to_replace: set[str] = field(default_factory=set)
    running_map_runs: dict[str, Callable[[], dict[str, Any]]] = field(default_factory=dict)
    map_run_limits: dict[str, Callable[[int], None]] = field(default_factory=dict)
    items: Counter[str] = field(default_factory=Counter)
    stop: Stop | None = None
    interruption: Interruption = field(default_factory=Interruption)
    host: Host = field(init=False)
    log: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.host = EngineHost(self.clock, self.interruption)


@dataclass(slots=True)
class Execution:
    """An execution while it runs.

    Attributes:
        engine: The state that it shares with its children.
        machine: Name of its state machine: ``NAME``, or ``NAME/LABEL`` of a child.
        name: The execution's name.
        input: The execution's input; that of a child may be a `KeptJson`.
        started: Start time in seconds since the epoch.
        recorder: Its part of the journal.
        history: Its history events.
        query_language: ``QueryLanguage`` of its document, the default of its states.
        label: The Distributed Map's label, for a child.
        index: Position among the Map Run's children, for a child.
        transitions: State transitions so far, including retries, excluding those of children.
        redrives: Its redrives.
        is_ended_from_outside: Returns whether it was stopped, timed out, or is a child of a Map Run that is aborted.
        aborted: Beginnings of the paths of branches and iterations of which another one failed.
    """

    engine: Engine
    machine: str
    name: str
    input: Any
    started: float
    recorder: Recorder
    history: History
    query_language: str
    label: str | None = None
    index: int | None = None
    transitions: int = 0
    redrives: Redrives = NOT_REDRIVEN
    is_ended_from_outside: Callable[[], bool] = lambda: False
    aborted: list[str] = field(default_factory=list)

    def is_aborted(self, path: str) -> bool:
        """Return whether AWS aborts what runs at a path of the execution, so that it must not be resumed.

        An interruption of the program, or its failure, also cancels work, but does not abort it.
        """
        return self.is_ended_from_outside() or any(path.startswith(prefix) for prefix in self.aborted)

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return f"{ARN}:execution:{self.machine}:{self.name}"

    def context(self) -> dict[str, Any]:
        """Return the members of the context object that are the same in all states.

        Members and order as recorded in a child, where the state machine's name has no label:
        radkawar/stackd testdata/aws/stepfunctions/distributed_map.json, tolerated_failure.
        """
        return {
            "Execution": {
                "Id": self.arn,
                "Input": decoded(self.input),
                "StartTime": format_timestamp(self.started),
                "Name": self.name,
                "RoleArn": ROLE,
                **self.redrives.context(),
            },
            "StateMachine": {"Id": f"{ARN}:stateMachine:{self.machine}", "Name": self.machine.partition("/")[0]},
        }

"""One execution of a state machine: the one that was asked for, or a child of a Distributed Map."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.events import Observer
from genomics_pipeline.engine.history import History
from genomics_pipeline.engine.host import EngineHost
from genomics_pipeline.engine.journal import Recorder
from genomics_pipeline.engine.redrive import NOT_REDRIVEN, Redrives
from genomics_pipeline.language.host import Host
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.stores.protocol import Store

# Nothing here is on AWS; the ARNs have AWS's form so that whatever parses them works on both.
ARN = "arn:aws:states:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/local"


@dataclass(frozen=True, slots=True)
class TaskContext:
    """The circumstances of a call of a task handler.

    Attributes:
        execution: ARN of the execution it runs in.
        machine: Name of its state machine: ``NAME``, or ``NAME/LABEL`` inside a child.
        state: The Task state's name.
        resource: The Task state's ``Resource``.
        attempt: 0, or how many times the state was retried.
        label: The Distributed Map's label, inside a child.
        index: The child's index, inside a child.
        token: ``Task.Token`` of the context object, for ``.waitForTaskToken`` and activities; else None.
        heartbeat: Called by the handler to say that it is alive, for ``HeartbeatSeconds``.
        submitted: Called with what submitting gave, where the work goes on elsewhere (``.sync``).
        clock: The execution's time.
        observer: Told what the handler has to tell.
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
        """Return what runs a Task state of a machine; None where nothing does."""

    def advice(self, resource: str) -> str:
        """Return what a user is told of a Task that nothing runs."""

    async def drain(self) -> None:
        """Wait for what Tasks began and did not wait for."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The error and cause that StopExecution gives an execution."""

    error: str | None = None
    cause: str | None = None


@dataclass(slots=True)
class Engine:
    """The state that all executions of one run share.

    Attributes:
        map_runs: The Map Runs that ended, by ARN, as DescribeMapRun gives them.
        map_runs_to_replace: ARNs of those whose state failed in a way that a redrive begins another Map Run for.
        running_map_runs: The same of those that are running, as they are when it is called, in the engine's own thread.
        stop: Set before the execution is cancelled where that ends it for good; else it can go on by its journal.
    """

    store: Store
    tasks: Tasks
    clock: Clock
    observer: Observer
    folder: Path
    map_runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    map_runs_to_replace: set[str] = field(default_factory=set)
    running_map_runs: dict[str, Callable[[], dict[str, Any]]] = field(default_factory=dict)
    stop: Stop | None = None
    host: Host = field(init=False)
    log: Recorder = field(init=False)  # of the execution that was asked for

    def __post_init__(self) -> None:
        self.host = EngineHost(self.clock)


@dataclass(slots=True)
class Execution:
    """One execution, while it runs.

    Attributes:
        engine: What it shares with the others.
        machine: Name of its state machine: ``NAME``, or ``NAME/LABEL`` of a child.
        name: Its own name.
        input: Its input.
        started: When, in seconds since the epoch.
        recorder: Its view of its journal.
        history: Its events.
        query_language: ``QueryLanguage`` of its document: the states' own, unless they say otherwise.
        label: The Distributed Map's label, for a child.
        index: Its place in the Map Run, for a child.
        transitions: State transitions so far, retries included; those of Map Runs apart.
        redrives: How often it was redriven, and when last.
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

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return f"{ARN}:execution:{self.machine}:{self.name}"

    def context(self) -> dict[str, Any]:
        """Return the parts of the context object that no state changes.

        Members and their order as recorded of a child, whose state machine's name has no label:
        radkawar/stackd testdata/aws/stepfunctions/distributed_map.json, tolerated_failure.
        """
        return {
            "Execution": {
                "Id": self.arn,
                "Input": self.input,
                "StartTime": format_timestamp(self.started),
                "Name": self.name,
                "RoleArn": ROLE,
                **self.redrives.context(),
            },
            "StateMachine": {"Id": f"{ARN}:stateMachine:{self.machine}", "Name": self.machine.partition("/")[0]},
        }

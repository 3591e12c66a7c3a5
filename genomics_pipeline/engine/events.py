"""The events of an execution, which an observer receives while they happen.

An observer is any callable that takes an `Event`. The engine calls it in its own thread between two steps of the
execution, so it must be quick and must not raise. `label` and `index` identify a child of a Distributed Map; both are
None in events of the execution itself. Where several Map Runs have one Label, the index goes on from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model.json_text import decoded
from genomics_pipeline.model.task_progress import TaskProgress


@dataclass(slots=True)
class MapRunStarted:
    """The start of a Map Run, or its resumption after an interruption.

    Attributes:
        label: The Map's ``Label``, or a generated one if the state has none.
        arn: The Map Run's ARN.
        items: The number of items.
        resumed: The number of items that had ended before the interruption.
    """

    label: str
    arn: str
    items: int
    resumed: int


@dataclass(slots=True)
class ChildStarted:
    """The start of a child execution.

    Attributes:
        label: The Map's label.
        index: The child's position among the children of the Label, from 0; see the module.
        name: The child execution's name, a UUID.
        kept_input: The child's input, after ItemSelector and ItemBatcher, perhaps as a `KeptJson`.
    """

    label: str
    index: int
    name: str
    kept_input: Any

    @property
    def input(self) -> Any:
        """The child's input."""
        return decoded(self.kept_input)


@dataclass(slots=True)
class ChildEnded:
    """The end of a child execution, after its journal record became durable.

    Attributes:
        label: The Map's label.
        index: The child's position among the children of the Label, from 0; see the module.
        name: The child execution's name, a UUID.
        kept_input: The child's input, perhaps as a `KeptJson`.
        status: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``.
        error: The error's name; None if the child succeeded or was aborted.
        cause: The error's cause, likewise.
        items: The number of items in the child's input: 1, or the size of its batch.
        transitions: Its state transitions, with that of its start.
        events: The number of events of its history.
    """

    label: str
    index: int
    name: str
    kept_input: Any
    status: str
    error: str | None
    cause: str | None
    items: int
    transitions: int = 0
    events: int = 0

    @property
    def input(self) -> Any:
        """The child's input."""
        return decoded(self.kept_input)


@dataclass(slots=True)
class MapRunEnded:
    """The end of a Map Run, after its result files were written.

    Attributes:
        label: The Map's label.
        arn: The Map Run's ARN.
        status: ``SUCCEEDED``, ``FAILED`` or ``ABORTED``.
        items: The number of items.
        failed: The number of items that failed or timed out.
        detail: Of a failure: what people need to know besides its cause; see `StatesError`.
    """

    label: str
    arn: str
    status: str
    items: int
    failed: int
    detail: str | None = None


@dataclass(slots=True)
class StateEntered:
    """The entry of a state.

    Attributes:
        state: The state's name.
        type: ``Task``, ``Map``, …
        attempt: The number of retries before it.
        label: See the module.
        index: See the module.
    """

    state: str
    type: str
    attempt: int
    label: str | None
    index: int | None


@dataclass(slots=True)
class RetryScheduled:
    """The failure of a state that is retried after a delay.

    Attributes:
        state: The state's name.
        attempt: The number of the coming attempt; 1 is the first retry.
        delay_s: The delay before it.
        error: The error's name.
        cause: The error's cause.
        label: See the module.
        index: See the module.
    """

    state: str
    attempt: int
    delay_s: float
    error: str
    cause: str
    label: str | None
    index: int | None


@dataclass(slots=True)
class JobUsage:
    """The memory and the progress of a running job, which its runner keeps up to date.

    Attributes:
        memory_mib: The newest measurement; 0 before the first, and where nothing measures it.
        progress: What its program says of its progress; None where it says nothing.
        read_share: The share of its input files that its program has read; None where that is not known.
    """

    memory_mib: int = 0
    progress: TaskProgress | None = None
    read_share: float | None = None


@dataclass(slots=True)
class JobStarted:
    """The start of an attempt of a Batch job on its share of this machine.

    Attributes:
        job_id: The job's ID, a UUID.
        name: ``JobName``.
        definition: The job definition's name.
        vcpus: The cores of its share.
        memory_mib: The memory of its share.
        waited_s: The time that it waited for its share.
        state: The Task state that submitted the job.
        label: See the module.
        index: See the module.
        usage: What it uses while it runs.
    """

    job_id: str
    name: str
    definition: str
    vcpus: int
    memory_mib: int
    waited_s: float
    state: str
    label: str | None
    index: int | None
    usage: JobUsage = field(default_factory=JobUsage)


@dataclass(slots=True)
class JobEnded:
    """The end of an attempt of a Batch job.

    Attributes:
        job_id: The job's ID, a UUID.
        name: ``JobName``.
        definition: The job definition's name.
        exit_code: The exit code; None if the program did not end by itself.
        reason: The reason of the failure; None if the attempt succeeded.
        seconds: The duration of the attempt.
        state: The Task state that submitted the job.
        label: See the module.
        index: See the module.
        again: Whether Batch starts another attempt.
        reused: Whether all of its work had been done before.
    """

    job_id: str
    name: str
    definition: str
    exit_code: int | None
    reason: str | None
    seconds: float
    state: str
    label: str | None
    index: int | None
    again: bool = False
    reused: bool = False


@dataclass(slots=True)
class Note:
    """A message for the user, emitted once.

    Attributes:
        message: One sentence.
        is_detail: Whether only a user who asks for details wants it.
    """

    message: str
    is_detail: bool = False


Event = (
    MapRunStarted
    | ChildStarted
    | ChildEnded
    | MapRunEnded
    | StateEntered
    | RetryScheduled
    | JobStarted
    | JobEnded
    | Note
)
Observer = Callable[[Event], None]

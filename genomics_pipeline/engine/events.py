"""The events of an execution that an observer is given while they happen.

An observer is any callable over `Event`. It is called in the engine's own thread, between two steps of the execution,
so it must be quick and must not raise. `label` and `index` name a child of a Distributed Map; both are None for what
the execution itself does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class MapRunStarted:
    """A Distributed Map began (or goes on after an interruption).

    Attributes:
        label: The Map's ``Label``, or the state's name where it has none.
        arn: The Map Run's ARN.
        items: How many items the reader gave.
        resumed: How many of those items had ended before the interruption.
    """

    label: str
    arn: str
    items: int
    resumed: int


@dataclass(slots=True)
class ChildStarted:
    """A child execution began.

    Attributes:
        label: The Map's label.
        index: The child's place among the Map Run's children, from 0.
        name: The child execution's name, a UUID.
        input: The child's input: after ItemSelector, and ItemBatcher.
    """

    label: str
    index: int
    name: str
    input: Any


@dataclass(slots=True)
class ChildEnded:
    """A child execution ended, and its end is durable.

    Attributes:
        label: The Map's label.
        index: The child's place among the Map Run's children, from 0.
        name: The child execution's name, a UUID.
        input: The child's input.
        status: ``SUCCEEDED``, ``FAILED`` or ``ABORTED``.
        error: The error's name, unless it succeeded.
        cause: The error's cause, unless it succeeded.
        items: How many items it held: 1, or its batch's.
    """

    label: str
    index: int
    name: str
    input: Any
    status: str
    error: str | None
    cause: str | None
    items: int


@dataclass(slots=True)
class MapRunEnded:
    """A Distributed Map ended; its result files are written.

    Attributes:
        label: The Map's label.
        arn: The Map Run's ARN.
        status: ``SUCCEEDED`` or ``FAILED``.
        items: How many items there were.
        failed: How many of them failed.
    """

    label: str
    arn: str
    status: str
    items: int
    failed: int


@dataclass(slots=True)
class StateEntered:
    """A state began, for the first time or again after a retry.

    Attributes:
        state: Its name.
        type: ``Task``, ``Map``, …
        attempt: 0, or how many times it was retried.
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
    """A state failed and is tried again after a delay.

    Attributes:
        state: Its name.
        attempt: The coming attempt; 1 is the first retry.
        delay_s: How long is waited before it.
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
class JobStarted:
    """An attempt of a Batch job was given its share of this machine and began.

    Attributes:
        job_id: Its id, a UUID.
        name: Its ``JobName``.
        definition: Its job definition's name.
        vcpus: The cores it was given.
        memory_mib: The memory it was given.
        waited_s: How long it waited for them.
        state: The Task state that submitted it.
        label: See the module.
        index: See the module.
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


@dataclass(slots=True)
class JobEnded:
    """An attempt of a Batch job ended.

    Attributes:
        job_id: Its id, a UUID.
        name: Its ``JobName``.
        definition: Its job definition's name.
        exit_code: Its exit code; None where it did not end by itself.
        reason: Why it failed, unless it succeeded.
        seconds: How long it ran.
        state: The Task state that submitted it.
        label: See the module.
        index: See the module.
        again: Batch tries the job once more.
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


@dataclass(slots=True)
class Note:
    """Something a person should know, said once.

    Attributes:
        message: One sentence.
    """

    message: str


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

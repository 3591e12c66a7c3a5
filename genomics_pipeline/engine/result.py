"""The end of an execution, as whoever asked for it is given it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """The end of an execution.

    Attributes:
        status: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT``, or ``ABORTED`` where `Engine.stop` ended it.
        output: Its output, when it succeeded.
        error: The error's name, unless it succeeded.
        cause: The error's cause, unless it succeeded.
        map_runs: Every Map Run, in the order they ended, as DescribeMapRun gives it; and its ``label``,
            ``transitions``, and ``resultWriterDetails`` where it wrote results.
        transitions: State transitions that AWS would bill: one a child started, one a state entered, one a retry.
        seconds: How long it took; with fast forward, how long it would have taken.
    """

    status: str
    output: Any = None
    error: str | None = None
    cause: str | None = None
    map_runs: list[dict[str, Any]] = field(default_factory=list)
    transitions: int = 0
    seconds: float = 0.0

"""The result of an execution, as its caller receives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """The end of an execution.

    Attributes:
        status: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT``, or ``ABORTED`` if `Engine.stop` ended it.
        output: The output, if it succeeded.
        error: The error's name, unless it succeeded.
        cause: The error's cause, unless it succeeded.
        map_runs: All Map Runs in the order of their ends, those aborted together in that of their executions: the
            members of DescribeMapRun, ``label``, ``transitions``, and ``resultWriterDetails`` if result files were
            written.
        transitions: State transitions that AWS would bill: one for each started child, entered state and retry.
        seconds: The duration; with fast forward, including the skipped time.
    """

    status: str
    output: Any = None
    error: str | None = None
    cause: str | None = None
    map_runs: list[dict[str, Any]] = field(default_factory=list)
    transitions: int = 0
    seconds: float = 0.0

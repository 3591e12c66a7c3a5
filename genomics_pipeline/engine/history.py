"""An execution's history: its events, numbered, with AWS's event types and detail names.

Shapes: botocore's model of GetExecutionHistory; order and ``previousEventId``: recorded on AWS, see
`tests/engine/test_history.py`. Every event is counted, since errors name the event a state was entered at; they are
written only where a file is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.journal import read_records
from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact, dumps

Details = Mapping[str, Any]
_JSON = ("input", "output", "parameters")  # members that hold JSON as text


class History:
    """The events of one execution.

    Args:
        clock: Its time.
        write: Takes one event; None where nobody wants them.
        last: The number of the last event there is already.
        limit: How many events it may have.
    """

    def __init__(
        self,
        clock: Clock,
        write: Callable[[dict[str, Any]], None] | None = None,
        last: int = 0,
        limit: float = quotas.HISTORY.value,
    ) -> None:
        self._clock = clock
        self._write = write
        self._most = limit - 1  # one is kept for the execution's end
        self.last = last

    def add(self, kind: str, previous: int, name: str = "", details: Details | None = None) -> int:
        """Count an event and write it.

        Args:
            kind: Its type: ``TaskStateEntered``.
            previous: The event before it on its path.
            name: What its details are called: ``stateEntered`` of ``stateEnteredEventDetails``.
            details: The details; input, output, parameters and variables as values.

        Returns:
            Its number.

        Raises:
            StatesError: ``States.Runtime``, where the last event that is allowed would not end the execution.
        """
        if self.last >= self._most and not kind.startswith("Execution"):
            cause = f"The execution reached the maximum number of history events ({self._most + 1})."
            raise StatesError(RUNTIME, cause, evaluation_failed=False)
        self.last += 1
        if self._write is not None:
            event: dict[str, Any] = {
                "timestamp": format_timestamp(self._clock.now()),
                "type": kind,
                "id": self.last,
                "previousEventId": previous,
            }
            if details is not None:
                event[f"{name}EventDetails"] = _as_text(details)
            self._write(event)
        return self.last


def _as_text(details: Details) -> dict[str, Any]:
    """Details with JSON as text, marked as whole; what is None is left out."""
    found: dict[str, Any] = {}
    for name, value in details.items():
        if name == "assignedVariables":
            found[name] = {variable: compact(assigned) for variable, assigned in value.items()}
            found[f"{name}Details"] = {"truncated": False}
        elif name in _JSON:
            found[name] = compact(value)
            if name != "parameters":
                found[f"{name}Details"] = {"truncated": False}
        elif value is not None:
            found[name] = value
    return found


class EventFile:
    """A file of events, one JSON line each; what a crash left torn is cut off, and events go on from the last.

    Attributes:
        last: The number of the last event there is.
        write: Takes one event; None without a file.
    """

    def __init__(self, path: Path | None) -> None:
        self.last = 0
        self.write: Callable[[dict[str, Any]], None] | None = None
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            if self._path.exists():
                self.last = max((event["id"] for event in read_records(self._path)), default=0)
            self._file = self._path.open("ab", buffering=0)
            self.write = self._put
        return self

    def _put(self, event: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(dumps(event, sort_keys=True) + b"\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

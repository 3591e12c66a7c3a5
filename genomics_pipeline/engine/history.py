"""An execution's history: its events, numbered, with AWS's event types and detail names.

Shapes follow botocore's model of GetExecutionHistory; the order and ``previousEventId`` were recorded on AWS, see
`tests/engine/test_history.py`. Events are always counted, because errors name the event at which a state was entered,
but they are only written if there is a file for them.
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
    """The history events of an execution.

    Args:
        clock: The source of timestamps.
        write: Writes an event; None to only count events.
        last: The number of the last existing event.
        limit: The maximum number of events.
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
        self._most = limit - 1  # the last one is reserved for the end of the execution
        self.last = last

    def add(self, kind: str, previous: int, name: str = "", details: Details | None = None) -> int:
        """Count and write an event.

        Args:
            kind: The event's type, such as ``TaskStateEntered``.
            previous: The number of the preceding event on its path.
            name: The name of its details: ``stateEntered`` for ``stateEnteredEventDetails``.
            details: The details; input, output, parameters and variables are JSON values, not text.

        Returns:
            The event's number.

        Raises:
            StatesError: ``States.Runtime`` if only the event that ends the execution is still allowed.
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
                event[f"{name}EventDetails"] = _serialise_payloads(details)
            self._write(event)
        return self.last


def _serialise_payloads(details: Details) -> dict[str, Any]:
    """Return details with payloads as JSON text, marked as not truncated, and without members that are None."""
    serialised: dict[str, Any] = {}
    for name, value in details.items():
        if name == "assignedVariables":
            serialised[name] = {variable: compact(assigned) for variable, assigned in value.items()}
            serialised[f"{name}Details"] = {"truncated": False}
        elif name in _JSON:
            serialised[name] = compact(value)
            if name != "parameters":
                serialised[f"{name}Details"] = {"truncated": False}
        elif value is not None:
            serialised[name] = value
    return serialised


class EventFile:
    """A file of history events, one JSON line each.

    Opening it removes an incomplete last line, which a crash may leave; new events continue the numbering.

    Attributes:
        last: The number of the last event in the file.
        write: Writes an event; None without a file.
    """

    def __init__(self, path: Path | None) -> None:
        self.last = 0
        self.write: Callable[[dict[str, Any]], None] | None = None
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            if self._path.exists():
                self.last = max((event["id"] for event in read_records(self._path, is_valid=_is_event)), default=0)
            self._file = self._path.open("ab", buffering=0)
            self.write = self._put
        return self

    def _put(self, event: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(dumps(event, sort_keys=True) + b"\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _is_event(value: Any) -> bool:
    return isinstance(value, dict) and type(value.get("id")) is int

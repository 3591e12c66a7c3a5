"""The rows of ResultWriter's files, with the members of AWS's in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.execution import ARN
from genomics_pipeline.engine.redrive import NOT_REDRIVABLE
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model.json_text import dumps, loads, text_of

WriterRow = dict[str, Any] | bytes  # a row, or its JSON
_INCLUDED = {"Included": True}
_LARGE_BYTES = 64 << 10  # of text that is not worth another copy


class SuccessRows:
    """The rows of children that succeed, in pieces: those of one machine have the same text around what differs.

    Args:
        machine: Name of the children's state machine: ``NAME/LABEL``.
    """

    def __init__(self, machine: str) -> None:
        mark = uuid4().hex
        end = {"status": "SUCCEEDED", "name": mark, "start": 0, "stop": 0, "input": mark, "output": mark}
        _, row = ended_row(end, machine)
        text = dumps({**row, "StartDate": mark, "StopDate": mark})
        text = text.replace(b"%", b"%%").replace(f'"{mark}"'.encode(), mark.encode())
        name_in_arn, before, name, after, start, stop, last = text.split(mark.encode())
        self._first = b"%b%%b%b" % (name_in_arn, before)
        self._between = b'%b"%%b"%b' % (name, after)
        self._last = b'%b"%%b"%b"%%b"%b' % (start, stop, last)
        self._whole = b"%b%%b%b%%b%b" % (self._first, self._between, self._last)

    def row(self, name: str, times: tuple[float, float], texts: tuple[bytes, bytes]) -> Sequence[bytes]:
        """Return a row, in pieces if it is large.

        Args:
            name: The child's name.
            times: The times of its start and its end in seconds since the epoch.
            texts: Its input and its output, as JSON strings.
        """
        key, (start, stop), (value, output) = name.encode(), times, texts
        started = format_timestamp(start).encode()
        stopped = started if stop == start else format_timestamp(stop).encode()
        if len(value) + len(output) < _LARGE_BYTES:
            return (self._whole % (key, value, key, output, started, stopped),)
        return self._first % key, value, self._between % key, output, self._last % (started, stopped)


def transform_row(kind: str, row: WriterRow, transformation: str) -> list[bytes]:
    """Return the JSON values that a row is written as; only rows of successes are transformed."""
    if kind != "SUCCEEDED" or transformation == "NONE":
        return [row if isinstance(row, bytes) else dumps(row)]
    output: str = (loads(row) if isinstance(row, bytes) else row)["Output"]
    if transformation == "FLATTEN" and output.startswith("["):
        return list(map(dumps, loads(output)))
    return [output.encode()]


def ended_row(end: Mapping[str, Any], machine: str) -> tuple[str, dict[str, Any]]:
    """Return the row of an ended child, from its journal record; members in the order of AWS's files."""
    status, name = end["status"], end["name"]
    started, stopped = format_timestamp(end["start"]), format_timestamp(end["stop"])
    redriven = {"RedriveCount": end.get("redrives", 0)}
    if "redriven" in end:
        redriven["RedriveDate"] = format_timestamp(end["redriven"])
    execution, state_machine = f"{ARN}:execution:{machine}:{name}", f"{ARN}:stateMachine:{machine}"
    if status == "SUCCEEDED":
        return "SUCCEEDED", {
            "ExecutionArn": execution,
            "Input": end["input"],
            "InputDetails": _INCLUDED,
            "Name": name,
            "Output": end["output"],
            "OutputDetails": _INCLUDED,
            **redriven,
            "RedriveStatus": "NOT_REDRIVABLE",
            "RedriveStatusReason": NOT_REDRIVABLE.format(status),
            "StartDate": started,
            "StateMachineArn": state_machine,
            "Status": status,
            "StopDate": stopped,
        }
    details = {"Cause": end.get("cause"), "Error": end.get("error")}  # an aborted child or a bare Fail has none
    return "FAILED", {
        **{name: value for name, value in details.items() if value},
        "ExecutionArn": execution,
        "Input": end["input"],
        "InputDetails": _INCLUDED,
        "Name": name,
        "OutputDetails": _INCLUDED,
        **redriven,
        "RedriveStatus": "REDRIVABLE_BY_MAP_RUN",
        "StartDate": started,
        "StateMachineArn": state_machine,
        "Status": status,
        "StopDate": stopped,
    }


def pending_row(value: Any) -> tuple[str, dict[str, Any]]:
    """Return the row of a child that has not started, from its input."""
    return "PENDING", {"Input": text_of(value).decode(), "InputDetails": _INCLUDED, "Status": "PENDING"}

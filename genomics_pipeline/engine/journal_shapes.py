"""The shapes of the records of a journal: a line that is JSON, but not of these, is damaged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from genomics_pipeline.language.timestamps import parse_timestamp

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # it becomes the name of a file
_COUNTS = ("total", "running", "succeeded", "failed", "timedOut", "aborted")
_FIRST_SECOND, _LAST_SECOND = -62135596800, 253402300799  # of datetime, since the epoch
IsValid = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and _FIRST_SECOND <= value <= _LAST_SECOND


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_is_count, value))


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _is_anything(value: Any) -> bool:
    return True


def _has(members: Mapping[str, IsValid], required: Mapping[str, IsValid]) -> IsValid:
    """Return the check of an object.

    Args:
        members: The checks of members that may be missing.
        required: The checks of members that must not be.
    """

    def check(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(name in value and is_valid(value[name]) for name, is_valid in required.items())
            and all(is_valid(value[name]) for name, is_valid in members.items() if name in value)
        )

    return check


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, str) and parse_timestamp(value) is not None


_has_counts = _has({}, dict.fromkeys(_COUNTS, _is_count))
_is_map_run = _has(
    {"stopDate": _is_timestamp, "resultWriterDetails": _has({}, {"Bucket": _is_text, "Key": _is_text})},
    {
        "mapRunArn": _is_text,
        "label": _is_text,
        "status": _is_text,
        "startDate": _is_timestamp,
        "itemCounts": _has_counts,
        "executionCounts": _has_counts,
        "transitions": _is_count,
    },
)


def _are_map_runs(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_map_run, value))


_is_result = _has(
    {
        "output": _is_anything,
        "error": _is_text_or_none,
        "cause": _is_text_or_none,
        "map_runs": _are_map_runs,
        "transitions": _is_count,
        "seconds": _is_time,
    },
    {"status": _is_text},
)
_RESULT_MEMBERS = frozenset({"status", "output", "error", "cause", "map_runs", "transitions", "seconds"})
_is_state = _has(
    {"child": _is_count, "entry": _is_object},
    {"step": _is_count, "next": _is_text, "input": _is_anything, "variables": _is_object, "transitions": _is_count},
)
_ENDED: Mapping[str, IsValid] = {
    "name": _is_text,
    "start": _is_time,
    "stop": _is_time,
    "items": _is_count,
    "transitions": _is_count,
    "status": _is_text,
}

# By the member that tells the kind.
_SHAPES: Mapping[str, IsValid] = {
    "begin": _has({}, {"begin": _is_object, "started": _is_time}),
    "map": _has(
        {"child": _is_count, "label": _is_text},
        {"map": _is_text, "uuid": _is_uuid, "started": _is_time, "redrives": _is_count},
    ),
    "run": _has({}, {"run": _is_map_run}),
    "end": _has(
        {
            "redrives": _is_count,
            "redriven": _is_time,
            "error": _is_text_or_none,
            "cause": _is_text_or_none,
            "input": _is_text,
            "row": _is_place,
        },
        {"end": _is_count, **_ENDED},
    ),
    "result": _has({"state": _is_object}, {"result": _is_result}),
    "redrive": _has({"of": _is_count}, {"redrive": _is_count, "time": _is_time}),
}


def is_record(value: Any) -> bool:
    """Return whether a JSON value is a record of a journal.

    >>> is_record({"redrive": 1, "time": 5.5}), is_record({"redrive": "1", "time": 5.5}), is_record({})
    (True, False, False)
    """
    if not isinstance(value, dict):
        return False
    if "frame" in value:
        return _is_text(value["frame"]) and ("output" in value or _is_state(value))
    kind = next((name for name in _SHAPES if name in value), None)
    if kind is None or not _SHAPES[kind](value):
        return False
    if kind == "end":
        return ("row" if value["status"] == "SUCCEEDED" else "input") in value
    return kind != "result" or value["result"].keys() <= _RESULT_MEMBERS

"""The comparison of results, Map Runs and objects of an execution with those that a case expects."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.conformance.cases import ABSENT, Expected

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_STATUSES = ("pending", "running", "succeeded", "failed", "timedOut", "aborted")  # of DescribeMapRun's counts


def mask(value: Any) -> Any:
    """Return a value with its UUIDs and times replaced.

    >>> mask({"at": ["1970-01-01T00:00:00.250Z"], "run:01234567-89ab-cdef-0123-456789abcdef": 1})
    {'at': ['<time>'], 'run:<uuid>': 1}
    """
    if isinstance(value, str):
        return _TIME.sub("<time>", _UUID.sub("<uuid>", value))
    if isinstance(value, dict):
        return {mask(name): mask(member) for name, member in value.items()}
    return [mask(member) for member in value] if isinstance(value, list) else value


def differences(expected: Any, actual: Any, place: str) -> Iterator[str]:
    """Yield the differences between an expected and an actual value, after masking both.

    >>> list(differences({"a": [1, {"matches": "x+"}]}, {"a": [2, "xx"], "b": 0}, "output"))
    ['output.a[0]: expected 1, found 2', 'output.b: expected nothing, found 0']

    Args:
        expected: The value in the case.
        actual: The value of the execution.
        place: The path to it, for messages.
    """
    expected, actual = mask(expected), mask(actual)
    if isinstance(expected, dict) and expected.keys() == {"matches"}:
        text = actual if isinstance(actual, str) else json.dumps(actual)
        if re.fullmatch(expected["matches"], text, re.DOTALL) is None:
            yield f"{place}: expected text like {expected['matches']}, found {text}"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for name in {**expected, **actual}:
            yield from _member_differences(expected.get(name, ABSENT), actual.get(name, ABSENT), f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(actual, list):
        for number in range(max(len(expected), len(actual))):
            left, right = (side[number] if number < len(side) else ABSENT for side in (expected, actual))
            yield from _member_differences(left, right, f"{place}[{number}]")
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{place}: expected {_display(expected)}, found {_display(actual)}"


def _member_differences(expected: Any, actual: Any, place: str) -> Iterator[str]:
    if expected is ABSENT or actual is ABSENT:
        yield f"{place}: expected {_display(expected)}, found {_display(actual)}"
    else:
        yield from differences(expected, actual, place)


def _display(value: Any) -> str:
    return "nothing" if value is ABSENT else json.dumps(value, ensure_ascii=False)


def result_differences(expected: Expected, actual: Mapping[str, Any]) -> Iterator[str]:
    """Yield the differences of a result as ``--json`` prints it, objects excepted."""
    names = ("status", "output", "error", "cause") if expected.status == "SUCCEEDED" else ("status", "error", "cause")
    for name in names:
        value = getattr(expected, name)
        yield from differences(None if value is ABSENT else value, actual.get(name), name)
    if expected.transitions is not None:
        yield from differences(expected.transitions, actual.get("transitions"), "transitions")
    if expected.map_runs is not None:
        yield from map_run_differences(expected.map_runs, actual.get("map_runs", []))
    if expected.seconds is not None and not _is_within(actual["seconds"], **expected.seconds):
        yield f"seconds: expected {_display(expected.seconds)}, found {actual['seconds']}"


def _is_within(seconds: float, at_least: float, below: float) -> bool:
    return at_least <= seconds < below


def map_run_differences(expected: list[dict[str, Any]], actual: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the differences of Map Runs, as `Expected` describes them."""
    if len(expected) != len(actual):
        yield f"map_runs: expected {len(expected)}, found {len(actual)}"
        return
    for number, (expected_run, run) in enumerate(zip(expected, actual, strict=True)):
        for name, value in expected_run.items():
            actual_value = run.get(name)
            if name in ("itemCounts", "executionCounts"):
                value = {**dict.fromkeys(_STATUSES, 0), **value}
                actual_value = {status: count for status, count in run.get(name, {}).items() if status in value}
            yield from differences(value, actual_value, f"map_runs[{number}].{name}")


def object_differences(expected: Mapping[str, Any], actual: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the differences of the expected objects; `actual` holds all objects that exist."""
    by_name: dict[str, list[bytes]] = {}
    for name, data in actual.items():
        by_name.setdefault(mask(name), []).append(data)
    for name, content in expected.items():
        contents = by_name.get(name, [])
        if content is None and contents:
            yield f"{name}: expected no such object, found one"
        elif content is not None and len(contents) != 1:
            yield f"{name}: expected one such object, found {len(contents)} among {sorted(by_name)}"
        elif content is not None:
            actual_content = contents[0].decode() if isinstance(content, str) else _parse_content(name, contents[0])
            yield from differences(content, actual_content, name)


def _parse_content(name: str, data: bytes) -> Any:
    try:
        if name.endswith(".json"):
            return json.loads(data)
        text = data.decode()
        return [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else text
    except ValueError:
        return {"base64": base64.b64encode(data).decode()}

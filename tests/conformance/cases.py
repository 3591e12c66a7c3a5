"""The conformance cases: documents with their inputs, and how AWS ends them.

Each is a JSON file, ``cases/TOPIC/NAME.json``, with these members and no other:

- ``source``: where AWS says or shows it: a page of the developer guide, a section of the States Language's
  specification, or the path of a recorded response.
- ``definition``: the state machine; it is named ``machine``, and so is its execution.
- ``input``: any JSON value; an empty object where it is left out.
- ``objects``: content by ``BUCKET/KEY``: text, ``{"base64": …}``, or any other JSON value, which is written as JSON.
  A name that ends in ``/`` is a bucket (or a folder of it) without content.
- ``machines``: definitions by name: the state machines that can be started.
- ``tasks``: by ARN, the name of the function of ``functions.py`` that runs there.
- ``arguments``: further arguments of ``genomics-pipeline execute``, such as ``--fast-forward``.
- ``mock``: a mock file, as AWS Step Functions Local takes it.
- ``expected``: see `Expected`.

Values that differ from run to run are compared in two ways:

- every UUID reads ``<uuid>`` and every ISO 8601 time in UTC reads ``<time>`` on both sides, in text, names and keys;
- ``{"matches": REGEX}``, anywhere in what is expected, stands for text that this pattern matches in full; a value that
  is no text is matched as its JSON.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "cases"
MACHINE = "machine"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_ABSENT = object()
_STATUSES = ("pending", "running", "succeeded", "failed", "timedOut", "aborted")  # of DescribeMapRun's counts


class BadCase(Exception):
    """A case that is not one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How a case ends: either a status, or problems.

    Attributes:
        status: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``.
        output: The output, of one that succeeded.
        error: The error's name, of one that did not; null where there is none.
        cause: Its cause, likewise.
        transitions: State transitions, where the case is about them.
        map_runs: Each Map Run in turn: the members that are named; a count by status that is not named is 0.
        objects: Content by ``BUCKET/KEY``: JSON of a ``.json``, an array of rows of a ``.jsonl``, else text or
            ``{"base64": …}``; the text of any, where the case is about that; null where there must be no such object.
        problems: Of a document that AWS refuses: what the command says, a line each.
        history: The types of the execution's events, in their order.
        seconds: How long it would have taken: ``{"at_least": …, "below": …}``.
        exit_code: The command's, where it is not 0 for SUCCEEDED, 2 for problems, and else 1.
    """

    status: str | None = None
    output: Any = _ABSENT
    error: Any = _ABSENT
    cause: Any = _ABSENT
    transitions: int | None = None
    map_runs: list[dict[str, Any]] | None = None
    objects: Mapping[str, Any] | None = None
    problems: list[Any] | None = None
    history: list[str] | None = None
    seconds: Mapping[str, float] | None = None
    exit_code: int = -1

    def code(self) -> int:
        """The command's exit code."""
        usual = 2 if self.problems is not None else int(self.status != "SUCCEEDED")
        return usual if self.exit_code == -1 else self.exit_code


@dataclass(frozen=True, slots=True)
class Case:
    """One case; see the module. `name` is ``TOPIC/NAME``."""

    name: str
    source: str
    definition: Mapping[str, Any]
    expected: Expected
    input: Any
    objects: Mapping[str, Any]
    machines: Mapping[str, Any]
    tasks: Mapping[str, str]
    arguments: tuple[str, ...]
    mock: Mapping[str, Any] | None


def load_all() -> list[Case]:
    """Every case, by name."""
    return [load(file.relative_to(FOLDER).with_suffix("").as_posix(), file) for file in sorted(FOLDER.glob("*/*.json"))]


def load(name: str, file: Path) -> Case:
    """One case.

    Raises:
        BadCase: for unknown members, or missing ones.
    """
    try:
        raw = json.loads(file.read_bytes(), object_pairs_hook=_once)
    except (ValueError, BadCase) as error:
        raise BadCase(f"{file}: {error}") from error
    _members(raw, {field.name for field in fields(Case)} - {"name"}, f"{file}")
    _members(raw.get("expected", {}), {field.name for field in fields(Expected)}, f"{file}: expected")
    for member in ("source", "definition", "expected"):
        if not raw.get(member):
            raise BadCase(f"{file}: expected a member {member!r}")
    expected = Expected(**raw["expected"])
    _whole(expected, f"{file}: expected")
    return Case(
        name,
        raw["source"],
        raw["definition"],
        expected,
        raw.get("input", {}),
        raw.get("objects", {}),
        raw.get("machines", {}),
        raw.get("tasks", {}),
        tuple(raw.get("arguments", ())),
        raw.get("mock"),
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadCase(f"a member stands twice among {', '.join(name for name, _ in pairs)}")
    return found


def _members(found: Mapping[str, Any], known: Collection[str], place: str) -> None:
    if unknown := sorted(set(found) - set(known)):
        raise BadCase(f"{place}: unknown members {', '.join(unknown)}; there are {', '.join(sorted(known))}")


def _whole(expected: Expected, place: str) -> None:
    """What decides the end must be said: no case is true of two ends."""
    if (expected.status is None) == (expected.problems is None):
        raise BadCase(f"{place}: either a status or problems")
    needed = {None: (), "SUCCEEDED": ("output",)}.get(expected.status, ("error", "cause"))
    if missing := [name for name in needed if getattr(expected, name) is _ABSENT]:
        raise BadCase(f"{place}: {expected.status} needs {' and '.join(missing)}")


def place_objects(objects: Mapping[str, Any], root: Path) -> None:
    """Write a case's objects below a folder whose folders are the buckets."""
    for name, content in objects.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_bytes(content))


def as_bytes(content: Any) -> bytes:
    """An object's bytes, from how a case gives it."""
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, dict) and content.keys() == {"base64"}:
        return base64.b64decode(content["base64"])
    return json.dumps(content).encode()


def masked(value: Any) -> Any:
    """The value with every UUID and time replaced.

    >>> masked({"at": ["1970-01-01T00:00:00.250Z"], "run:01234567-89ab-cdef-0123-456789abcdef": 1})
    {'at': ['<time>'], 'run:<uuid>': 1}
    """
    if isinstance(value, str):
        return _TIME.sub("<time>", _UUID.sub("<uuid>", value))
    if isinstance(value, dict):
        return {masked(name): masked(member) for name, member in value.items()}
    return [masked(one) for one in value] if isinstance(value, list) else value


def differences(expected: Any, found: Any, place: str) -> Iterator[str]:
    """Every place where what was found, masked or not, is not what was expected.

    >>> list(differences({"a": [1, {"matches": "x+"}]}, {"a": [2, "xx"], "b": 0}, "output"))
    ['output.a[0]: expected 1, found 2', 'output.b: expected nothing, found 0']
    """
    expected, found = masked(expected), masked(found)
    if isinstance(expected, dict) and expected.keys() == {"matches"}:
        text = found if isinstance(found, str) else json.dumps(found)
        if re.fullmatch(expected["matches"], text, re.DOTALL) is None:
            yield f"{place}: expected text like {expected['matches']}, found {text}"
    elif isinstance(expected, dict) and isinstance(found, dict):
        for name in {**expected, **found}:
            yield from _member(expected.get(name, _ABSENT), found.get(name, _ABSENT), f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        for number in range(max(len(expected), len(found))):
            one, other = (side[number] if number < len(side) else _ABSENT for side in (expected, found))
            yield from _member(one, other, f"{place}[{number}]")
    elif type(expected) is not type(found) or expected != found:
        yield f"{place}: expected {_shown(expected)}, found {_shown(found)}"


def _member(expected: Any, found: Any, place: str) -> Iterator[str]:
    if expected is _ABSENT or found is _ABSENT:
        yield f"{place}: expected {_shown(expected)}, found {_shown(found)}"
    else:
        yield from differences(expected, found, place)


def _shown(value: Any) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def end_differences(expected: Expected, found: Mapping[str, Any]) -> Iterator[str]:
    """Where an end, as ``--json`` prints it, is not as expected; objects apart."""
    names = ("status", "output", "error", "cause") if expected.status == "SUCCEEDED" else ("status", "error", "cause")
    for name in names:
        value = getattr(expected, name)
        yield from differences(None if value is _ABSENT else value, found.get(name), name)
    if expected.transitions is not None:
        yield from differences(expected.transitions, found.get("transitions"), "transitions")
    if expected.map_runs is not None:
        yield from map_run_differences(expected.map_runs, found.get("map_runs", []))
    if expected.seconds is not None and not _within(found["seconds"], **expected.seconds):
        yield f"seconds: expected {_shown(expected.seconds)}, found {found['seconds']}"


def _within(seconds: float, at_least: float, below: float) -> bool:
    return at_least <= seconds < below


def map_run_differences(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> Iterator[str]:
    """Where the Map Runs are not as expected: see `Expected`."""
    if len(expected) != len(found):
        yield f"map_runs: expected {len(expected)}, found {len(found)}"
        return
    for number, (wanted, run) in enumerate(zip(expected, found, strict=True)):
        for name, value in wanted.items():
            given = run.get(name)
            if name in ("itemCounts", "executionCounts"):
                value = {**dict.fromkeys(_STATUSES, 0), **value}
                given = {count: one for count, one in run.get(name, {}).items() if count in value}
            yield from differences(value, given, f"map_runs[{number}].{name}")


def object_differences(expected: Mapping[str, Any], found: Mapping[str, bytes]) -> Iterator[str]:
    """Where the objects that are named are not as expected; `found` is every object there is."""
    by_name: dict[str, list[bytes]] = {}
    for name, data in found.items():
        by_name.setdefault(masked(name), []).append(data)
    for name, content in expected.items():
        there = by_name.get(name, [])
        if content is None and there:
            yield f"{name}: expected no such object, found one"
        elif content is not None and len(there) != 1:
            yield f"{name}: expected one such object, found {len(there)} among {sorted(by_name)}"
        elif content is not None:
            told = there[0].decode() if isinstance(content, str) else _content(name, there[0])
            yield from differences(content, told, name)


def _content(name: str, data: bytes) -> Any:
    try:
        if name.endswith(".json"):
            return json.loads(data)
        text = data.decode()
        return [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else text
    except ValueError:
        return {"base64": base64.b64encode(data).decode()}

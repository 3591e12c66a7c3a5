"""The conformance cases: documents with their inputs, and the results that AWS gives for them.

Each is a JSON file, ``cases/TOPIC/NAME.json``, with these members and no other:

- ``source``: the evidence for AWS's behaviour: a page of the developer guide, a section of the States Language's
  specification, or the path of a recorded response.
- ``definition``: the state machine; it is named ``machine``, and so is its execution.
- ``input``: any JSON value; an empty object by default.
- ``objects``: content by ``BUCKET/KEY``: text, ``{"base64": …}``, or any other JSON value, which is written as JSON.
  A name that ends in ``/`` is a bucket (or a folder of it) without content.
- ``machines``: the definitions, by name, of the state machines that can be started.
- ``tasks``: by ARN, the name of the function in ``functions.py`` that implements the task.
- ``arguments``: further arguments of ``genomics-pipeline execute``, such as ``--fast-forward``.
- ``mock``: a mock file in the format of AWS Step Functions Local.
- ``expected``: see `Expected`.

Values that differ between executions are compared in two ways:

- every UUID reads ``<uuid>`` and every ISO 8601 time in UTC reads ``<time>`` on both sides, in text, names and keys;
- ``{"matches": REGEX}``, anywhere in the expected values, stands for a text that the pattern matches in full; for a
  value of another type, its JSON text must match.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "cases"
MACHINE = "machine"
ABSENT = object()


class BadCase(Exception):
    """The error of an invalid case file."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected result of a case: either a status, or problems.

    Attributes:
        status: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``.
        output: The output of an execution that succeeded.
        error: The error's name of an execution that did not succeed; null if it has none.
        cause: The error's cause; null if it has none.
        transitions: The number of state transitions, if the case is about it.
        map_runs: The Map Runs in order, each with the members to compare; a count by status that is missing is 0.
        objects: Content by ``BUCKET/KEY``: the value of a ``.json``, an array of the rows of a ``.jsonl``, else text or
            ``{"base64": …}``; the text of any object if the case is about it; null if there must be no such object.
        problems: For a document that AWS refuses, the lines that the command prints.
        history: The types of the execution's events, in order.
        seconds: The simulated duration: ``{"at_least": …, "below": …}``.
        exit_code: The command's exit code, if it is not the usual one: 0 for SUCCEEDED, 2 for problems, else 1.
    """

    status: str | None = None
    output: Any = ABSENT
    error: Any = ABSENT
    cause: Any = ABSENT
    transitions: int | None = None
    map_runs: list[dict[str, Any]] | None = None
    objects: Mapping[str, Any] | None = None
    problems: list[Any] | None = None
    history: list[str] | None = None
    seconds: Mapping[str, float] | None = None
    exit_code: int = -1

    def code(self) -> int:
        """Return the command's exit code."""
        usual = 2 if self.problems is not None else int(self.status != "SUCCEEDED")
        return usual if self.exit_code == -1 else self.exit_code


@dataclass(frozen=True, slots=True)
class Case:
    """A case, with the members that the module describes and its name, ``TOPIC/NAME``."""

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
    """Return all cases, sorted by name."""
    return [load(file.relative_to(FOLDER).with_suffix("").as_posix(), file) for file in sorted(FOLDER.glob("*/*.json"))]


def load(name: str, file: Path) -> Case:
    """Return the case in a file.

    Raises:
        BadCase: for unknown or missing members.
    """
    try:
        raw = json.loads(file.read_bytes(), object_pairs_hook=_unique_members)
    except (ValueError, BadCase) as error:
        raise BadCase(f"{file}: {error}") from error
    _check_members(raw, {field.name for field in fields(Case)} - {"name"}, f"{file}")
    _check_members(raw.get("expected", {}), {field.name for field in fields(Expected)}, f"{file}: expected")
    for member in ("source", "definition", "expected"):
        if not raw.get(member):
            raise BadCase(f"{file}: expected a member {member!r}")
    expected = Expected(**raw["expected"])
    _check_result_members(expected, f"{file}: expected")
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


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadCase(f"duplicate member among {', '.join(name for name, _ in pairs)}")
    return members


def _check_members(members: Mapping[str, Any], known: Collection[str], place: str) -> None:
    if unknown := sorted(set(members) - set(known)):
        raise BadCase(f"{place}: unknown members {', '.join(unknown)}; there are {', '.join(sorted(known))}")


def _check_result_members(expected: Expected, place: str) -> None:
    """Require the members that decide the result, so that a case matches only one result."""
    if (expected.status is None) == (expected.problems is None):
        raise BadCase(f"{place}: either a status or problems")
    needed = {None: (), "SUCCEEDED": ("output",)}.get(expected.status, ("error", "cause"))
    if missing := [name for name in needed if getattr(expected, name) is ABSENT]:
        raise BadCase(f"{place}: {expected.status} needs {' and '.join(missing)}")


def place_objects(objects: Mapping[str, Any], root: Path) -> None:
    """Write a case's objects into a folder in which each folder is a bucket."""
    for name, content in objects.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(object_bytes(content))


def object_bytes(content: Any) -> bytes:
    """Return the bytes of an object's content in a case."""
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, dict) and content.keys() == {"base64"}:
        return base64.b64decode(content["base64"])
    return json.dumps(content).encode()

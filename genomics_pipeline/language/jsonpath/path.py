"""The value that a path leads to, and how AWS says that there is none."""

from __future__ import annotations

import re
from typing import Any

from genomics_pipeline.language.errors import REFERENCE_PATH_CONFLICT, RUNTIME, StatesError
from genomics_pipeline.language.jsonpath.scope import PathScope
from genomics_pipeline.language.jsonpath.syntax import JsonPath, parse, spelled
from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError
from genomics_pipeline.model.json_text import compact

BEYOND: Any = object()  # behind an array's end: null for a field, nothing for an intrinsic function's argument

_CHOICE = re.compile(r"Variable|(?:String|Numeric|Timestamp|Boolean)\w+Path")


class NotFound(Exception):
    """A path led nowhere.

    Attributes:
        root: What it was looked for in.
        last: The step that could not be taken, or what was asked.
    """

    def __init__(self, detail: str, root: Any, last: str) -> None:
        self.root = root
        self.last = last
        super().__init__(detail)


def find(text: str, scope: PathScope, field: str) -> Any:
    """Return the value of a path: one value, or an array if it asks for several.

    >>> find("$.a[-1]", PathScope({"a": [1, 2]}), "InputPath")
    2
    >>> find("$.a[?(@.n > 1)].n", PathScope({"a": [{"n": 1}, {"n": 2}]}), "InputPath")
    [2]

    Args:
        text: The path.
        scope: What it sees.
        field: The field it stands in: ``InputPath``, ``Choices[0]/Variable``, ``key.$``; AWS's cause depends on it.

    Raises:
        StatesError: ``States.Runtime``, or ``States.ReferencePathConflict`` of ItemsPath, if there is nothing.
    """
    try:
        value = resolve(text, scope)
    except NotFound as missing:
        raise _failure(text, field, missing) from None
    except PathSyntaxError as error:
        raise StatesError(RUNTIME, f"Invalid path '{text}' : {error}") from None
    return None if value is BEYOND else value


def check(text: str) -> str | None:
    """Return what is wrong with a path's syntax.

    >>> check("$.a[0]")
    >>> check("$.a.length()")
    'functions such as length() are not supported'
    >>> check("a.b")
    "a path starts with '$'"
    """
    try:
        function = parse(text).function
    except PathSyntaxError as error:
        return str(error)
    return f"functions such as {function} are not supported" if function else None


def resolve(text: str, scope: PathScope) -> Any:
    """Return the value of a path; BEYOND where it ends behind the end of an array.

    Raises:
        NotFound: if it leads nowhere.
        PathSyntaxError: if the text is no path.
    """
    path = parse(text)
    value = _root(path, scope)
    for step in path.steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int):
            if not -len(value) <= step < len(value):
                return _beyond(path, scope)
            value = value[step]
        else:
            raise _missing(path, scope)
    return _query(path, value, scope) if path.query else value


def _root(path: JsonPath, scope: PathScope) -> Any:
    if path.root == "$":
        return scope.value
    if path.root == "$$":
        return scope.context()
    if path.root not in scope.variables:
        raise NotFound(f"No results for path: ${path.root}", dict(scope.variables), path.root)
    return scope.variables[path.root]


def _query(path: JsonPath, value: Any, scope: PathScope) -> Any:
    from genomics_pipeline.language.jsonpath.query import NotApplicable

    assert path.query is not None
    try:
        return path.query.find(value)
    except NotApplicable as error:
        raise NotFound(str(error), _root(path, scope), "") from None


def _beyond(path: JsonPath, scope: PathScope) -> Any:
    """AWS's JSON nodes answer null behind the end of an array, and nothing can be asked of it."""
    value = _root(path, scope)
    for place, step in enumerate(path.steps):
        if isinstance(value, list) and isinstance(step, int) and not -len(value) <= step < len(value):
            if place + 1 == len(path.steps) and path.query is None:
                return BEYOND
            break
        value = value[step]
    raise NotFound(f"Missing property in path {spelled(path.root, path.steps[: place + 1])}", _root(path, scope), "")


def _missing(path: JsonPath, scope: PathScope) -> NotFound:
    """Why a step cannot be taken, in Jayway's words."""
    root = value = _root(path, scope)
    for place, step in enumerate(path.steps):
        before = path.steps[:place]
        if isinstance(step, int):
            if not isinstance(value, list):
                detail = f"Filter: [{step}] can only be applied to arrays. Current context is: {compact(value)}"
                return NotFound(detail, root, str(step))
        elif not isinstance(value, dict):
            return NotFound(f"Property ['{step}'] not found in path {spelled(path.root, before)}", root, step)
        elif step not in value:
            if place + 1 == len(path.steps) and path.query is None:
                return NotFound(f"No results for path: {spelled(path.root, path.steps)}", root, step)
            return NotFound(f"Missing property in path {spelled(path.root, (*before, step))}", root, step)
        value = value[step]
    raise AssertionError("every step can be taken")


def _failure(text: str, field: str, missing: NotFound) -> StatesError:
    name = field.rsplit("/", 1)[-1]
    if name.endswith(".$") or name in ("ErrorPath", "CausePath"):
        return StatesError(
            RUNTIME,
            f"The JSONPath '{text}' specified for the field '{name}' could not be found in the input "
            f"'{compact(missing.root)}'",
        )
    if _CHOICE.fullmatch(name):
        return StatesError(
            RUNTIME, f"Invalid path '{text}': The choice state's condition path references an invalid value."
        )
    if name in ("SecondsPath", "TimestampPath"):
        return StatesError(RUNTIME, f"The {name} parameter does not reference an input value: {text}")
    if name == "ItemsPath":
        return StatesError(
            REFERENCE_PATH_CONFLICT, f'Unable to apply step "{missing.last}" to input {compact(missing.root)}'
        )
    return StatesError(RUNTIME, f"Invalid path '{text}' : {missing}")

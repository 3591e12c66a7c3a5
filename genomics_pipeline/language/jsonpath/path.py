"""Evaluation of paths, with AWS's causes if there is no value."""

from __future__ import annotations

import re
from typing import Any

from genomics_pipeline.language.errors import REFERENCE_PATH_CONFLICT, RUNTIME, StatesError
from genomics_pipeline.language.jsonpath.scope import PathScope
from genomics_pipeline.language.jsonpath.syntax import JsonPath, parse, spell_path
from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError
from genomics_pipeline.model.json_text import compact

BEYOND_END: Any = object()  # an index beyond an array's end: null for a field, no value for an intrinsic function

_CHOICE = re.compile(r"Variable|(?:String|Numeric|Timestamp|Boolean)\w+Path")


class _NoParent(Exception):
    """The signal that the node does not exist at which a query would start that may select several nodes."""


class NotFound(Exception):
    """The error of a path without a value.

    Attributes:
        root: The document that the path starts from.
        last: The step that could not be taken; empty if there is no single one.
    """

    def __init__(self, detail: str, root: Any, last: str) -> None:
        self.root = root
        self.last = last
        super().__init__(detail)


def find(text: str, scope: PathScope, field: str) -> Any:
    """Return the value of a path: one value, or an array if the path selects several.

    >>> find("$.a[-1]", PathScope({"a": [1, 2]}), "InputPath")
    2
    >>> find("$.a[?(@.n > 1)].n", PathScope({"a": [{"n": 1}, {"n": 2}]}), "InputPath")
    [2]

    Args:
        text: The path.
        scope: The data that it refers to.
        field: The field that contains it: ``InputPath``, ``Choices[0]/Variable``, ``key.$``; AWS's cause depends on it.

    Raises:
        StatesError: ``States.Runtime``, or ``States.ReferencePathConflict`` for ItemsPath, if there is no value.
    """
    try:
        value = resolve(text, scope)
    except NotFound as missing:
        raise _states_error(text, field, missing) from None
    except PathSyntaxError as error:
        raise StatesError(RUNTIME, f"Invalid path '{text}' : {error}") from None
    return None if value is BEYOND_END else value


def check(text: str) -> str | None:
    """Return the problem of a path's syntax, or None.

    >>> check("$.a[0]")
    >>> check("$.a.length()")
    'functions such as length() are not supported'
    >>> check("a.b")
    "a path must start with '$'"
    """
    try:
        function = parse(text).function
    except PathSyntaxError as error:
        return str(error)
    return f"functions such as {function} are not supported" if function else None


def resolve(text: str, scope: PathScope) -> Any:
    """Return the value of a path; `BEYOND_END` if its last step is an index beyond the end of an array.

    Raises:
        NotFound: if there is no value.
        PathSyntaxError: if the text is not a path.
    """
    path = parse(text)
    try:
        return _follow(path, scope)
    except _NoParent:
        return []


def _follow(path: JsonPath, scope: PathScope) -> Any:
    value = _root_value(path, scope)
    for step in path.steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int):
            if not -len(value) <= step < len(value):
                return _value_beyond_end(path, scope)
            value = value[step]
        else:
            raise _not_found(path, scope)
    return _evaluate_query(path, value, scope) if path.query else value


def _root_value(path: JsonPath, scope: PathScope) -> Any:
    if path.root == "$":
        return scope.value
    if path.root == "$$":
        return scope.context()
    if path.root not in scope.variables:
        raise NotFound(f"No results for path: ${path.root}", dict(scope.variables), path.root)
    return scope.variables[path.root]


def _evaluate_query(path: JsonPath, value: Any, scope: PathScope) -> Any:
    from genomics_pipeline.language.jsonpath.query import NotApplicable

    assert path.query is not None
    try:
        return path.query.find(value, scope.host)
    except NotApplicable as error:
        raise NotFound(str(error), _root_value(path, scope), "") from None


def _require_definite(path: JsonPath) -> None:
    if path.query is not None and not path.query.is_definite:
        raise _NoParent


def _value_beyond_end(path: JsonPath, scope: PathScope) -> Any:
    """Return `BEYOND_END`, as AWS's JSON nodes are null beyond the end of an array.

    Raises:
        NotFound: if the path goes on from there.
    """
    _require_definite(path)
    value = _root_value(path, scope)
    for index, step in enumerate(path.steps):
        if isinstance(value, list) and isinstance(step, int) and not -len(value) <= step < len(value):
            if index + 1 == len(path.steps) and path.query is None:
                return BEYOND_END
            break
        value = value[step]
    raise NotFound(
        f"Missing property in path {spell_path(path.root, path.steps[: index + 1])}", _root_value(path, scope), ""
    )


def _not_found(path: JsonPath, scope: PathScope) -> NotFound:
    """Return the error of the first step that cannot be taken, in Jayway's words."""
    _require_definite(path)
    root = value = _root_value(path, scope)
    for index, step in enumerate(path.steps):
        before = path.steps[:index]
        if isinstance(step, int):
            if not isinstance(value, list):
                detail = f"Filter: [{step}] can only be applied to arrays. Current context is: {compact(value)}"
                return NotFound(detail, root, str(step))
        elif not isinstance(value, dict):
            return NotFound(f"Property ['{step}'] not found in path {spell_path(path.root, before)}", root, step)
        elif step not in value:
            if index + 1 == len(path.steps) and path.query is None:
                return NotFound(f"No results for path: {spell_path(path.root, path.steps)}", root, step)
            return NotFound(f"Missing property in path {spell_path(path.root, (*before, step))}", root, step)
        value = value[step]
    raise AssertionError("every step can be taken")


def _states_error(text: str, field: str, missing: NotFound) -> StatesError:
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

"""Reference paths, by which ResultPath places a value in a document."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import REFERENCE_PATH_CONFLICT, RESULT_PATH_MATCH_FAILURE, StatesError
from genomics_pipeline.language.jsonpath.syntax import Step, parse
from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError
from genomics_pipeline.model.json_text import compact

_ABSENT: Any = object()


class _Conflict(Exception):
    pass


def put(text: str, document: Any, value: Any) -> Any:
    """Return a copy of a document with a value at a reference path, creating missing objects on the way.

    >>> put("$.a.b", {"c": 1}, 2)
    {'c': 1, 'a': {'b': 2}}
    >>> put("$", {"c": 1}, 2)
    2

    Raises:
        StatesError: if the path meets a scalar or a missing index. AWS raises ``States.ReferencePathConflict`` but
            documents ``States.ResultPathMatchFailure``: a catcher may name either.
    """
    try:
        return _put(document, parse(text).steps, value)
    except (_Conflict, PathSyntaxError):
        cause = f"Unable to apply ReferencePath {text} to input {compact(document)}"
        raise StatesError(REFERENCE_PATH_CONFLICT, cause, aliases=(RESULT_PATH_MATCH_FAILURE,)) from None


def _put(node: Any, steps: tuple[Step, ...], value: Any) -> Any:
    """Return the node with the value below it; the rest is shared, since the engine never mutates values."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(node, list) or step >= len(node):
            raise _Conflict
        return [*node[:step], _put(node[step], rest, value), *node[step + 1 :]]
    if node is _ABSENT:
        node = {}
    if not isinstance(node, dict):
        raise _Conflict
    return {**node, step: _put(node.get(step, _ABSENT), rest, value)}


def check(text: str) -> str | None:
    """Return the problem of a reference path, or None.

    >>> check("$.a['b'][0]")
    >>> check("$.a[*]")
    'a reference path leads to a single node: it cannot have wildcards, slices, filters or lists of names'
    """
    try:
        path = parse(text)
    except PathSyntaxError as error:
        return str(error)
    if path.root != "$":
        return "a reference path must start with '$' and a name: the context object and variables cannot be written"
    if path.query is not None:
        return "a reference path leads to a single node: it cannot have wildcards, slices, filters or lists of names"
    if any(isinstance(step, int) and step < 0 for step in path.steps):
        return "a reference path cannot have a negative index"
    return f"functions such as {path.function} are not supported" if path.function else None

"""Reference paths: where ResultPath puts a value."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import REFERENCE_PATH_CONFLICT, RESULT_PATH_MATCH_FAILURE, StatesError
from genomics_pipeline.language.jsonpath.syntax import Step, parse
from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError
from genomics_pipeline.model.json_text import compact

_NOTHING: Any = object()


class _Conflict(Exception):
    pass


def put(text: str, document: Any, value: Any) -> Any:
    """Return a copy of a document with a value at a reference path; objects on the way are made where there are none.

    >>> put("$.a.b", {"c": 1}, 2)
    {'c': 1, 'a': {'b': 2}}
    >>> put("$", {"c": 1}, 2)
    2

    Raises:
        StatesError: if something else is in the way: no object, or no such index. AWS calls it
            ``States.ReferencePathConflict``, and documents ``States.ResultPathMatchFailure``: either catches it.
    """
    try:
        return _put(document, parse(text).steps, value)
    except (_Conflict, PathSyntaxError):
        cause = f"Unable to apply ReferencePath {text} to input {compact(document)}"
        raise StatesError(REFERENCE_PATH_CONFLICT, cause, also=(RESULT_PATH_MATCH_FAILURE,)) from None


def _put(node: Any, steps: tuple[Step, ...], value: Any) -> Any:
    """Return the node with the value below it; nothing else is copied, as no value of the engine is ever changed."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(node, list) or step >= len(node):
            raise _Conflict
        return [*node[:step], _put(node[step], rest, value), *node[step + 1 :]]
    if node is _NOTHING:
        node = {}
    if not isinstance(node, dict):
        raise _Conflict
    return {**node, step: _put(node.get(step, _NOTHING), rest, value)}


def check(text: str) -> str | None:
    """Return what is wrong with a reference path.

    >>> check("$.a['b'][0]")
    >>> check("$.a[*]")
    'a reference path leads to a single node: it has no wildcards, slices, filters or several names'
    """
    try:
        path = parse(text)
    except PathSyntaxError as error:
        return str(error)
    if path.root != "$":
        return "a reference path starts with '$' and a name: the context object and variables cannot be written"
    if path.query is not None:
        return "a reference path leads to a single node: it has no wildcards, slices, filters or several names"
    if any(isinstance(step, int) and step < 0 for step in path.steps):
        return "a reference path has no negative index"
    return f"functions such as {path.function} are not supported" if path.function else None

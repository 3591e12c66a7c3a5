"""The part of a path that may find several nodes: wildcards, ``..``, slices, filters, several names or indexes.

The library follows RFC 9535; where AWS's own (Jayway's JsonPath) differs, it is corrected here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import (
    Filter,
    FilterContext,
    IndexSelector,
    JSONPathSelector,
    NameSelector,
    SliceSelector,
)

from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError
from genomics_pipeline.model.json_text import compact

# Quoted text; without its second quote it goes to the end. No pattern tries a place twice (``*+``): a path may have as
# many characters as a definition.
_QUOTED = r"""'(?:[^'\\]|\\.?)*+(?:'|\Z)|"(?:[^"\\]|\\.?)*+(?:"|\Z)"""
_NEEDLESS_DOT = re.compile(rf"({_QUOTED})|(?<!\.)\.(?=\[)", re.DOTALL)  # Jayway reads $.[0] as $[0]
_OUTSIDE = re.compile(_QUOTED, re.DOTALL)
_CALL = re.compile(r"\b([A-Za-z_]\w*+)\s*+\(")


class NotApplicable(Exception):
    """The query cannot be asked of the node it starts at; the text is Jayway's."""


class _Environment(JSONPathEnvironment):
    """The library without what AWS has not."""

    max_recursion_depth = 500

    def setup_function_extensions(self) -> None:
        """No functions: AWS has none, not even ``length()``."""


_ENVIRONMENT = _Environment(strict=True, filter_caching=False)


class _ObjectFilter(Filter):
    """A filter takes objects only: an array's members, or the object itself (the library would take its members)."""

    descends = False

    def resolve(self, node: JSONPathMatch) -> Iterable[JSONPathMatch]:
        """Yield the nodes it takes."""
        if isinstance(node.obj, Mapping):
            if self._takes(node, node.obj):
                yield node
        elif isinstance(node.obj, list) and not self.descends:  # a descent comes to the members by itself
            for place, item in enumerate(node.obj):
                if isinstance(item, Mapping) and self._takes(node, item):
                    yield node.new_child(item, place)

    def _takes(self, node: JSONPathMatch, current: Any) -> bool:
        return bool(self.expression.evaluate(FilterContext(env=self.env, current=current, root=node.root)))


class _ArraySlice(SliceSelector):
    """A slice takes arrays only; the library would cut strings."""

    def resolve(self, node: JSONPathMatch) -> Iterable[JSONPathMatch]:
        """Return the members in the slice."""
        return super().resolve(node) if isinstance(node.obj, list) else ()


def _corrected(selector: JSONPathSelector, descends: bool) -> JSONPathSelector:
    if isinstance(selector, Filter):
        taker = _ObjectFilter(env=selector.env, token=selector.token, expression=selector.expression)
        taker.descends = descends
        return taker
    if isinstance(selector, SliceSelector):
        if selector.slice.step is not None:
            raise PathSyntaxError("a slice has no step")
        return _ArraySlice(env=selector.env, token=selector.token, start=selector.slice.start, stop=selector.slice.stop)
    return selector


class Query:
    """A query of one node, which may find several."""

    __slots__ = ("_first", "_names", "_path", "_text")

    def __init__(self, text: str) -> None:
        """Compile it.

        Raises:
            PathSyntaxError: if it is none, or needs what AWS has not.
        """
        self._text = _NEEDLESS_DOT.sub(lambda found: found[1] or "", text)
        _refuse(self._text)
        try:
            compiled = _ENVIRONMENT.compile("$" + self._text)
        except (JSONPathError, RecursionError, ValueError, OverflowError) as error:  # the last two: enormous numbers
            raise PathSyntaxError(f"{getattr(error, 'message', error)} in '{text}'") from error
        assert isinstance(compiled, JSONPath)
        segments = compiled.segments
        for segment in segments:
            descends = isinstance(segment, JSONPathRecursiveDescentSegment)
            segment.selectors = tuple(_corrected(selector, descends) for selector in segment.selectors)
        self._first = segments[0].selectors if not isinstance(segments[0], JSONPathRecursiveDescentSegment) else ()
        self._names = _names(segments[-1])
        self._path = JSONPath(env=_ENVIRONMENT, segments=segments[:-1] if self._names else segments)

    def find(self, value: Any) -> Any:
        """An array of what is found; an object where names were asked for, ``['a','b']`` (as Jayway merges them).

        Raises:
            NotApplicable: if the node is not of the kind that the query asks.
        """
        self._require(value)
        # The library would read a string as JSON text.
        found = self._path.findall(value) if isinstance(value, dict | list) else []
        if not self._names:
            return found
        chosen = [
            {name: each[name] for name in self._names if name in each} for each in found if isinstance(each, Mapping)
        ]
        return chosen if self._path.segments else chosen[0]

    def _require(self, value: Any) -> None:
        arrays = (SliceSelector, IndexSelector)
        if any(isinstance(selector, arrays) for selector in self._first) and not isinstance(value, list):
            raise NotApplicable(
                f"Filter: {self._text} can only be applied to arrays. Current context is: {compact(value)}"
            )
        if any(isinstance(selector, Filter) for selector in self._first) and not isinstance(value, dict | list):
            raise NotApplicable(
                f"Filter: {self._text} can not be applied to primitives. Current context is: {compact(value)}"
            )
        if any(isinstance(selector, NameSelector) for selector in self._first) and not isinstance(value, dict):
            raise NotApplicable(f"Property {self._text} not found in path")


def _names(segment: JSONPathSegment) -> tuple[str, ...]:
    """Return the names of a segment like ``['a','b']``."""
    selectors = segment.selectors
    names = tuple(selector.name for selector in selectors if isinstance(selector, NameSelector))
    several = len(names) == len(selectors) > 1
    return names if several and not isinstance(segment, JSONPathRecursiveDescentSegment) else ()


def _refuse(text: str) -> None:
    """Refuse what other JSONPath libraries have and AWS has not (developer guide, "Paths")."""
    bare = _OUTSIDE.sub("''", text)
    if bare[0].isspace():
        raise PathSyntaxError("a name with spaces stands in brackets and quotes")
    if call := _CALL.search(bare):
        raise PathSyntaxError(f"functions such as {call[1]}() are not supported")
    if "=~" in bare:
        raise PathSyntaxError("filtering by regular expression is not supported")
    if "$" in bare:
        raise PathSyntaxError("a filter cannot refer to another value, with '$'")

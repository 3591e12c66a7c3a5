"""Queries, the parts of paths that may select several nodes: wildcards, ``..``, slices, filters, lists of names.

The library follows RFC 9535. This module corrects it where Jayway's JsonPath, which AWS uses, differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
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

from genomics_pipeline.language.evaluation import JSONPATH, Evaluation, EvaluationEnd, TooLarge, TooLong
from genomics_pipeline.language.host import Host
from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError
from genomics_pipeline.model.json_text import compact

# Quoted text, up to the end if the second quote is missing. The patterns do not backtrack (``*+``), as a path may be as
# long as a definition.
_QUOTED = r"""'(?:[^'\\]|\\.?)*+(?:'|\Z)|"(?:[^"\\]|\\.?)*+(?:"|\Z)"""
_NEEDLESS_DOT = re.compile(rf"({_QUOTED})|(?<!\.)\.(?=\[)", re.DOTALL)  # Jayway reads $.[0] as $[0]
_UNQUOTED = re.compile(
    rf"({_QUOTED})|(==|!=|<=|>=|<|>)(\s*+)([^\s'\"@$\[\]{{}}()&|=<>!~?,][^'\"\[\]{{}}()&|=<>!~,]*+)", re.DOTALL
)
_LITERAL = re.compile(r"true|false|null|-?\d+(\.\d+)?([eE][-+]?\d+)?")
_OUTSIDE = re.compile(_QUOTED, re.DOTALL)
_FILTER = re.compile(r"\[\s*+\?[^\]]*+")  # up to the first bracket that ends: that of a filter in it, or its own
_SHORT, _FEW = 500, 4
_CALL = re.compile(r"\b([A-Za-z_]\w*+)\s*+\(")


class NotApplicable(Exception):
    """The error of a query that does not apply to the type of its node, in Jayway's words."""


class _Environment(JSONPathEnvironment):
    """The library's environment, without functions: AWS has none, not even ``length()``."""

    max_recursion_depth = 500

    def setup_function_extensions(self) -> None:
        """Register no functions."""


_ENVIRONMENT = _Environment(strict=True, filter_caching=False)


class _ObjectFilter(Filter):
    """A filter of objects: an array's members, or an object itself, where the library would filter its members."""

    descends = False

    def resolve(self, node: JSONPathMatch) -> Iterable[JSONPathMatch]:
        """Yield the nodes that the filter selects."""
        if isinstance(node.obj, Mapping):
            if self._selects(node, node.obj):
                yield node
        elif isinstance(node.obj, list) and not self.descends:  # a descent visits the members itself
            for index, item in enumerate(node.obj):
                if isinstance(item, Mapping) and self._selects(node, item):
                    yield node.new_child(item, index)

    def _selects(self, node: JSONPathMatch, current: Any) -> bool:
        return bool(self.expression.evaluate(FilterContext(env=self.env, current=current, root=node.root)))


class _ArraySlice(SliceSelector):
    """A slice of arrays only, where the library would also slice strings."""

    def resolve(self, node: JSONPathMatch) -> Iterable[JSONPathMatch]:
        """Return the members in the slice."""
        return super().resolve(node) if isinstance(node.obj, list) else ()


def _correct(selector: JSONPathSelector, descends: bool) -> JSONPathSelector:
    if isinstance(selector, Filter):
        object_filter = _ObjectFilter(env=selector.env, token=selector.token, expression=selector.expression)
        object_filter.descends = descends
        return object_filter
    if isinstance(selector, SliceSelector):
        if selector.slice.step is not None:
            raise PathSyntaxError("a slice cannot have a step")
        return _ArraySlice(env=selector.env, token=selector.token, start=selector.slice.start, stop=selector.slice.stop)
    return selector


class Query:
    """A query that starts at one node and may select several."""

    __slots__ = ("_first", "_is_cheap", "_names", "_path", "_source", "_text")

    def __init__(self, text: str) -> None:
        """Compile a query.

        Raises:
            PathSyntaxError: if the text is not a query, or needs a feature that AWS lacks.
        """
        self._source = text
        self._text = _UNQUOTED.sub(_quote, _NEEDLESS_DOT.sub(lambda match: match[1] or "", text))
        _refuse_unsupported(self._text)
        try:
            compiled = _ENVIRONMENT.compile("$" + self._text)
        except (JSONPathError, RecursionError, ValueError, OverflowError) as error:  # the last two: enormous numbers
            raise PathSyntaxError(f"{getattr(error, 'message', error)} in '{text}'") from error
        assert isinstance(compiled, JSONPath)
        segments = compiled.segments
        for segment in segments:
            descends = isinstance(segment, JSONPathRecursiveDescentSegment)
            segment.selectors = tuple(_correct(selector, descends) for selector in segment.selectors)
        self._is_cheap = _is_cheap(self._text)
        self._first = segments[0].selectors if not isinstance(segments[0], JSONPathRecursiveDescentSegment) else ()
        self._names = _names(segments[-1])
        self._path = JSONPath(env=_ENVIRONMENT, segments=segments[:-1] if self._names else segments)

    @property
    def is_definite(self) -> bool:
        """Return whether the query selects at most one node, as ``['a','b']`` does, an object of these members."""
        return bool(self._names) and not self._path.segments

    def find(self, value: Any, host: Host) -> Any:
        """Return an array of the selected values; for ``['a','b']``, objects of these members, as Jayway does.

        Args:
            value: The value that the query starts at.
            host: Evaluates a query that may be costly.

        Raises:
            NotApplicable: if the query does not apply to the value's type, or takes too long.
        """
        self._require(value)
        if self._is_cheap:
            outcome = self.outcome(value)
        else:
            try:
                outcome = host.evaluate_apart(Evaluation(JSONPATH, self._source, value, lambda _: self.outcome(value)))
            except TooLong:
                outcome = EvaluationEnd(problem=f"evaluation of {self._text} takes too long")
            except TooLarge:
                outcome = EvaluationEnd(problem=f"evaluation of {self._text} takes too much memory")
        if outcome.problem:
            raise NotApplicable(outcome.problem)
        return outcome.value

    def outcome(self, value: Any) -> EvaluationEnd:
        """Evaluate the query here, whatever it costs."""
        try:
            # The library would parse a string as JSON text.
            values = self._path.findall(value) if isinstance(value, dict | list) else []
        except JSONPathError as error:  # nested too deeply
            return EvaluationEnd(problem=str(getattr(error, "message", error)))
        if not self._names:
            return EvaluationEnd(values)
        objects = [
            {name: each[name] for name in self._names if name in each} for each in values if isinstance(each, Mapping)
        ]
        return EvaluationEnd(objects if self._path.segments else objects[0])

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


@lru_cache(maxsize=4096)
def compiled(text: str) -> Query:
    """Return the query with this text; the same one each time.

    Raises:
        PathSyntaxError: if the text is not a query, or needs a feature that AWS lacks.
    """
    return Query(text)


def _is_cheap(text: str) -> bool:
    """Return whether a query visits each node of its value once or a few times: it has few parts that multiply."""
    bare = _OUTSIDE.sub("''", text)
    inside_filters = "".join(_FILTER.findall(bare))
    return (
        len(text) <= _SHORT
        and bare.count("..") <= 1
        and bare.count(",") <= _FEW
        and bare.count("@") <= _FEW
        and "*" not in inside_filters
        and ".." not in inside_filters
        and "," not in inside_filters
    )


def _names(segment: JSONPathSegment) -> tuple[str, ...]:
    """Return the names in a segment such as ``['a','b']``; empty for any other segment."""
    selectors = segment.selectors
    names = tuple(selector.name for selector in selectors if isinstance(selector, NameSelector))
    several = len(names) == len(selectors) > 1
    return names if several and not isinstance(segment, JSONPathRecursiveDescentSegment) else ()


def _quote(match: re.Match[str]) -> str:
    """Quote the text that a filter compares with: AWS takes ``[?(@.kind==home)]`` as ``[?(@.kind=='home')]``."""
    if match[1]:
        return match[1]
    operand = match[4].rstrip()
    text = operand if _LITERAL.fullmatch(operand) else "'" + operand.replace("\\", "\\\\") + "'"
    return match[2] + match[3] + text + match[4][len(operand) :]


def _refuse_unsupported(text: str) -> None:
    """Refuse features of other JSONPath libraries that AWS lacks (developer guide, "Paths")."""
    bare = _OUTSIDE.sub("''", text)
    if bare[0].isspace():
        raise PathSyntaxError("a name with spaces must be in brackets and quotes")
    if call := _CALL.search(bare):
        raise PathSyntaxError(f"functions such as {call[1]}() are not supported")
    if "=~" in bare:
        raise PathSyntaxError("filtering by regular expression is not supported")
    if "$" in bare:
        raise PathSyntaxError("a filter cannot refer to another value, with '$'")

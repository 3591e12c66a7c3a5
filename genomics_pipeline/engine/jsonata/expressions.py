"""JSONata templates: a JSON value in which every string ``{% … %}`` is an expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from genomics_pipeline.engine.errors import QUERY_EVALUATION, StatesError

_OPEN, _CLOSE = "{%", "%}"
_PATH = re.compile(r"\s*\$([A-Za-z]\w*)((?:\.[A-Za-z]\w*)*)\s*", re.ASCII)
_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_ABSENT = object()

Bindings = Mapping[str, Any]


class Expression:
    """One compiled expression."""

    __slots__ = ("_compiled", "_names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled: Any = None
        path = _PATH.fullmatch(text)
        names = [path[1], *path[2].split(".")[1:]] if path else []
        self._names = [] if _WORDS & set(names) else names

    def evaluate(self, bindings: Bindings, field: str) -> Any:
        """The value of the expression.

        Args:
            bindings: Variables by name; ``states`` among them.
            field: The field it stands in, for the error.

        Raises:
            StatesError: ``States.QueryEvaluationError``, when it fails or gives nothing.
        """
        found = self._member(bindings) if self._names else _ABSENT
        return self._evaluate(bindings, field) if found is _ABSENT else found

    def _member(self, bindings: Bindings) -> Any:
        """A pure path through objects, which JSONata answers with just that member; anything else is left to it."""
        found: Any = bindings
        for name in self._names:
            if not isinstance(found, Mapping) or name not in found:
                return _ABSENT
            found = found[name]
        return found

    def _evaluate(self, bindings: Bindings, field: str) -> Any:
        from jsonata import Jsonata

        from genomics_pipeline.engine.jsonata.functions import plain

        try:
            if self._compiled is None:
                self._compiled = _compile(self.text)
            # The library evaluates on whichever instance its thread made last.
            Jsonata.CURRENT.jsonata = self._compiled
            found = self._compiled.evaluate(None, bindings)
        except StatesError:
            raise
        except Exception as error:  # it raises its own, and whatever Python raises inside it
            code = getattr(error, "error", "")
            told = f"{code}: {error}" if code else str(error)
            raise self._failure(field, f"threw an error during evaluation. {told}") from error
        if found is None:
            raise self._failure(field, "returned nothing (undefined).")
        return plain(found)

    def _failure(self, field: str, what: str) -> StatesError:
        cause = f"The JSONata expression '{self.text}' specified for the field '{field}' {what}"
        return StatesError(QUERY_EVALUATION, cause, location=field)


def _compile(text: str) -> Any:
    from jsonata import Jsonata

    compiled = Jsonata(text)
    compiled.set_output_convert_nulls(False)  # else null and undefined look the same
    compiled.environment.bindings.update(_functions())
    return compiled


@cache
def _functions() -> dict[str, Any]:
    from genomics_pipeline.engine.jsonata.functions import bindings

    return bindings()


@lru_cache(maxsize=4096)
def _expression(text: str) -> Expression:
    return Expression(text)


def is_expression(value: Any) -> bool:
    """Whether a value of a document is an expression.

    >>> is_expression("{% 1 %}"), is_expression(" {% 1 %}")
    (True, False)
    """
    return isinstance(value, str) and value.startswith(_OPEN) and value.endswith(_CLOSE) and len(value) >= 4


def evaluate(template: Any, bindings: Bindings, field: str) -> Any:
    """The value of a template.

    >>> evaluate({"n": "{% $x + 1 %}", "s": "plain"}, {"x": 1}, "Output")
    {'n': 2, 's': 'plain'}

    Args:
        template: Any JSON value of a document.
        bindings: Variables by name; ``states`` among them.
        field: The field it stands in, for the error.

    Raises:
        StatesError: ``States.QueryEvaluationError``.
    """
    if isinstance(template, str):
        if is_expression(template):
            return _expression(template[2:-2].strip()).evaluate(bindings, field)
        return template
    if isinstance(template, dict):
        return {key: evaluate(value, bindings, f"{field}/{key}") for key, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, bindings, f"{field}[{place}]") for place, value in enumerate(template)]
    return template

"""JSONata templates: a JSON value in which every string ``{% … %}`` is an expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from genomics_pipeline.language.errors import QUERY_EVALUATION, StatesError
from genomics_pipeline.language.host import NO_HOST, Host
from genomics_pipeline.language.jsonata.text import WORDS, is_expression, text_of

_PATH = re.compile(r"\s*\$([A-Za-z]\w*)((?:\.[A-Za-z]\w*)*)\s*", re.ASCII)
_ABSENT = object()
_UNCODED = "threw an error during evaluation: "  # a colon, where no code follows

Bindings = Mapping[str, Any]


class Expression:
    """One compiled expression."""

    __slots__ = ("_compiled", "_names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled: Any = None
        path = _PATH.fullmatch(text)
        names = [path[1], *path[2].split(".")[1:]] if path else []
        self._names = [] if WORDS & set(names) else names

    def evaluate(self, bindings: Bindings, field: str, host: Host = NO_HOST) -> Any:
        """Return the value of the expression.

        Args:
            bindings: Variables by name; ``states`` among them.
            field: The field it stands in, for the error.
            host: The source of time and chance.

        Raises:
            StatesError: ``States.QueryEvaluationError``, when it fails or gives nothing.
        """
        found = self._member(bindings) if self._names else _ABSENT
        if found is _ABSENT:
            return self._evaluate(bindings, field, host)
        return _plain(found) if isinstance(found, int | float) else found

    def _member(self, bindings: Bindings) -> Any:
        """Return the member that a pure path through objects leads to; `_ABSENT` for any other."""
        found: Any = bindings
        for name in self._names:
            if not isinstance(found, Mapping) or name not in found:
                return _ABSENT
            found = found[name]
        return found

    def _evaluate(self, bindings: Bindings, field: str, host: Host) -> Any:
        from genomics_pipeline.language.jsonata.messages import code_and_sentence
        from genomics_pipeline.language.jsonata.values import NotJson, plain

        try:
            if self._compiled is None:
                self._compiled = _compile(self.text)
            found = self._compiled.run(bindings, host)
        except Exception as error:  # the library raises its own, and whatever Python raises inside it
            code, sentence = code_and_sentence(error)
            what = f"threw an error during evaluation. {code}: {sentence}" if code else _UNCODED + sentence
            raise self.failure(field, what) from error
        if found is None:
            raise self.failure(field, "returned nothing (undefined).")
        try:
            return plain(found)
        except NotJson:
            raise self.failure(field, "returned an unsupported result type.") from None

    def failure(self, field: str, what: str) -> StatesError:
        """AWS's sentence about an expression of a field."""
        cause = f"The JSONata expression '{self.text}' specified for the field '{field}' {what}"
        return StatesError(QUERY_EVALUATION, cause, location=field)


def _compile(text: str) -> Any:
    from genomics_pipeline.language.jsonata.evaluator import Evaluator

    return Evaluator(text, _functions())


def _plain(number: float) -> Any:
    from genomics_pipeline.language.jsonata.values import plain

    return plain(number)


@cache
def _functions() -> dict[str, Any]:
    from genomics_pipeline.language.jsonata.functions import bindings

    return bindings()


@lru_cache(maxsize=4096)
def _expression(text: str) -> Expression:
    return Expression(text)


def evaluate(template: Any, bindings: Bindings, field: str, host: Host = NO_HOST) -> Any:
    """Return the value of a template.

    >>> evaluate({"n": "{% $x + 1 %}", "s": "plain"}, {"x": 1}, "Output")
    {'n': 2, 's': 'plain'}

    Args:
        template: Any JSON value of a document.
        bindings: Variables by name; ``states`` among them.
        field: The field it stands in, for the error.
        host: The source of time and chance.

    Raises:
        StatesError: ``States.QueryEvaluationError``.
    """
    if isinstance(template, str):
        if is_expression(template):
            return _expression(text_of(template)).evaluate(bindings, field, host)
        return template
    if isinstance(template, dict):
        return {key: evaluate(value, bindings, f"{field}/{key}", host) for key, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, bindings, f"{field}[{index}]", host) for index, value in enumerate(template)]
    return template

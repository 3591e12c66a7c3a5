"""JSONata templates: JSON values in which every string ``{% … %}`` is an expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from genomics_pipeline.language.errors import QUERY_EVALUATION, StatesError
from genomics_pipeline.language.host import NO_HOST, Host
from genomics_pipeline.language.jsonata.text import WORDS, is_expression, unwrap_expression

_PATH = re.compile(r"\s*\$([A-Za-z]\w*)((?:\.[A-Za-z]\w*)*)\s*", re.ASCII)
_ABSENT = object()
_WITHOUT_CODE = "threw an error during evaluation: "  # AWS writes a colon if there is no code

Bindings = Mapping[str, Any]


class Expression:
    """A JSONata expression, compiled when first evaluated."""

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
            bindings: The variables by name, ``states`` included.
            field: The field that contains it, for the error.
            host: The source of time and random numbers.

        Raises:
            StatesError: ``States.QueryEvaluationError``, if it fails or returns nothing.
        """
        value = self._member(bindings) if self._names else _ABSENT
        if value is _ABSENT:
            return self._evaluate(bindings, field, host)
        return _number_to_json(value) if isinstance(value, int | float) else value

    def _member(self, bindings: Bindings) -> Any:
        """Return the value of a path of names through objects; `_ABSENT` for any other path."""
        value: Any = bindings
        for name in self._names:
            if not isinstance(value, Mapping) or name not in value:
                return _ABSENT
            value = value[name]
        return value

    def _evaluate(self, bindings: Bindings, field: str, host: Host) -> Any:
        from genomics_pipeline.language.jsonata.messages import code_and_sentence
        from genomics_pipeline.language.jsonata.values import NotJson, to_json

        try:
            if self._compiled is None:
                self._compiled = _compile(self.text)
            value = self._compiled.run(bindings, host)
        except Exception as error:  # the library raises its own, and any that Python raises inside it
            code, sentence = code_and_sentence(error)
            problem = f"threw an error during evaluation. {code}: {sentence}" if code else _WITHOUT_CODE + sentence
            raise self.failure(field, problem) from error
        if value is None:
            raise self.failure(field, "returned nothing (undefined).")
        try:
            return to_json(value)
        except NotJson:
            raise self.failure(field, "returned an unsupported result type.") from None

    def failure(self, field: str, problem: str) -> StatesError:
        """Return the error of the expression, with a cause in AWS's words.

        Args:
            field: The field that contains it.
            problem: The rest of the sentence.
        """
        cause = f"The JSONata expression '{self.text}' specified for the field '{field}' {problem}"
        return StatesError(QUERY_EVALUATION, cause, location=field)


def _compile(text: str) -> Any:
    from genomics_pipeline.language.jsonata.evaluator import Evaluator

    return Evaluator(text, _functions())


def _number_to_json(number: float) -> Any:
    from genomics_pipeline.language.jsonata.values import to_json

    return to_json(number)


@cache
def _functions() -> dict[str, Any]:
    from genomics_pipeline.language.jsonata.functions import function_bindings

    return function_bindings()


@lru_cache(maxsize=4096)
def _expression(text: str) -> Expression:
    return Expression(text)


def evaluate(template: Any, bindings: Bindings, field: str, host: Host = NO_HOST) -> Any:
    """Return the value of a template.

    >>> evaluate({"n": "{% $x + 1 %}", "s": "plain"}, {"x": 1}, "Output")
    {'n': 2, 's': 'plain'}

    Args:
        template: Any JSON value of a document.
        bindings: The variables by name, ``states`` included.
        field: The field that contains it, for the error.
        host: The source of time and random numbers.

    Raises:
        StatesError: ``States.QueryEvaluationError``.
    """
    if isinstance(template, str):
        if is_expression(template):
            return _expression(unwrap_expression(template)).evaluate(bindings, field, host)
        return template
    if isinstance(template, dict):
        return {key: evaluate(value, bindings, f"{field}/{key}", host) for key, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, bindings, f"{field}[{index}]", host) for index, value in enumerate(template)]
    return template

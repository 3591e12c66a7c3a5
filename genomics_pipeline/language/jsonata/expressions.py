"""JSONata templates: JSON values in which every string ``{% … %}`` is an expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from genomics_pipeline.language.errors import QUERY_EVALUATION, StatesError
from genomics_pipeline.language.evaluation import JSONATA, Evaluation, EvaluationEnd, TooCostly, TooLarge, TooLong
from genomics_pipeline.language.host import NO_HOST, Host
from genomics_pipeline.language.jsonata.text import WORDS, is_expression, unwrap_expression
from genomics_pipeline.language.size_budget import SizeBudget

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
        try:
            outcome = self.outcome(bindings, host, is_metered=True)
        except TooCostly:
            outcome = self._outcome_apart(bindings, host)
        if outcome.problem:
            raise self.failure(field, outcome.problem)
        return outcome.value

    def outcome(self, bindings: Bindings, host: Host, is_metered: bool = False) -> EvaluationEnd:
        """Evaluate the expression here.

        Args:
            bindings: The variables by name, ``states`` included.
            host: The source of time and random numbers.
            is_metered: Do only little work; by default, all that AWS allows.

        Raises:
            TooCostly: if that is not enough.
        """
        try:
            if self._compiled is None:
                self._compiled = _compile(self.text)
            outcome: EvaluationEnd = self._compiled.run(bindings, host, is_metered)
            return outcome
        except Exception as error:  # the library raises its own, and any that Python raises inside it
            return EvaluationEnd(problem=_problem(error))

    def _outcome_apart(self, bindings: Bindings, host: Host) -> EvaluationEnd:
        from genomics_pipeline.language.jsonata.limits import too_large, too_long
        from genomics_pipeline.language.jsonata.reads import read_parts

        read = read_parts(bindings, self._compiled.read_members)
        try:
            return host.evaluate_apart(Evaluation(JSONATA, self.text, read, lambda host: self.outcome(read, host)))
        except TooLong:
            return EvaluationEnd(problem=_problem(too_long()))
        except TooLarge:
            return EvaluationEnd(problem=_problem(too_large()))

    def failure(self, field: str, problem: str) -> StatesError:
        """Return the error of the expression, with a cause in AWS's words.

        Args:
            field: The field that contains it.
            problem: The rest of the sentence.
        """
        cause = f"The JSONata expression '{self.text}' specified for the field '{field}' {problem}"
        return StatesError(QUERY_EVALUATION, cause, location=field)


def _problem(error: Exception) -> str:
    from genomics_pipeline.language.jsonata.messages import code_and_sentence
    from genomics_pipeline.language.jsonata.values import NotJson

    if isinstance(error, NotJson):
        return "returned an unsupported result type."
    code, sentence = code_and_sentence(error)
    return f"threw an error during evaluation. {code}: {sentence}" if code else _WITHOUT_CODE + sentence


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
def compiled(text: str) -> Expression:
    """Return the expression with this source text; the same one each time."""
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
        StatesError: ``States.QueryEvaluationError``; ``States.DataLimitExceeded`` if it is very large.
    """
    return _evaluate(template, bindings, field, host, SizeBudget())


def _evaluate(template: Any, bindings: Bindings, field: str, host: Host, budget: SizeBudget) -> Any:
    if isinstance(template, str):
        if is_expression(template):
            value = compiled(unwrap_expression(template)).evaluate(bindings, field, host)
            budget.add(value, field)
            return value
        return template
    if isinstance(template, dict):
        return {key: _evaluate(value, bindings, f"{field}/{key}", host, budget) for key, value in template.items()}
    if isinstance(template, list):
        return [_evaluate(value, bindings, f"{field}[{index}]", host, budget) for index, value in enumerate(template)]
    return template

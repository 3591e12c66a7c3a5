"""Evaluation of an expression by its source text, without regard to its cost: for the process that is limited."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.evaluation import JSONATA, EvaluationEnd
from genomics_pipeline.language.host import Host


def perform(language: str, text: str, data: Any, host: Host) -> EvaluationEnd:
    """Evaluate an expression.

    >>> from genomics_pipeline.language.host import NO_HOST
    >>> perform("JSONata", "$x + 1", {"x": 1}, NO_HOST)
    EvaluationEnd(value=2, problem='')
    >>> perform("JSONPath", "[*].a", [{"a": 1}, {"b": 2}], NO_HOST)
    EvaluationEnd(value=[1], problem='')

    Args:
        language: ``JSONata`` or ``JSONPath``.
        text: An expression, or the query of a path.
        data: The variables by name, or the value that the query starts at.
        host: The source of time and random numbers.
    """
    if language == JSONATA:
        from genomics_pipeline.language.jsonata.expressions import compiled as expression

        return expression(text).outcome(data, host)
    from genomics_pipeline.language.jsonpath.query import compiled as query

    return query(text).outcome(data)

"""Evaluations that may be costly, which the host does apart from its other work, within a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

JSONATA, JSONPATH = "JSONata", "JSONPath"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An expression of a document, with the data that it reads; all of it JSON.

    Attributes:
        language: `JSONATA` or `JSONPATH`.
        text: The source text: an expression, or the query of a path.
        data: The variables that it reads by name, or the value that the query starts at.
        here: Evaluates it in this process, given a host, without regard to its cost.
    """

    language: str
    text: str
    data: Any
    here: Callable[[Any], EvaluationEnd]


@dataclass(frozen=True, slots=True)
class EvaluationEnd:
    """The end of an evaluation.

    Attributes:
        value: The value, if there is no problem.
        problem: The reason why there is no value, as the end of AWS's sentence; empty if there is one.
    """

    value: Any = None
    problem: str = ""


class TooCostly(BaseException):
    """The signal that an expression is to be evaluated apart; libraries catch exceptions of other kinds."""


class BudgetExceeded(Exception):
    """The error of an evaluation that took more processor time or memory than it may."""


class TooLong(BudgetExceeded):
    """The error of an evaluation that took too much processor time."""


class TooLarge(BudgetExceeded):
    """The error of an evaluation that took too much memory."""

"""Checks that a document can be run here; every problem at once, each with its JSON path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from genomics_pipeline.model.errors import DataError, Problem, did_you_mean

STATE_TYPES = ("Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
JSONPATH = 'this engine evaluates JSONata; expected "QueryLanguage": "JSONata", found JSONPath, the default'

Document = Mapping[str, Any]
Runs = Callable[[str, str], bool]


def check(document: Document, runs: Runs) -> None:
    """Refuse a document that cannot be run.

    Args:
        document: The state machine.
        runs: Whether something here runs a Task of that resource and state.

    Raises:
        DataError: with every problem, in the document's order.
    """
    problems = list(_machine(document, "$", document.get("QueryLanguage", "JSONPath"), runs))
    if problems:
        raise DataError(problems)


def _machine(machine: Document, path: str, language: str, runs: Runs) -> Iterator[Problem]:
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield Problem("expected an object of states, found none", column=f"{path}.States")
        return
    yield from _target(machine.get("StartAt"), states, f"{path}.StartAt")
    for name, state in states.items():
        place = f"{path}.States.{name}"
        spoken = state.get("QueryLanguage", language)
        if spoken != "JSONata":
            yield Problem(JSONPATH, column=place)
        elif state.get("Type") not in STATE_TYPES:
            kind = state.get("Type")
            message = f"expected a state type, found {kind!r}; {did_you_mean(str(kind), STATE_TYPES)}"
            yield Problem(message, column=f"{place}.Type")
        else:
            yield from _state(state, states, place, language, runs)


def _state(state: Document, states: Document, place: str, language: str, runs: Runs) -> Iterator[Problem]:
    kind = state["Type"]
    if kind == "Choice":
        yield from _choice(state, states, place)
    elif kind not in ("Succeed", "Fail") and state.get("End") is not True:
        yield from _target(state.get("Next"), states, f"{place}.Next")
    for number, catcher in enumerate(state.get("Catch", ())):
        yield from _target(catcher.get("Next"), states, f"{place}.Catch[{number}].Next")
    if kind == "Task" and not runs(str(state.get("Resource")), place.rpartition(".")[2]):
        message = f"nothing here runs {state.get('Resource')!r}"
        yield Problem(message, column=f"{place}.Resource")
    elif kind == "Parallel":
        for number, branch in enumerate(state.get("Branches", ())):
            yield from _machine(branch, f"{place}.Branches[{number}]", language, runs)
    elif kind == "Map":
        yield from _machine(state.get("ItemProcessor", {}), f"{place}.ItemProcessor", language, runs)


def _choice(state: Document, states: Document, place: str) -> Iterator[Problem]:
    rules = state.get("Choices", ())
    if not rules:
        yield Problem("expected at least one rule, found none", column=f"{place}.Choices")
    for number, rule in enumerate(rules):
        if "Condition" not in rule:
            yield Problem("expected a Condition, found none", column=f"{place}.Choices[{number}]")
        yield from _target(rule.get("Next"), states, f"{place}.Choices[{number}].Next")
    if "Default" in state:
        yield from _target(state["Default"], states, f"{place}.Default")


def _target(name: Any, states: Document, place: str) -> Iterator[Problem]:
    if name is None:
        yield Problem("expected the name of a state, found none", column=place)
    elif name not in states:
        yield Problem(
            f"expected a state of the same States, found {name!r}; {did_you_mean(str(name), list(states))}",
            column=place,
        )

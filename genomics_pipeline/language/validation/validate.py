"""The validation of a state machine document: every problem at once, in the document's order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from genomics_pipeline.language.validation.choice_rules import check_choices
from genomics_pipeline.language.validation.diagnostics import SCHEMA, TOO_DEEP, Diagnostic, schema_violation
from genomics_pipeline.language.validation.distributed_map import check_map
from genomics_pipeline.language.validation.names import check_labels, check_state_names
from genomics_pipeline.language.validation.retriers import check_retry_and_catch
from genomics_pipeline.language.validation.shapes import check_shape
from genomics_pipeline.language.validation.tasks import check_task
from genomics_pipeline.language.validation.transitions import check_transitions
from genomics_pipeline.language.validation.variables import check_scopes
from genomics_pipeline.language.walker import NEITHER, MachineNode, StateNode, walk_machines
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact

STATE_TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")  # in the order AWS lists them
MAX_DEPTH = 200

_RULES = (check_choices, check_map, check_retry_and_catch, check_task)


def diagnose(document: Any, *, express: bool = False) -> list[Diagnostic]:
    """Return every problem for which AWS would refuse a document.

    Args:
        document: The state machine: any JSON value.
        express: True if its type is EXPRESS.

    Returns:
        The problems, in the document's order.
    """
    if not isinstance(document, dict):
        return [Diagnostic(SCHEMA, "Definition must be a valid JSON object", "")]
    if _depth(document) > MAX_DEPTH:
        return [Diagnostic(TOO_DEEP, "The states are too deeply nested.", "/")]
    size = len(compact(document))
    if size > quotas.DEFINITION.value:
        return [schema_violation(f"A definition may have at most {quotas.DEFINITION}, found {size}", "")]
    problems = list(_problems(document, express=express))
    if len(problems) > 1:
        order = {path: number for number, path in enumerate(_paths(document))}
        problems.sort(key=lambda problem: order.get(problem.path, math.inf))
    return problems


def _problems(document: dict[str, Any], *, express: bool) -> Iterator[Diagnostic]:
    machines = list(walk_machines(document, express=express))
    states = [state for machine in machines for state in machine.states()]
    for machine in machines:
        yield from check_shape(machine.kind, machine.node, machine.path, machine.language)
        yield from _check_states_are_objects(machine)
        yield from check_transitions(machine)
    for state in states:
        yield from _check_state(state)
        for rule in _RULES:
            yield from rule(state)
    yield from check_state_names(machines)
    yield from check_labels(states)
    yield from check_scopes(machines)


def _check_states_are_objects(machine: MachineNode) -> Iterator[Diagnostic]:
    for name, node in machine.nodes.items():
        if not isinstance(node, dict):
            yield schema_violation("Expected value of type [OBJECT]", f"{machine.path}/States/{name}")


def _check_state(state: StateNode) -> Iterator[Diagnostic]:
    # Messages about Type: gabrielmoreira/tiny-asl-machine, AWS snapshots Validation.BasicStructure-001 and -002.
    if "Type" not in state.node:
        yield schema_violation("The field 'Type' is required", state.path)
    elif not isinstance(state.node["Type"], str):
        yield schema_violation("Expected value of type [STRING]", f"{state.path}/Type")
    elif state.kind not in STATE_TYPES:
        message = f"The field 'Type' should have one of these values: [{', '.join(STATE_TYPES)}]"
        yield schema_violation(message, f"{state.path}/Type")
    else:
        yield from check_shape(state.kind, state.node, state.path, state.language)
    if state.language == NEITHER:
        # localstack/localstack, test_sfn_api_validation, INVALID_DOWNGRADE_QUERY_LANGUAGE
        words = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        yield schema_violation(words, state.path)


def _depth(document: Any) -> int:
    deepest, level = 0, [document]
    while level:
        deepest += 1
        if deepest > MAX_DEPTH:
            break
        inner = (value.values() if isinstance(value, dict) else value for value in level)
        level = [part for parts in inner for part in parts if isinstance(part, dict | list)]
    return deepest


def _paths(document: Any) -> Iterator[str]:
    """Yield the path to every value of a document, in the document's order."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        yield path or "/"
        if isinstance(value, dict):
            waiting.extend((f"{path}/{key}", inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((f"{path}[{number}]", inner) for number, inner in reversed(list(enumerate(value))))

"""StartAt, Next, Default and Catch.Next: each leads to a state of its own machine, and every state can be reached.

Measured with ValidateStateMachineDefinition (floci-io/floci pull request 2786), and recorded of CreateStateMachine
(gabrielmoreira/tiny-asl-machine, AWS snapshots Validation.BasicStructure and Validation.Structure): every dangling
target is a 'Next' target in the message; the document, but no machine inside it, must have a terminal state; without
one it is not asked what can be reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.language.validation.diagnostics import MISSING_END_STATE, MISSING_TARGET, Diagnostic
from genomics_pipeline.language.walker import MachineNode, StateNode

_ENDS = ("Succeed", "Fail")
_CATCHES = ("Task", "Parallel", "Map")


def check_transitions(machine: MachineNode) -> Iterator[Diagnostic]:
    """Yield what is wrong with where a machine's states lead."""
    start = machine.node.get("StartAt")
    if not isinstance(start, str) or not isinstance(machine.node.get("States"), Mapping):
        return
    states = {state.name: state for state in machine.states()}
    leads = {name: list(_targets(state)) for name, state in states.items()}
    for path, target in ((f"{machine.path}/StartAt", start), *(pair for pairs in leads.values() for pair in pairs)):
        if target not in machine.nodes:
            yield Diagnostic(MISSING_TARGET, f"Missing 'Next' target: {target}", path)
    if machine.kind == "StateMachine" and not any(map(_terminal, states.values())):
        yield Diagnostic(MISSING_END_STATE, "Workflow has no terminal state", "")
        return
    if not all(name in states and _readable(states[name]) for name in machine.nodes):
        return  # where a state leads cannot be told, so neither what is never reached
    reached = _reached(start, leads)
    for name, state in states.items():
        if name not in reached:
            yield Diagnostic(MISSING_TARGET, f'State "{name}" is not reachable.', state.path)


def _targets(state: StateNode) -> Iterator[tuple[str, str]]:
    """Yield the names that a state leads to, each with its place before it."""
    node, places = state.node, []
    if state.kind == "Choice":
        places += [("Default", node.get("Default")), *_entries(node, "Choices")]
    else:
        places.append(("Next", node.get("Next")))
    if state.kind in _CATCHES:
        places += _entries(node, "Catch")
    yield from ((f"{state.path}/{place}", target) for place, target in places if isinstance(target, str))


def _entries(node: Any, field: str) -> list[tuple[str, Any]]:
    entries = node.get(field)
    return [
        (f"{field}[{number}]/Next", entry.get("Next"))
        for number, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    ]


def _terminal(state: StateNode) -> bool:
    ends = "Type" in state.node and state.kind != "Choice" and state.node.get("End") is True
    return state.kind in _ENDS or ends


def _readable(state: StateNode) -> bool:
    if state.kind == "Choice":
        choices = state.node.get("Choices")
        return isinstance(choices, list) and all(
            isinstance(rule, dict) and isinstance(rule.get("Next"), str) for rule in choices
        )
    return bool(state.kind) and (_terminal(state) or isinstance(state.node.get("Next"), str))


def _reached(start: str, leads: dict[str, list[tuple[str, str]]]) -> set[str]:
    reached, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in leads and name not in reached:
            reached.add(name)
            waiting.extend(target for _, target in leads[name])
    return reached

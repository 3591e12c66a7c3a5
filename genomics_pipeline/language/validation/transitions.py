"""Checks of StartAt, Next, Default and Catch.Next: targets exist in the same machine, and every state is reachable.

Measured with ValidateStateMachineDefinition (floci-io/floci pull request 2786), and recorded from CreateStateMachine
(gabrielmoreira/tiny-asl-machine, AWS snapshots Validation.BasicStructure and Validation.Structure): the message calls
every missing target a 'Next' target; the document must have a terminal state, but no machine inside it must; if the
document has none, AWS does not check which states are reachable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.language.validation.diagnostics import MISSING_END_STATE, MISSING_TARGET, Diagnostic
from genomics_pipeline.language.walker import MachineNode, StateNode

_TERMINAL_TYPES = ("Succeed", "Fail")
_CATCHING_TYPES = ("Task", "Parallel", "Map")


def check_transitions(machine: MachineNode) -> Iterator[Diagnostic]:
    """Yield the problems of the transitions between a machine's states."""
    start = machine.node.get("StartAt")
    if not isinstance(start, str) or not isinstance(machine.node.get("States"), Mapping):
        return
    states = {state.name: state for state in machine.states()}
    targets = {name: list(_targets(state)) for name, state in states.items()}
    for path, target in ((f"{machine.path}/StartAt", start), *(pair for pairs in targets.values() for pair in pairs)):
        if target not in machine.nodes:
            yield Diagnostic(MISSING_TARGET, f"Missing 'Next' target: {target}", path)
    if machine.kind == "StateMachine" and not any(map(_is_terminal, states.values())):
        yield Diagnostic(MISSING_END_STATE, "Workflow has no terminal state", "")
        return
    if not all(name in states and _has_known_targets(states[name]) for name in machine.nodes):
        return  # with an unknown transition, no state can be called unreachable
    reachable = _reachable_states(start, targets)
    for name, state in states.items():
        if name not in reachable:
            yield Diagnostic(MISSING_TARGET, f'State "{name}" is not reachable.', state.path)


def _targets(state: StateNode) -> Iterator[tuple[str, str]]:
    """Yield the targets of a state's transitions, each as path and name."""
    node, targets = state.node, []
    if state.kind == "Choice":
        targets += [("Default", node.get("Default")), *_entries(node, "Choices")]
    else:
        targets.append(("Next", node.get("Next")))
    if state.kind in _CATCHING_TYPES:
        targets += _entries(node, "Catch")
    yield from ((f"{state.path}/{path}", target) for path, target in targets if isinstance(target, str))


def _entries(node: Any, field: str) -> list[tuple[str, Any]]:
    entries = node.get(field)
    return [
        (f"{field}[{number}]/Next", entry.get("Next"))
        for number, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    ]


def _is_terminal(state: StateNode) -> bool:
    ends = "Type" in state.node and state.kind != "Choice" and state.node.get("End") is True
    return state.kind in _TERMINAL_TYPES or ends


def _has_known_targets(state: StateNode) -> bool:
    if state.kind == "Choice":
        choices = state.node.get("Choices")
        return isinstance(choices, list) and all(
            isinstance(rule, dict) and isinstance(rule.get("Next"), str) for rule in choices
        )
    return bool(state.kind) and (_is_terminal(state) or isinstance(state.node.get("Next"), str))


def _reachable_states(start: str, targets: dict[str, list[tuple[str, str]]]) -> set[str]:
    reached, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in targets and name not in reached:
            reached.add(name)
            waiting.extend(target for _, target in targets[name])
    return reached

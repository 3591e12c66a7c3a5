"""Scopes of variables: a name that a machine assigns is not assigned again by the machines within it.

Code, words and place: radkawar/stackd, testdata/aws/stepfunctions/dataflow_execution.json, validate-inner-shadow-outer.
A Distributed Map's processor sees no variables from outside (developer guide, workflow-variables): none is in its
way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genomics_pipeline.language.validation.diagnostics import DUPLICATE_VARIABLE, Diagnostic
from genomics_pipeline.language.walker import JSONATA, MachineNode, StateNode


def check_scopes(machines: Sequence[MachineNode]) -> Iterator[Diagnostic]:
    """Yield what is wrong with the names of a document's variables."""
    assigned = {machine.path: list(_assigned(machine)) for machine in machines}
    closed = [path for machine in machines for path in _distributed(machine)]
    for inner, names in assigned.items():
        hidden = [path for path in closed if _within(inner, path)]
        outer = {
            name
            for path, others in assigned.items()
            if path != inner and _within(inner, path) and all(_within(path, boundary) for boundary in hidden)
            for name, _ in others
        }
        for name, place in names:
            if name in outer:
                words = f"The variable name '{name}' was already defined in a parent scope."
                yield Diagnostic(DUPLICATE_VARIABLE, words, place)


def _within(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}/")


def _distributed(machine: MachineNode) -> Iterator[str]:
    for state in machine.states():
        if state.distributed and state.processor:
            yield state.processor.path


def _assigned(machine: MachineNode) -> Iterator[tuple[str, str]]:
    """Yield each name, and where it is assigned."""
    for state in machine.states():
        for node, path in _assigning(state):
            assign = node.get("Assign")
            for key in assign if isinstance(assign, Mapping) else ():
                name = key if state.language == JSONATA else key.removesuffix(".$")
                yield name, f"{path}/Assign/{key}"


def _assigning(state: StateNode) -> Iterator[tuple[Mapping[str, Any], str]]:
    yield state.node, state.path
    for field in ("Choices", "Catch"):
        entries = state.node.get(field)
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, Mapping):
                yield entry, f"{state.path}/{field}[{number}]"

"""Checks of the scopes of variables: no machine assigns a name that a machine around it assigns.

Code, message and path: radkawar/stackd, testdata/aws/stepfunctions/dataflow_execution.json,
validate-inner-shadow-outer, with a Parallel. The processor of a Distributed Map does not see outer variables, but must
not use their names either: developer guide, workflow-variables, "Variable scope": if the top-level scope assigns a
name, no scope inside a Map or Parallel can. No recording of AWS with a Distributed Map is known that would overrule it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genomics_pipeline.language.validation.diagnostics import DUPLICATE_VARIABLE, Diagnostic
from genomics_pipeline.language.walker import JSONATA, MachineNode, StateNode


def check_scopes(machines: Sequence[MachineNode]) -> Iterator[Diagnostic]:
    """Yield the variables whose names an outer scope already has."""
    assigned = {machine.path: list(_assignments(machine)) for machine in machines}
    for inner, names in assigned.items():
        outer = {
            name for path, others in assigned.items() if path != inner and _is_within(inner, path) for name, _ in others
        }
        for name, assign_path in names:
            if name in outer:
                words = f"The variable name '{name}' was already defined in a parent scope."
                yield Diagnostic(DUPLICATE_VARIABLE, words, assign_path)


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}/")


def _assignments(machine: MachineNode) -> Iterator[tuple[str, str]]:
    """Yield the name of each assigned variable, and the path to the assignment."""
    for state in machine.states():
        for node, path in _assigning_objects(state):
            assign = node.get("Assign")
            for key in assign if isinstance(assign, Mapping) else ():
                name = key if state.language == JSONATA else key.removesuffix(".$")
                yield name, f"{path}/Assign/{key}"


def _assigning_objects(state: StateNode) -> Iterator[tuple[Mapping[str, Any], str]]:
    yield state.node, state.path
    for field in ("Choices", "Catch"):
        entries = state.node.get(field)
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, Mapping):
                yield entry, f"{state.path}/{field}[{number}]"

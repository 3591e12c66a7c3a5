"""A definition as the rules read it: its machines and states, what encloses them, and the transitions between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.language.walker import MachineNode, StateNode, machines_of, walk_machines
from genomics_pipeline.planning.advice.graph import StateGraph, state_graph


@dataclass(frozen=True, slots=True)
class ReadDefinition:
    """A definition.

    Attributes:
        document: The document.
        machines: Its machines: the document, Branches and ItemProcessors.
        states: All states, machine by machine.
        containers: The Map or Parallel state around each machine, by the machine's path.
        graphs: The transitions of each machine, by its path.
    """

    document: Mapping[str, Any]
    machines: tuple[MachineNode, ...]
    states: tuple[StateNode, ...]
    containers: Mapping[str, StateNode]
    graphs: Mapping[str, StateGraph]

    def of_kind(self, kind: str) -> Iterator[StateNode]:
        """Yield the states of a Type."""
        return (state for state in self.states if state.kind == kind)

    def enclosing(self, state: StateNode) -> Iterator[StateNode]:
        """Yield the Map and Parallel states around a state, the innermost first."""
        while container := self.containers.get(state.machine.path):
            yield container
            state = container

    def distributed_map(self, state: StateNode) -> StateNode | None:
        """Return the Distributed Map in whose child executions a state runs; None for the main execution."""
        return next((container for container in self.enclosing(state) if container.is_distributed), None)

    def is_repeated(self, state: StateNode) -> bool:
        """Return whether a state is inside a Map, so that many run at once."""
        return any(container.kind == "Map" for container in self.enclosing(state))

    def inside(self, container: StateNode) -> Iterator[StateNode]:
        """Yield the states inside a Map or Parallel, at any depth."""
        for machine in container.machines():
            for part in machines_of(machine):
                yield from part.states()

    def graph(self, state: StateNode) -> StateGraph:
        """Return the transitions of a state's machine."""
        return self.graphs[state.machine.path]


def read_definition(document: Mapping[str, Any], *, express: bool = False) -> ReadDefinition:
    """Return a document as the rules read it.

    Args:
        document: The state machine; members of the wrong JSON type are skipped.
        express: True if its type is EXPRESS.
    """
    machines = tuple(walk_machines(document, express=express))
    states = tuple(state for machine in machines for state in machine.states())
    return ReadDefinition(
        document=document,
        machines=machines,
        states=states,
        containers={inner.path: state for state in states for inner in state.machines()},
        graphs={machine.path: state_graph(machine) for machine in machines},
    )

"""Counts of a definition without running it: events of a history, state transitions, results."""

from __future__ import annotations

from genomics_pipeline.language.walker import MachineNode, StateNode
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.resources import task_resource

# Events of one visit: entered and exited, and what the state adds (GetExecutionHistory, HistoryEventType).
_STATE_EVENTS = 2
_TASK_EVENTS = 5  # scheduled, started, succeeded
_WAITING_TASK_EVENTS = 6  # submitted as well
_CONTAINER_EVENTS = 4  # started, succeeded
ITERATION_EVENTS = 2  # of an inline Map: started, succeeded


def events(definition: ReadDefinition, state: StateNode) -> float:
    """Return how many events one visit of a state adds at least, without errors; a Map counts one iteration."""
    if state.kind == "Task":
        return _WAITING_TASK_EVENTS if task_resource(state).waits else _TASK_EVENTS
    if state.kind not in ("Map", "Parallel"):
        return _STATE_EVENTS
    if state.is_distributed:
        return _CONTAINER_EVENTS
    per_machine = ITERATION_EVENTS if state.kind == "Map" else 0
    return _CONTAINER_EVENTS + sum(per_machine + machine_events(definition, inner) for inner in state.machines())


def machine_events(definition: ReadDefinition, machine: MachineNode) -> float:
    """Return how many events the shortest way through a machine adds."""
    return definition.graphs[machine.path].least(lambda state: events(definition, state))


def transitions(definition: ReadDefinition, machine: MachineNode) -> float:
    """Return how many state transitions the shortest way through a machine has; a Map counts one iteration."""
    return definition.graphs[machine.path].least(lambda state: _transitions(definition, state))


def _transitions(definition: ReadDefinition, state: StateNode) -> float:
    if state.is_distributed:
        return 1
    return 1 + sum(transitions(definition, inner) for inner in state.machines())


def item_transitions(definition: ReadDefinition, distributed: StateNode) -> float:
    """Return how many transitions one child execution of a Distributed Map costs at least: its start, and its states.

    The states of an EXPRESS child are not paid for by transition.
    """
    processor = distributed.processor
    if processor is None:
        return 0
    return 1 + (0 if processor.express else transitions(definition, processor))

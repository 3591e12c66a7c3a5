"""The walk through a document: its machines (itself, its branches and item processors) and their states, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.language.query_language import Node

JSONPATH, JSONATA, NEITHER = "JSONPath", "JSONata", ""


@dataclass(frozen=True, slots=True)
class MachineNode:
    """An object with StartAt and States.

    Attributes:
        kind: ``StateMachine``, ``Branch`` or ``ItemProcessor``.
        node: Its fields.
        path: The path to it, as AWS writes paths: ``/States/Sample/ItemProcessor``; empty for the document.
        language: The document's query language.
        express: True if it runs in an EXPRESS execution.
    """

    kind: str
    node: Node
    path: str
    language: str
    express: bool

    @property
    def nodes(self) -> Node:
        """The members of States, which need not be objects; empty if there are none."""
        states = self.node.get("States")
        return states if isinstance(states, Mapping) else {}

    def states(self) -> Iterator[StateNode]:
        """Yield the states that are objects."""
        for name, node in self.nodes.items():
            if isinstance(node, Mapping):
                yield StateNode(name, node, self)


@dataclass(frozen=True, slots=True)
class StateNode:
    """A state that is an object.

    Attributes:
        name: Its name.
        node: Its fields.
        machine: The machine that it is a state of.
    """

    name: str
    node: Node
    machine: MachineNode

    @property
    def path(self) -> str:
        """The path to the state in the document: ``/States/Sample/ItemProcessor/States/Sort``."""
        return f"{self.machine.path}/States/{self.name}"

    @property
    def kind(self) -> str:
        """The Type; empty if it is not a string."""
        kind = self.node.get("Type")
        return kind if isinstance(kind, str) else ""

    @property
    def language(self) -> str:
        """The query language; `NEITHER` for a JSONPath state in a JSONata document, which AWS refuses."""
        own = _language(self.node, self.machine.language)
        return NEITHER if self.machine.language == JSONATA and own == JSONPATH else own

    @property
    def processor(self) -> MachineNode | None:
        """The ItemProcessor of a Map, or Iterator, its deprecated name; None for other states."""
        for field in ("ItemProcessor", "Iterator"):
            node = self.node.get(field)
            if self.kind == "Map" and isinstance(node, Mapping):
                config = _config(node)
                distributed = config.get("Mode") == "DISTRIBUTED"
                express = config.get("ExecutionType") == "EXPRESS" if distributed else self.machine.express
                return MachineNode("ItemProcessor", node, f"{self.path}/{field}", self.machine.language, express)
        return None

    @property
    def processor_config(self) -> Node:
        """The ProcessorConfig of a Map; empty if there is none."""
        processor = self.processor
        return _config(processor.node) if processor else {}

    @property
    def is_distributed(self) -> bool:
        """True for a Distributed Map."""
        return self.processor_config.get("Mode") == "DISTRIBUTED"

    def machines(self) -> Iterator[MachineNode]:
        """Yield the machines in the state: a Parallel's Branches, or a Map's ItemProcessor."""
        branches = self.node.get("Branches") if self.kind == "Parallel" else None
        for number, node in enumerate(branches if isinstance(branches, list) else ()):
            if isinstance(node, Mapping):
                path = f"{self.path}/Branches[{number}]"
                yield MachineNode("Branch", node, path, self.machine.language, self.machine.express)
        if processor := self.processor:
            yield processor


def walk_machines(document: Node, *, express: bool = False) -> Iterator[MachineNode]:
    """Yield the document and every machine in it, each before the machines within it.

    A machine's states are in the document's query language, never that of the Map or Parallel around them
    (floci-io/floci issue 2968).

    Args:
        document: The state machine. Members of the wrong JSON type are skipped.
        express: True if it runs as an EXPRESS execution.
    """
    yield from machines_of(MachineNode("StateMachine", document, "", _language(document, JSONPATH), express))


def machines_of(machine: MachineNode) -> Iterator[MachineNode]:
    """Yield a machine and those inside its states, at any depth, each before the machines within it."""
    waiting = [machine]
    while waiting:
        part = waiting.pop()
        yield part
        inner = [found for state in part.states() for found in state.machines()]
        waiting.extend(reversed(inner))


def walk_states(document: Node) -> Iterator[StateNode]:
    """Yield every state of a document, machine by machine.

    >>> one = {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}
    >>> document = {"StartAt": "A", "States": {"A": {"Type": "Map", "ItemProcessor": one, "End": True}}}
    >>> [(state.name, state.path, state.machine.kind) for state in walk_states(document)]
    [('A', '/States/A', 'StateMachine'), ('B', '/States/A/ItemProcessor/States/B', 'ItemProcessor')]
    """
    for machine in walk_machines(document):
        yield from machine.states()


def _config(processor: Node) -> Mapping[str, Any]:
    config = processor.get("ProcessorConfig")
    return config if isinstance(config, Mapping) else {}


def _language(node: Node, inherited: str) -> str:
    # Any QueryLanguage but JSONPath itself counts as JSONata: measured on AWS, floci-io/floci issue 2968.
    if "QueryLanguage" not in node:
        return inherited
    return JSONPATH if node["QueryLanguage"] == JSONPATH else JSONATA

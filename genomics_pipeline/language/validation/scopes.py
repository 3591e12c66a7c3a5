"""The machines of a document (itself, its branches, its item processors) and their states, in the document's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JSONPATH, JSONATA, NEITHER = "JSONPath", "JSONata", ""

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """A state that is an object.

    Attributes:
        name: Its name.
        node: Its fields.
        path: Where it stands.
        kind: Its Type; empty where that is no string.
        language: Its query language; neither, where it may not have the one it names.
        express: Whether it runs in an EXPRESS execution.
    """

    name: str
    node: Node
    path: str
    kind: str
    language: str
    express: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """Something with StartAt and States.

    Attributes:
        kind: ``StateMachine``, ``Branch`` or ``ItemProcessor``.
        node: Its fields.
        path: Where it stands; empty for the document.
        language: The document's query language.
        express: Whether it runs in an EXPRESS execution.
    """

    kind: str
    node: Node
    path: str
    language: str
    express: bool

    @property
    def nodes(self) -> Node:
        """Its States, whatever they are."""
        found = self.node.get("States")
        return found if isinstance(found, Mapping) else {}

    def states(self) -> Iterator[State]:
        """Its states that are objects."""
        for name, node in self.nodes.items():
            if isinstance(node, Mapping):
                kind = node.get("Type")
                spoken = _language(node, self.language)
                reverted = self.language == JSONATA and spoken == JSONPATH
                yield State(
                    name,
                    node,
                    f"{self.path}/States/{name}",
                    kind if isinstance(kind, str) else "",
                    NEITHER if reverted else spoken,
                    self.express,
                )


def _language(node: Node, inherited: str) -> str:
    """Any QueryLanguage but JSONPath itself counts as JSONata: measured on AWS, floci-io/floci issue 2968."""
    return inherited if "QueryLanguage" not in node else JSONPATH if node["QueryLanguage"] == JSONPATH else JSONATA


def machines(document: Node, *, express: bool) -> Iterator[Machine]:
    """The document and every machine in it.

    A machine's states speak the document's language, never that of the Map or Parallel around them (the same issue).
    """
    waiting = [Machine("StateMachine", document, "", _language(document, JSONPATH), express)]
    while waiting:
        machine = waiting.pop()
        yield machine
        inner = [part for state in machine.states() for part in _inside(state, machine.language)]
        waiting.extend(reversed(inner))


def processor(state: State) -> tuple[str, Node] | None:
    """The name and the value of a Map's ItemProcessor, or of its older name Iterator."""
    for field in ("ItemProcessor", "Iterator"):
        if state.kind == "Map" and isinstance(state.node.get(field), Mapping):
            return field, state.node[field]
    return None


def processor_config(state: State) -> Node:
    """A Map's ProcessorConfig."""
    found = processor(state)
    config = found[1].get("ProcessorConfig") if found else None
    return config if isinstance(config, Mapping) else {}


def _inside(state: State, language: str) -> Iterator[Machine]:
    branches = state.node.get("Branches") if state.kind == "Parallel" else None
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, Mapping):
            yield Machine("Branch", branch, f"{state.path}/Branches[{number}]", language, state.express)
    if found := processor(state):
        config = processor_config(state)
        distributed = config.get("Mode") == "DISTRIBUTED"
        express = config.get("ExecutionType") == "EXPRESS" if distributed else state.express
        yield Machine("ItemProcessor", found[1], f"{state.path}/{found[0]}", language, express)

"""The transitions between the states of one machine: neighbours, loops, and the shortest way to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from genomics_pipeline.language.walker import MachineNode, StateNode
from genomics_pipeline.planning.advice.fields import objects

_ENDS = ("Succeed", "Fail")


@dataclass(frozen=True, slots=True)
class StateGraph:
    """The transitions of a machine.

    Attributes:
        start: The name of its first state; empty if there is none.
        states: Its states by name.
        following: The names that each state leads to without an error: Next, Default, Choices.
        caught: The names that each state's catchers lead to.
        preceding: The states that lead to each name, by any transition.
    """

    start: str
    states: Mapping[str, StateNode]
    following: Mapping[str, tuple[str, ...]]
    caught: Mapping[str, tuple[str, ...]]
    preceding: Mapping[str, tuple[StateNode, ...]]

    def loops(self) -> Iterator[list[StateNode]]:
        """Yield the states of each loop: those that lead to each other."""
        edges = {name: (*self.following[name], *self.caught[name]) for name in self.states}
        for names in _components(edges):
            if len(names) > 1 or names[0] in edges[names[0]]:
                members = set(names)
                yield [state for name, state in self.states.items() if name in members]

    def least(self, weight: Callable[[StateNode], float]) -> float:
        """Return the smallest sum of weights on a way from the first state to an end; 0 if there is none."""
        waiting, reached = [(0.0, self.start)], set[str]()
        while waiting:
            before, name = heappop(waiting)
            if name in reached or name not in self.states:
                continue
            reached.add(name)
            total = before + weight(self.states[name])
            if not self.following[name]:
                return total
            for target in self.following[name]:
                heappush(waiting, (total, target))
        return 0.0


def state_graph(machine: MachineNode) -> StateGraph:
    """Return the transitions of a machine; those to states that it does not have are left out."""
    states = {state.name: state for state in machine.states()}
    following = {
        name: tuple(target for target in _following(state) if target in states) for name, state in states.items()
    }
    caught = {
        name: tuple(target for _, entry in objects(state.node, "Catch") if (target := entry.get("Next")) in states)
        for name, state in states.items()
    }
    preceding: dict[str, list[StateNode]] = {}
    for name, state in states.items():
        for target in dict.fromkeys((*following[name], *caught[name])):
            preceding.setdefault(target, []).append(state)
    start = machine.node.get("StartAt")
    return StateGraph(
        start=start if isinstance(start, str) else "",
        states=states,
        following=following,
        caught=caught,
        preceding={name: tuple(sources) for name, sources in preceding.items()},
    )


def _following(state: StateNode) -> Iterator[str]:
    if state.kind in _ENDS:
        return
    targets = [entry.get("Next") for _, entry in objects(state.node, "Choices")] if state.kind == "Choice" else []
    targets.append(state.node.get("Default" if state.kind == "Choice" else "Next"))
    yield from (target for target in targets if isinstance(target, str))


def _components(edges: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield the strongly connected components of a graph, by Kosaraju's algorithm."""
    order: list[str] = []
    seen: set[str] = set()
    for root in edges:
        stack = [(root, iter(edges[root]))] if root not in seen else []
        seen.add(root)
        while stack:
            name, targets = stack[-1]
            target = next((one for one in targets if one not in seen), None)
            if target is None:
                order.append(name)
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(edges[target])))
    backwards: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets_of in edges.items():
        for target in targets_of:
            backwards[target].append(name)
    placed: set[str] = set()
    for root in reversed(order):
        component, waiting = [], [root]
        while waiting:
            name = waiting.pop()
            if name not in placed:
                placed.add(name)
                component.append(name)
                waiting.extend(backwards[name])
        if component:
            yield component

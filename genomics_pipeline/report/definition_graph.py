"""The graph of a state machine, laid out in layers: each state below those that lead to it, Maps around their states.

The layout is deterministic: it depends on the document alone. Units are pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.language.walker import MachineNode, StateNode, walk_machines

CHARACTER, LEAST_WIDTH, MOST_CHARACTERS = 7.4, 120.0, 40  # of names in a font of 12 pixels
HEIGHT, TITLE, PADDING, GAP_X, GAP_Y, LANE = 44.0, 46.0, 16.0, 28.0, 36.0, 14.0
NEXT, CHOICE, CATCH = "next", "choice", "catch"


@dataclass(slots=True)
class GraphNode:
    """A state.

    Attributes:
        name: Its name.
        kind: Its Type.
        words: A line about it.
        machines: The machines within it.
        x: The left edge, from that of its machine.
        y: The top edge, likewise.
        width: Its width.
        height: Its height.
        row_bottom: The bottom edge of the highest state in its layer.
    """

    name: str
    kind: str
    words: str
    machines: Sequence[GraphMachine] = ()
    x: float = 0.0
    y: float = 0.0
    width: float = LEAST_WIDTH
    height: float = HEIGHT
    row_bottom: float = 0.0


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A transition.

    Attributes:
        source: The name of the state that it leaves.
        target: The name of the state that it enters.
        kind: next, choice or catch.
        lane: The number of its lane beside the states, from 1; 0 where the states are in consecutive layers.
    """

    source: str
    target: str
    kind: str
    lane: int = 0


@dataclass(slots=True)
class GraphMachine:
    """A machine: the document, a branch or an item processor.

    Attributes:
        nodes: Its states by name, in the order of the layers.
        edges: Its transitions.
        x: The left edge, from that of the state around it.
        y: The top edge, likewise.
        width: Its width, with the lanes.
        height: Its height.
        inner_width: Its width without the lanes.
    """

    nodes: dict[str, GraphNode]
    edges: list[GraphEdge] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    inner_width: float = 0.0


def definition_graph(document: Mapping[str, Any], *, failures: bool) -> GraphMachine:
    """Return the graph of a state machine document.

    Args:
        document: The document; members of the wrong JSON type are left out.
        failures: Whether to draw what handles failures too: Catch, and states that only it leads to.
    """
    return _machine(next(walk_machines(document)), failures)


def _machine(machine: MachineNode, failures: bool) -> GraphMachine:
    states = {state.name: state for state in machine.states()}
    edges = [edge for state in states.values() for edge in _transitions(state) if edge.target in states]
    if not failures:
        edges = [edge for edge in edges if edge.kind != CATCH]
        shown = _reachable(str(machine.node.get("StartAt")), edges)
        states = {name: state for name, state in states.items() if name in shown}
        edges = [edge for edge in edges if edge.source in states]
    layers = _layers(list(states), edges, str(machine.node.get("StartAt")))
    rows: dict[int, list[str]] = {}
    for name in states:
        rows.setdefault(layers[name], []).append(name)
    graph = GraphMachine({})
    for row in _ordered(rows, edges):
        for name in row:
            graph.nodes[name] = _node(states[name], failures)
    _place(graph, rows)
    _route(graph, edges, layers)
    return graph


def _transitions(state: StateNode) -> Iterator[GraphEdge]:
    """Yield the transitions of a state, each once."""
    targets: dict[str, str] = {}
    for kind, field_name in ((CHOICE, "Choices"), (CATCH, "Catch")):
        rules = state.node.get(field_name)
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, Mapping) and isinstance(rule.get("Next"), str):
                targets.setdefault(rule["Next"], kind)
    for kind, field_name in ((NEXT, "Next"), (CHOICE, "Default")):
        if isinstance(state.node.get(field_name), str):
            targets[state.node[field_name]] = kind
    return (GraphEdge(state.name, target, kind) for target, kind in targets.items())


def _reachable(start: str, edges: Sequence[GraphEdge]) -> set[str]:
    following: dict[str, list[str]] = {}
    for edge in edges:
        following.setdefault(edge.source, []).append(edge.target)
    found, waiting = {start}, [start]
    while waiting:
        for name in following.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _layers(names: Sequence[str], edges: Sequence[GraphEdge], start: str) -> dict[str, int]:
    """Return the layer of each state: the longest path to it, without the transitions that close a cycle."""
    following: dict[str, list[str]] = {name: [] for name in names}
    for edge in edges:
        following[edge.source].append(edge.target)
    order, ahead = _depth_first([*([start] if start in following else []), *names], following)
    layers = dict.fromkeys(names, 0)
    for name in reversed(order):  # each state before those that it leads to
        for target in ahead[name]:
            layers[target] = max(layers[target], layers[name] + 1)
    return layers


def _depth_first(
    roots: Sequence[str], following: Mapping[str, Sequence[str]]
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the states in the order in which their visits end, and of each those that it leads to without a cycle.

    Args:
        roots: The states to begin at.
        following: The states that each leads to.
    """
    order: list[str] = []
    ahead: dict[str, list[str]] = {name: [] for name in following}
    begun: set[str] = set()
    ended: set[str] = set()
    for root in roots:
        stack = [(root, iter(following[root]))] if root not in begun else []
        begun.add(root)
        while stack:
            name, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                stack.pop()
                order.append(name)
                ended.add(name)
            elif target not in begun:
                begun.add(target)
                ahead[name].append(target)
                stack.append((target, iter(following[target])))
            elif target in ended:
                ahead[name].append(target)
    return order, ahead


def _ordered(rows: dict[int, list[str]], edges: Sequence[GraphEdge]) -> Iterator[list[str]]:
    """Yield the states of each layer, ordered by the mean place of those that lead to them; `rows` is ordered, too."""
    leading: dict[str, list[str]] = {}
    for edge in edges:
        leading.setdefault(edge.target, []).append(edge.source)
    place: dict[str, float] = {}
    for layer in sorted(rows):
        row = rows[layer]
        weights = {}
        for index, name in enumerate(row):
            above = [place[source] for source in leading.get(name, ()) if source in place]
            weights[name] = sum(above) / len(above) if above else float(index)
        row.sort(key=weights.__getitem__)
        place.update({name: (index + 0.5) / len(row) for index, name in enumerate(row)})
        yield row


def _node(state: StateNode, failures: bool) -> GraphNode:
    words = _words(state)
    longest = max(len(shortened(state.name)), len(words))
    node = GraphNode(state.name, state.kind, words, width=max(LEAST_WIDTH, longest * CHARACTER + 2 * PADDING))
    node.machines = [_machine(machine, failures) for machine in state.machines()]
    if node.machines:
        left = PADDING
        for machine in node.machines:
            machine.x, machine.y = left, TITLE
            left += machine.width + PADDING
        if left < node.width:
            node.machines[0].x += (node.width - left) / 2
        node.width = max(node.width, left)
        node.height = TITLE + max(machine.height for machine in node.machines) + PADDING
    return node


def shortened(name: str) -> str:
    """Return a name, cut where it is too long to be drawn."""
    return name if len(name) <= MOST_CHARACTERS else f"{name[: MOST_CHARACTERS - 1]}…"


def _words(state: StateNode) -> str:
    if state.kind == "Map":
        return "Distributed Map" if state.is_distributed else "Map"
    resource = state.node.get("Resource")
    if state.kind == "Task" and isinstance(resource, str):
        return f"Task, {shortened(resource.rpartition(':::' if ':::' in resource else ':')[2])}"
    return state.kind


def _place(graph: GraphMachine, rows: Mapping[int, Sequence[str]]) -> None:
    """Place the states in rows, each centred, one below the other."""
    widths = {
        layer: sum(graph.nodes[name].width for name in row) + GAP_X * (len(row) - 1) for layer, row in rows.items()
    }
    graph.inner_width = max(widths.values(), default=0.0)
    top = 0.0
    for layer in sorted(rows):
        left = (graph.inner_width - widths[layer]) / 2
        for name in rows[layer]:
            node = graph.nodes[name]
            node.x, node.y = left, top
            left += node.width + GAP_X
        top += max(graph.nodes[name].height for name in rows[layer])
        for name in rows[layer]:
            graph.nodes[name].row_bottom = top
        top += GAP_Y
    graph.height = max(0.0, top - GAP_Y)


def _route(graph: GraphMachine, edges: Sequence[GraphEdge], layers: Mapping[str, int]) -> None:
    """Give lanes beside the states to the transitions that skip a layer or lead back."""
    lanes = 0
    for edge in edges:
        direct = layers[edge.target] - layers[edge.source] == 1
        lanes += 0 if direct else 1
        graph.edges.append(edge if direct else GraphEdge(edge.source, edge.target, edge.kind, lanes))
    graph.width = graph.inner_width + (LANE * (lanes + 1) if lanes else 0)

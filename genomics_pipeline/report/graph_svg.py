"""The graph of a state machine as an SVG image, readable on light and dark ground, with its states as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, tostring

from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.definition_graph import (
    CATCH,
    CHOICE,
    GAP_Y,
    LANE,
    GraphEdge,
    GraphMachine,
    GraphNode,
    definition_graph,
    shortened,
)
from genomics_pipeline.report.html_page import element

FILE = "pipeline.svg"
MARGIN, HEAD = 24.0, 28.0
STYLE = """
svg { background: #ffffff; }
text { font: 12px system-ui, sans-serif; fill: #1a1c1f; }
.head { font-size: 15px; font-weight: bold; } .name { font-weight: bold; } .words { fill: #5c6370; font-size: 11px; }
rect { fill: #eef3f8; stroke: #2f6fb0; } .Choice { fill: #fdf3dc; stroke: #9a6b00; }
.Fail { fill: #fbe9e6; stroke: #b3402e; } .Succeed { fill: #e7f4ea; stroke: #2c7a3f; }
.Map, .Parallel { fill: #f8f9fa; stroke: #5c6370; } .behind { fill: #e3e6ea; stroke: #9aa3ae; }
path { fill: none; stroke: #5c6370; } .choice { stroke-dasharray: 5 3; }
.catch { stroke: #b3402e; stroke-dasharray: 2 3; }
marker path { fill: #5c6370; stroke: none; }
@media (prefers-color-scheme: dark) {
svg { background: #16181b; } text { fill: #e6e8ea; } .words { fill: #9aa3ae; }
rect { fill: #1f2a36; stroke: #6ba6e0; } .Choice { fill: #332a14; stroke: #d9a63c; }
.Fail { fill: #38201c; stroke: #e58473; } .Succeed { fill: #1b2e20; stroke: #6fbf83; }
.Map, .Parallel { fill: #1b1e22; stroke: #9aa3ae; } .behind { fill: #2a2e34; stroke: #5c6370; }
path { stroke: #9aa3ae; } .catch { stroke: #e58473; } marker path { fill: #9aa3ae; }
}
"""


def graph_svg(title: str, document: Mapping[str, Any], *, failures: bool) -> str:
    """Return the image of a state machine document.

    Args:
        title: The title of the image.
        document: The document.
        failures: Whether to draw what handles failures, too.
    """
    graph = definition_graph(document, failures=failures)
    width = max(graph.width, 8.0 * len(title)) + 2 * MARGIN
    height = graph.height + 2 * MARGIN + HEAD
    style = Element("style")
    style.text = STYLE
    arrow = element("path", d="M0 0 L8 4 L0 8 z")
    image = element(
        "svg",
        element("title", title, id="title"),
        element("desc", _description(graph), id="desc"),
        style,
        element("defs", element("marker", arrow, id="arrow", **_MARKER)),
        element("text", title, class_="head", x=_number(MARGIN), y=_number(MARGIN + 8)),
        *_machine(graph, MARGIN, MARGIN + HEAD),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        width=_number(width),
        height=_number(height),
        role="img",
        aria_labelledby="title desc",
    )
    return tostring(image, "unicode", short_empty_elements=True) + "\n"


_MARKER = {
    "viewBox": "0 0 8 8",
    "refX": "8",
    "refY": "4",
    "markerWidth": "8",
    "markerHeight": "8",
    "markerUnits": "userSpaceOnUse",
    "orient": "auto",
}


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _machine(graph: GraphMachine, left: float, top: float) -> Iterator[Element]:
    """Yield what is drawn of a machine, transitions below states.

    Args:
        graph: The machine.
        left: Its left edge in the image.
        top: Its top edge.
    """
    for edge in graph.edges:
        yield _edge(graph, edge, left, top)
    for node in graph.nodes.values():
        yield from _node(node, left + node.x, top + node.y)


def _node(node: GraphNode, left: float, top: float) -> Iterator[Element]:
    size = {"width": _number(node.width), "height": _number(node.height), "rx": "6"}
    if node.kind == "Map":  # one of many
        yield element("rect", class_="behind", x=_number(left + 4), y=_number(top + 4), **size)
    kind = node.kind if node.kind.isalpha() else "State"
    yield element(
        "rect", element("title", f"{node.name}: {node.words}"), class_=kind, x=_number(left), y=_number(top), **size
    )
    middle = _number(left + node.width / 2)
    yield element("text", shortened(node.name), class_="name", x=middle, y=_number(top + 18), text_anchor="middle")
    yield element("text", node.words, class_="words", x=middle, y=_number(top + 34), text_anchor="middle")
    for machine in node.machines:
        yield from _machine(machine, left + machine.x, top + machine.y)


def _edge(graph: GraphMachine, edge: GraphEdge, left: float, top: float) -> Element:
    source, target = graph.nodes[edge.source], graph.nodes[edge.target]
    x1, y1 = left + source.x + source.width / 2, top + source.y + source.height
    x2, y2 = left + target.x + target.width / 2, top + target.y
    if not edge.lane:
        middle = (y1 + y2) / 2
        path = f"M{_number(x1)} {_number(y1)} C{_number(x1)} {_number(middle)} {_number(x2)} {_number(middle)}"
        path += f" {_number(x2)} {_number(y2)}"
    else:
        lane = _number(left + graph.inner_width + LANE * edge.lane)
        below, above = (_number(top + y) for y in (source.row_bottom + GAP_Y / 4, target.y - GAP_Y / 4))
        x1, x2 = x1 + source.width / 4, x2 + target.width / 4
        path = f"M{_number(x1)} {_number(y1)} V{below} H{lane} V{above} H{_number(x2)} V{_number(y2)}"
    kind = edge.kind if edge.kind in (CHOICE, CATCH) else "next"
    return element("path", class_=kind, d=path, marker_end="url(#arrow)")


def _description(graph: GraphMachine) -> str:
    """Return the states in words, for those who cannot see the image."""
    following: dict[str, list[str]] = {}
    for edge in graph.edges:
        following.setdefault(edge.source, []).append(edge.target)
    parts = []
    for node in graph.nodes.values():
        inner = "".join(f" [{_description(machine)}]" for machine in node.machines)
        after = f", then {' or '.join(following[node.name])}" if node.name in following else ""
        parts.append(f"{node.name} ({node.words}){inner}{after}")
    return f"{quantity(len(parts), 'state', ',')}: {'; '.join(parts)}." if parts else "No states."

"""The fields that inline and Distributed Maps share: ItemProcessor, the items, ItemSelector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.query_language import Node


def processor(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``ItemProcessor``, or ``Iterator``, its former name."""
    node: Mapping[str, Any] = state["ItemProcessor"] if "ItemProcessor" in state else state["Iterator"]
    return node


def items(visit: Visit) -> Iterator[dict[str, Any]]:
    """Yield ``Map.Item`` for each item in the state's data: ``Items``, ``ItemsPath`` or its input.

    Raises:
        StatesError: if the data are neither an array nor an object.
    """
    data = visit.language.items(visit)
    if isinstance(data, dict):
        for index, (key, value) in enumerate(data.items()):
            yield {"Index": index, "Key": key, "Value": value}
    else:
        for index, value in enumerate(data):
            yield {"Index": index, "Value": value}


def select(visit: Visit, item: Node) -> Any:
    """Return the input of an iteration: ``ItemSelector`` (formerly ``Parameters``) evaluated, or the item's value."""
    state = visit.state
    name = "ItemSelector" if "ItemSelector" in state else "Parameters"
    if name not in state:
        return item["Value"]
    return visit.template(state[name], name, {"Item": item})

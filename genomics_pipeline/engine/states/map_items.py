"""The fields that inline and Distributed Maps share: ItemProcessor, the items, ItemSelector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.query_language import Node


def processor(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``ItemProcessor``, or ``Iterator``, as it was once called."""
    found: Mapping[str, Any] = state["ItemProcessor"] if "ItemProcessor" in state else state["Iterator"]
    return found


def items(visit: Visit) -> Iterator[dict[str, Any]]:
    """Yield ``Map.Item`` of each item in the state's data: ``Items``, ``ItemsPath``, or its input.

    Raises:
        StatesError: if that is no array or object.
    """
    found = visit.language.items(visit)
    if isinstance(found, dict):
        for index, (key, value) in enumerate(found.items()):
            yield {"Index": index, "Key": key, "Value": value}
    else:
        for index, value in enumerate(found):
            yield {"Index": index, "Value": value}


def select(visit: Visit, item: Node) -> Any:
    """Return the input of one iteration: ``ItemSelector``, once called ``Parameters``, or the item's value."""
    state = visit.state
    name = "ItemSelector" if "ItemSelector" in state else "Parameters"
    if name not in state:
        return item["Value"]
    return visit.template(state[name], name, {"Item": item})

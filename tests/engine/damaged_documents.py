"""Generators of damaged state machine documents, most of which AWS refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from tests.engine.document_data import expressions
from tests.engine.documents import Draw, State, documents

_wrong_words = ["$", "$.[", "$.n", "{% $ %}", "{% ( %}", "{% $nothing %}", "States.Array(", "States.ALL", "Pass", "Map"]
wrong: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**30, "", "x", [], {}, [[]], {"a": 1}]
) | st.sampled_from([*_wrong_words, "JSONPath", "JSONata", "DISTRIBUTED", "INLINE"])


@st.composite
def damaged_documents(draw: Draw) -> State:
    """Draw a document with one to three members or elements removed, replaced, misspelt, added or exchanged."""
    document = copy.deepcopy(draw(documents()))
    for _ in range(draw(st.integers(1, 3))):
        node, name = draw(st.sampled_from(list(_members(document))))
        change = draw(st.sampled_from(["replace", "replace", "remove", "misspell", "add", "exchange"]))
        if change == "remove" and len(node) > 1:
            del node[name]
        elif change == "misspell" and isinstance(node, dict):
            node[f"{name}x"] = node.pop(name)
        elif change == "add" and isinstance(node, dict):
            node[draw(st.sampled_from(sorted(_FIELDS)))] = draw(wrong | expressions)
        elif change == "exchange":
            other, other_name = draw(st.sampled_from(list(_members(document))))
            node[name] = copy.deepcopy(other[other_name])
        else:
            node[name] = draw(wrong)
    return document


def _members(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the owner and the name or number of each member and element below a node."""
    for name, value in node.items() if isinstance(node, Mapping) else enumerate(node):
        yield node, name
        if isinstance(value, (dict, list)):
            yield from _members(value)


_FIELDS = {
    "Assign",
    "Arguments",
    "Catch",
    "CausePath",
    "Condition",
    "End",
    "InputPath",
    "ItemBatcher",
    "ItemReader",
    "ItemsPath",
    "Label",
    "MaxConcurrencyPath",
    "Next",
    "Output",
    "OutputPath",
    "Parameters",
    "QueryLanguage",
    "ResultPath",
    "ResultSelector",
    "Retry",
    "SecondsPath",
    "TimeoutSeconds",
    "TimeoutSecondsPath",
    "ToleratedFailureCountPath",
    "Type",
}

"""The events of a history file as lines of text, after a check against AWS's model, for tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import botocore.loaders

NOT_TRUNCATED = {"truncated": False}
KINDS = {"string": str, "boolean": bool, "integer": int, "long": int, "structure": dict, "map": dict}


@cache
def shapes() -> dict[str, Any]:
    """Return the shapes of AWS's model of the service."""
    model: dict[str, Any] = botocore.loaders.Loader().load_service_model("stepfunctions", "service-2")
    service_shapes: dict[str, Any] = model["shapes"]
    return service_shapes


def check(value: Any, shape: str) -> None:
    """Check that a value has a shape."""
    model = shapes()[shape]
    if shape == "Timestamp":  # a number in the API; the engine writes text, as AWS in payloads
        assert isinstance(value, str)
        return
    kind: type[Any] = KINDS[model["type"]]
    assert isinstance(value, kind), (value, shape)
    assert value in model.get("enum", [value])
    if model["type"] == "structure":
        assert set(model.get("required", ())) <= set(value) <= set(model["members"])
        for name, member in value.items():
            check(member, model["members"][name]["shape"])
    elif model["type"] == "map":
        for name, member in value.items():
            check(name, model["key"]["shape"])
            check(member, model["value"]["shape"])


def event_lines(path: Path) -> list[str]:
    """Return the events of a file, a line for each, after a check against AWS's model."""
    lines = []
    for raw in path.read_bytes().splitlines():
        event = json.loads(raw)
        check(event, "HistoryEvent")
        assert json.dumps(event, sort_keys=True) == json.dumps(event)  # members in AWS's order
        words = [str(event["id"]), str(event["previousEventId"]), event["type"]]
        for name, details in event.items():
            if name.endswith("EventDetails"):
                assert event["type"].lower().endswith(name.removesuffix("EventDetails").lower())
                for payload in ("input", "output", "assignedVariables"):
                    assert details.pop(f"{payload}Details", None) == (NOT_TRUNCATED if payload in details else None)
                words.append(json.dumps(details, ensure_ascii=False, separators=(",", ":")))
        lines.append(" ".join(words))
    return lines

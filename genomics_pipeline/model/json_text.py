"""JSON text of others."""

from __future__ import annotations

import json
from typing import Any

import orjson


def loads(text: bytes | str) -> Any:
    """The value of JSON text, also where it holds what orjson refuses: halves of surrogate pairs.

    Raises:
        ValueError: if it is none.
        RecursionError: if it is nested too deeply.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)

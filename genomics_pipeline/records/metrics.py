"""Metrics that a step measured of an item: the JSON object in its output of that name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import dumps, loads_lenient


def parse_metrics(text: bytes) -> Mapping[str, Any]:
    """Return the metrics in a file; numbers that JSON does not have, such as NaN, become null.

    Raises:
        DataError: for anything but a JSON object.

    >>> parse_metrics(b'{"reads": 4, "mean": NaN}')
    {'reads': 4, 'mean': None}
    """
    try:
        value = json.loads(dumps(loads_lenient(text)))
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected a JSON object of metrics, found none: {error}") from None
    if not isinstance(value, dict):
        raise DataError(f"expected a JSON object of metrics, found {type(value).__name__}")
    return value


def metrics_misfit(text: bytes) -> str | None:
    """Return what is wrong with the content of a file of metrics, or None."""
    try:
        parse_metrics(text)
    except DataError as error:
        return str(error)
    return None

"""Metrics that a step measured of an item, in its output of that name, and those that the steps of a run declare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import dumps, loads
from genomics_pipeline.model.metric_spec import METRIC_FORMAT, QUALITY, SECTIONS, DeclaredMetrics, MetricSpec
from genomics_pipeline.records.fields import Fields

SAMPLES = "samples"  # the member of a cohort's metrics with those of each sample


def parse_metrics(text: bytes) -> Mapping[str, Any]:
    """Return the metrics in a file; numbers that JSON does not have, such as NaN, become null.

    Raises:
        DataError: for anything but a JSON object.

    >>> parse_metrics(b'{"reads": 4, "mean": NaN}')
    {'reads': 4, 'mean': None}
    """
    try:
        value = _loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected a JSON object of metrics, found none: {error}") from None
    if not isinstance(value, dict):
        raise DataError(f"expected a JSON object of metrics, found {type(value).__name__}")
    return value


def _loads(text: bytes) -> Any:
    try:
        return loads(text)
    except ValueError:
        return json.loads(dumps(json.loads(text)))


def metrics_misfit(text: bytes) -> str | None:
    """Return what is wrong with the content of a file of metrics, or None."""
    try:
        parse_metrics(text)
    except DataError as error:
        return str(error)
    return None


def read_declared_metrics(fields: Fields) -> DeclaredMetrics:
    """Return the metrics that the steps of a run declare, from the form of `declared_json`.

    Raises:
        UnreadableRecord: for another form.
    """
    return {
        scope: {
            stage: {name: _metric(name, specs.object(name)) for name in specs.members}
            for stage, specs in ((stage, stages.object(stage)) for stage in stages.members)
        }
        for scope, stages in ((scope, fields.object(scope)) for scope in fields.members)
    }


def _metric(name: str, fields: Fields) -> MetricSpec:
    if not METRIC_FORMAT.fullmatch(fields.text("format")):
        raise fields.error("format", "a format such as .1f")
    good, bad = (fields.object(one).number_by_name() if fields.has(one) else {} for one in ("good", "bad"))
    return MetricSpec(
        name,
        fields.text("title"),
        fields.text("unit"),
        fields.text("format"),
        fields.text("summary"),
        table=fields.flag("table"),
        section=fields.one_of("section", SECTIONS) if fields.has("section") else QUALITY,
        against=fields.text("against") if fields.has("against") else "",
        each_sample=fields.has("each_sample") and fields.flag("each_sample"),
        good_min=good.get("min"),
        good_max=good.get("max"),
        bad_below=bad.get("below"),
        bad_above=bad.get("above"),
    )

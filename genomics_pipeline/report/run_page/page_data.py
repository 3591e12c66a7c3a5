"""The data of a report for its program: columns of numbers, compressed."""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Sequence
from typing import Any

from genomics_pipeline.model.metric_spec import BAD, WARN
from genomics_pipeline.report.run_page.metric_values import MetricValues, format_step
from genomics_pipeline.report.run_page.outstanding import Outstanding
from genomics_pipeline.report.run_page.run_report import STATES, RunReport

WHOLE, WORST = 20_000, 5_000  # samples of which all rows are in a page, and rows of larger runs
REASONS = 4  # of a sample


def page_data(report: RunReport, found: Sequence[Outstanding], order: Sequence[int]) -> str:
    """Return the data as JSON: a text, in base64 of a zlib stream of JSON.

    Args:
        report: The report.
        found: The samples that stand out.
        order: The samples, the worst first.
    """
    rows = range(len(order)) if len(order) <= WHOLE else sorted(order[:WORST])
    place = {row: number for number, row in enumerate(rows)}
    outstanding = {place[one.index]: one for one in found if one.index in place}
    data = {
        "total": len(order),
        "names": [report.samples[row] for row in rows],
        "states": [report.states[row] for row in rows],
        "stateNames": STATES,
        "order": [place[row] for row in order if row in place],
        "reasons": [[row, one.reasons[:REASONS]] for row, one in outstanding.items()],
        "weights": {row: round(one.weight, 1) for row, one in outstanding.items()},
        "metrics": [_column(one, rows, place) for one in report.columns],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode())


def _column(column: MetricValues, rows: Sequence[int], place: dict[int, int]) -> dict[str, Any]:
    """Return a metric.

    Args:
        column: The metric.
        rows: The samples that are in the page.
        place: Their places in it.
    """
    spec = column.spec
    words = sorted({column.words[row] for row in rows if row in column.words})
    codes = {word: number for number, word in enumerate(words)}
    verdicts = {
        name: [place[row] for row, one in column.verdicts.items() if one == name and row in place]
        for name in (WARN, BAD)
    }
    if words:
        values: dict[str, Any] = {
            "words": words,
            "codes": [codes[column.words[row]] if row in column.words else None for row in rows],
        }
    else:
        digits = _digits(spec.format)
        values = {"values": [_rounded(column.numbers[row], digits) for row in rows]}
    return {
        "key": column.key,
        "stage": column.stage,
        "title": spec.title,
        "unit": spec.unit,
        "format": spec.format,
        "table": spec.table,
        **verdicts,
        **values,
    }


def _digits(form: str) -> int | None:
    """Return how many digits behind the point a page needs: one more than are shown; None for all."""
    return None if form == "," else round(-math.log10(format_step(form))) + 1


def _rounded(number: float, digits: int | None) -> float | int | None:
    if math.isnan(number):
        return None
    rounded = number if digits is None else round(number, digits)
    return int(rounded) if rounded.is_integer() else rounded

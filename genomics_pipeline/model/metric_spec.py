"""Metrics that a step declares: how people read them, and which of their values are good, doubtful or bad."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

METRIC_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,47}")
METRIC_FORMAT = re.compile(r",|,?\.[0-9][f%]")  # as in step.schema.json
GOOD, WARN, BAD = VERDICTS = ("good", "warn", "bad")
NOTHING = "–"
QUALITY, COHORT = SECTIONS = ("quality", "cohort")  # of the report


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric: a member of the JSON object in a step's output ``metrics``.

    Attributes:
        name: The member's name.
        title: Its heading in tables.
        unit: The unit of the number as it is shown; empty for none.
        format: The format of the number, as in Python: ``,`` and ``.1f``, or ``.2%`` for a share, shown in percent.
        summary: What is measured, in a sentence.
        table: Whether the table of a run has it.
        section: The section of the report that has it: ``quality`` or ``cohort``.
        against: The metric of the same stage that the report draws it against; empty for none.
        each_sample: Of a stage over the cohort: whether each sample has it, in the member ``samples``, by its name.
        good_min: Least good value; None for no bound, as for the others.
        good_max: Greatest good value.
        bad_below: Lower values are bad.
        bad_above: Higher values are bad.
    """

    name: str
    title: str
    unit: str = ""
    format: str = ","
    summary: str = ""
    table: bool = True
    section: str = QUALITY
    against: str = ""
    each_sample: bool = False
    good_min: float | None = None
    good_max: float | None = None
    bad_below: float | None = None
    bad_above: float | None = None

    @property
    def heading(self) -> str:
        """Return the title with the unit.

        >>> MetricSpec("insert_size", "Insert", unit="bp").heading
        'Insert (bp)'
        """
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def text(self, value: Any) -> str:
        """Return a value for people; what is no number stays as it is, and what is missing is a dash.

        >>> MetricSpec("mapped_fraction", "Mapped", format=".2%").text(0.99987)
        '99.99%'
        >>> MetricSpec("sex", "Sex").text({"value": "XY", "verdict": "bad"})
        'XY'
        """
        if isinstance(value, Mapping) and "value" in value:
            return self.text(value["value"])
        if isinstance(value, bool) or not isinstance(value, int | float):
            return NOTHING if value is None else str(value)
        return format(value, self.format)

    @property
    def has_bounds(self) -> bool:
        """Return whether a number can be anything but good."""
        return (self.good_min, self.good_max, self.bad_below, self.bad_above) != (None,) * 4

    def verdict(self, value: Any) -> str | None:
        """Return the verdict on a value; None where no bound is declared or the value is no number.

        A value that is neither bad nor within the good bounds is doubtful.

        >>> depth = MetricSpec("mean_depth", "Depth", good_min=20, bad_below=10)
        >>> [depth.verdict(value) for value in (20, 19.9, 9.9, None)]
        ['good', 'warn', 'bad', None]

        A step may also give the verdict itself.

        >>> depth.verdict({"value": 25, "verdict": "warn", "reason": "uneven"})
        'warn'
        """
        if isinstance(value, Mapping) and "value" in value:
            given = value.get("verdict")
            return given if given in VERDICTS else self.verdict(value["value"])
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.has_bounds:
            return None
        if _is_outside(value, self.bad_below, self.bad_above):
            return BAD
        return WARN if _is_outside(value, self.good_min, self.good_max) else GOOD

    def to_json(self) -> dict[str, Any]:
        """Return the declaration, as a run's summary has it: a reader needs no step to show the value."""
        good = {"min": self.good_min, "max": self.good_max}
        bad = {"below": self.bad_below, "above": self.bad_above}
        bounds = {
            name: {key: bound for key, bound in one.items() if bound is not None}
            for name, one in (("good", good), ("bad", bad))
        }
        words = {"title": self.title, "unit": self.unit, "format": self.format, "summary": self.summary}
        report = {
            **({} if self.section == QUALITY else {"section": self.section}),
            **({"against": self.against} if self.against else {}),
            **({"each_sample": True} if self.each_sample else {}),
        }
        return {**words, "table": self.table, **report, **{name: one for name, one in bounds.items() if one}}


_WORDS = ("unit", "format", "summary", "table", "section", "against", "each_sample")
DeclaredMetrics = Mapping[str, Mapping[str, Mapping[str, MetricSpec]]]  # by scope, stage and name


def declared_json(metrics: DeclaredMetrics) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the declarations of metrics, as the record of a run has them."""
    return {
        scope: {stage: {name: spec.to_json() for name, spec in specs.items()} for stage, specs in stages.items()}
        for scope, stages in metrics.items()
    }


def reason_of(value: Any) -> str | None:
    """Return the reason that a step gives for its verdict on a value; None where it gives none."""
    reason = value.get("reason") if isinstance(value, Mapping) else None
    return reason if isinstance(reason, str) else None


def parse_metric(name: str, raw: Mapping[str, Any]) -> MetricSpec:
    """Return the metric of a table below ``[metrics]`` that fits the schema."""
    good, bad = raw.get("good", {}), raw.get("bad", {})
    words = {key: raw[key] for key in _WORDS if key in raw}
    return MetricSpec(
        name,
        raw["title"],
        **words,
        good_min=good.get("min"),
        good_max=good.get("max"),
        bad_below=bad.get("below"),
        bad_above=bad.get("above"),
    )


def bounds_misfit(spec: MetricSpec) -> str | None:
    """Return what is wrong with bounds that contradict each other or are no numbers, or None.

    >>> bounds_misfit(MetricSpec("mean_depth", "Depth", good_min=10, bad_below=20))
    'expected bad.below <= good.min <= good.max <= bad.above, found bad.below = 20 and good.min = 10'
    """
    bounds = {
        "bad.below": spec.bad_below,
        "good.min": spec.good_min,
        "good.max": spec.good_max,
        "bad.above": spec.bad_above,
    }
    for name, bound in bounds.items():
        if bound is not None and not isfinite(bound):
            return f"expected a finite number, or no bound, found {name} = {bound}"
    given = [(name, bound) for name, bound in bounds.items() if bound is not None]
    for (name, bound), (next_name, next_bound) in pairwise(given):
        if bound > next_bound:
            return f"expected {' <= '.join(bounds)}, found {name} = {bound} and {next_name} = {next_bound}"
    return None


def verdicts(specs: Mapping[str, MetricSpec], metrics: Any) -> dict[str, str]:
    """Return the verdict on each metric that has one.

    Args:
        specs: The metrics that a step declares, by name.
        metrics: The metrics that it measured, by name; anything else has none.
    """
    measured = metrics if isinstance(metrics, Mapping) else {}
    found = {name: spec.verdict(measured.get(name)) for name, spec in specs.items()}
    return {name: verdict for name, verdict in found.items() if verdict is not None}


def _is_outside(value: float, least: float | None, greatest: float | None) -> bool:
    return (least is not None and value < least) or (greatest is not None and value > greatest)

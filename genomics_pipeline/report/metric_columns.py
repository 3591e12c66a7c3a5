"""Metrics in the table of a run, as the steps declare them: a column for each of a sample, a line for the cohort's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rich.text import Text

from genomics_pipeline.model.metric_spec import BAD, GOOD, WARN, MetricSpec
from genomics_pipeline.report.run_summary import CohortOutcome, RunSummary, SampleOutcome

STYLES = {WARN: "yellow", BAD: "bold red"}


class MetricColumn(NamedTuple):
    """A column: a metric of a stage over samples, under a heading that no other column has."""

    stage: str
    spec: MetricSpec
    heading: str


def sample_columns(metrics: Mapping[str, Mapping[str, MetricSpec]]) -> list[MetricColumn]:
    """Return the columns of the metrics that steps declare for the table, in the order of the stages.

    Args:
        metrics: The metrics by stage and name.
    """
    pairs = [(stage, spec) for stage, specs in metrics.items() for spec in specs.values() if spec.table]
    times = Counter(spec.heading for _, spec in pairs)
    return [
        MetricColumn(stage, spec, spec.heading if times[spec.heading] == 1 else f"{stage}: {spec.heading}")
        for stage, spec in pairs
    ]


def metric_cell(stage: str, spec: MetricSpec, outcome: SampleOutcome | CohortOutcome) -> Text:
    """Return a metric of a stage as text, with the verdict in words unless it is good: colours may be lost."""
    measured = outcome.metrics.get(stage)
    value = measured.get(spec.name) if isinstance(measured, Mapping) else None
    verdict = outcome.verdicts.get(stage, {}).get(spec.name, GOOD)
    text = spec.text(value)
    return Text(text) if verdict == GOOD else Text(f"{text} {verdict}", style=STYLES[verdict])


def cohort_metrics(summary: RunSummary) -> Iterator[Text]:
    """Yield a line for each stage over the cohort that measured something."""
    for stage, specs in summary.metrics.get("cohort", {}).items():
        shown = [spec for spec in specs.values() if spec.table]
        if shown and stage in summary.cohort.metrics:
            parts = (Text.assemble(f"{spec.heading} ", metric_cell(stage, spec, summary.cohort)) for spec in shown)
            yield Text("  ").join(parts)

"""Metrics in the table of a run, as the steps declare them: a column for each of a sample, a line for the cohort's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.text import Text

from genomics_pipeline.model.metric_spec import BAD, GOOD, WARN, MetricSpec, reason_of
from genomics_pipeline.report.run_summary import CohortOutcome, Outcomes, SampleOutcome

STYLES = {WARN: "yellow", BAD: "bold red"}


class MetricColumn(NamedTuple):
    """A column: a metric of a stage over samples, under a heading that no other column has."""

    stage: str
    spec: MetricSpec
    heading: str


def sample_columns(summary: Outcomes) -> list[MetricColumn]:
    """Return the columns of the metrics that steps declare for the table, in the order of the stages.

    A metric that no sample has, although its stage measured others, is left out: it is not for such samples.
    """
    stages = summary.metrics.get("sample", {})
    declared = [(stage, spec) for stage, specs in stages.items() for spec in specs.values() if spec.table]
    pairs = [(stage, spec) for stage, spec in declared if _is_measured(stage, spec, summary.samples)]
    times = Counter(spec.heading for _, spec in pairs)
    return [
        MetricColumn(stage, spec, spec.heading if times[spec.heading] == 1 else f"{stage}: {spec.heading}")
        for stage, spec in pairs
    ]


def _is_measured(stage: str, spec: MetricSpec, samples: Sequence[SampleOutcome]) -> bool:
    measured = [one.metrics[stage] for one in samples if isinstance(one.metrics.get(stage), Mapping)]
    return not measured or any(one.get(spec.name) is not None for one in measured)


def reasons(summary: Outcomes) -> Iterator[Text]:
    """Yield a line for each verdict that is not good and for which the step gives a reason."""
    outcomes: list[tuple[str, str, SampleOutcome | CohortOutcome]] = [
        *(("sample", one.sample, one) for one in summary.samples),
        ("cohort", "cohort", summary.cohort),
    ]
    for scope, name, outcome in outcomes:
        for stage, verdicts in outcome.verdicts.items():
            for metric, verdict in verdicts.items():
                reason = reason_of(outcome.metrics[stage].get(metric))
                if reason is not None and verdict != GOOD:
                    title = summary.metrics[scope][stage][metric].title
                    yield Text.assemble((f"{name}, {title}: {verdict}: ", STYLES[verdict]), reason)


def metric_cell(stage: str, spec: MetricSpec, outcome: SampleOutcome | CohortOutcome) -> Text:
    """Return a metric of a stage as text, with the verdict in words unless it is good: colours may be lost."""
    measured = outcome.metrics.get(stage)
    value = measured.get(spec.name) if isinstance(measured, Mapping) else None
    verdict = outcome.verdicts.get(stage, {}).get(spec.name, GOOD)
    text = spec.text(value)
    return Text(text) if verdict == GOOD else Text(f"{text} {verdict}", style=STYLES[verdict])


def cohort_metrics(summary: Outcomes) -> Iterator[Text]:
    """Yield a line for each stage over the cohort that measured something."""
    for stage, specs in summary.metrics.get("cohort", {}).items():
        shown = [spec for spec in specs.values() if spec.table]
        if shown and stage in summary.cohort.metrics:
            parts = (Text.assemble(f"{spec.heading} ", metric_cell(stage, spec, summary.cohort)) for spec in shown)
            yield Text("  ").join(parts)

"""The metrics of a run's samples as a table for MultiQC, which colours values by the bounds of the run.

MultiQC reads files named ``*_mqc.json``: https://docs.seqera.io/multiqc/custom_content. Its rules for colours compare
single values with numbers or words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.model.metric_spec import BAD, WARN, MetricSpec
from genomics_pipeline.report.run_summary import Outcomes, SampleOutcome

FILE = "genomics_pipeline_metrics_mqc.json"
ID = "genomics_pipeline_metrics"
COLOURS = {WARN: "warn", BAD: "fail"}  # as MultiQC names them, in the order of precedence


def multiqc_table(summary: Outcomes) -> str:
    """Return the content of the file: a column for each metric that was measured, a row for each sample."""
    headers: dict[str, Any] = {}
    data: dict[str, dict[str, Any]] = {}
    for stage, specs in summary.metrics.get("sample", {}).items():
        for spec in specs.values():
            values = {one.sample: value for one in summary.samples if (value := _value(stage, spec, one)) is not None}
            if not values:
                continue
            key = f"{stage}.{spec.name}"
            numbers = all(_is_number(value) for value in values.values())
            headers[key] = _header(stage, spec, numbers)
            for one in summary.samples:
                if one.sample in values:
                    value = values[one.sample]
                    data.setdefault(one.sample, {})[key] = value if numbers else _words(stage, spec, value, one)
    table = {"id": f"{ID}_table", "title": "Metrics of the run", "namespace": "genomics-pipeline"}
    words = {"section_name": "Metrics of the run", "description": "as genomics-pipeline shows them after a run."}
    content = {"id": ID, **words, "plot_type": "table", "pconfig": table, "headers": headers, "data": data}
    return dumps(content).decode() + "\n"


def _value(stage: str, spec: MetricSpec, outcome: SampleOutcome) -> Any:
    measured = outcome.metrics.get(stage)
    return measured.get(spec.name) if isinstance(measured, Mapping) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _words(stage: str, spec: MetricSpec, value: Any, outcome: SampleOutcome) -> str:
    """Return a value as text, with its verdict if that is not good."""
    verdict = outcome.verdicts.get(stage, {}).get(spec.name)
    return f"{spec.text(value)} {verdict}" if verdict in COLOURS else spec.text(value)


def _header(stage: str, spec: MetricSpec, numbers: bool) -> dict[str, Any]:
    """Return what MultiQC needs to know of a column.

    Args:
        stage: The stage.
        spec: The metric.
        numbers: All values of the column are numbers.
    """
    header = {"title": spec.title, "description": spec.summary or spec.title, "namespace": stage}
    form = {"format": f"{{:{spec.format}}}", "suffix": spec.unit} if numbers else {}
    rules = _number_rules(spec) if numbers else {name: [{"s_contains": f" {word}"}] for word, name in COLOURS.items()}
    return {**header, **form, "scale": False, "hidden": not spec.table, "cond_formatting_rules": rules}


def _number_rules(spec: MetricSpec) -> dict[str, list[dict[str, float]]]:
    bounds = {
        COLOURS[WARN]: (("lt", spec.good_min), ("gt", spec.good_max)),
        COLOURS[BAD]: (("lt", spec.bad_below), ("gt", spec.bad_above)),
    }
    given = {name: [{sign: bound} for sign, bound in pairs if bound is not None] for name, pairs in bounds.items()}
    return {name: rules for name, rules in given.items() if rules}

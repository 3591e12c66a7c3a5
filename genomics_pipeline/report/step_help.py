"""The description of steps and pipelines on a terminal, in the layout of the commands' help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genomics_pipeline.model.parameters import ParameterSpec, Value
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.report.step_words import (
    default_words,
    input_words,
    kind_words,
    metric_words,
    output_words,
    resource_words,
    step_json,
)

if TYPE_CHECKING:
    from click import HelpFormatter

SCOPE_WORDS = {
    "sample": "once for each sample",
    "interval": "once for each interval",
    "cohort": "once for the cohort",
    "record": "once for each batch of records",
    "gather": "once, over the results of all records",
}


def stage_words(stage: Stage) -> str:
    """Return how often, and when, a stage runs."""
    condition = f" if one of {', '.join(stage.when)} has a value" if stage.when else ""
    return f"{SCOPE_WORDS[stage.scope]}{condition}"


def parameter_words(spec: ParameterSpec, given: Mapping[str, Value]) -> str:
    """Return the description of a parameter in one paragraph.

    Args:
        spec: The parameter.
        given: The values that a pipeline gives to the parameters of the stage.
    """
    return f"{spec.summary}. [{'; '.join((kind_words(spec), *default_words(spec, given)))}]"


def write_wrapped(formatter: HelpFormatter, text: str) -> None:
    """Write a paragraph at the present indentation."""
    from click import wrap_text

    indentation = " " * formatter.current_indent
    formatter.write(f"{wrap_text(text, formatter.width, indentation, indentation)}\n")


def write_step(formatter: HelpFormatter, spec: StepSpec) -> None:
    """Write the inputs, outputs, parameters and resources of a step."""
    _section(formatter, "Inputs", {name: input_words(one) for name, one in spec.inputs.items()})
    _section(formatter, "Outputs", {name: output_words(one) for name, one in spec.outputs.items()})
    _section(formatter, "Metrics", {name: metric_words(one) for name, one in spec.metrics.items()})
    parameters = {name: parameter_words(one, {}) for name, one in spec.parameters.items()}
    _section(formatter, "Parameters (--param NAME=VALUE)", parameters)
    _section(formatter, "Resources", {"of one task": resource_words(spec.resources)})


def write_pipeline(formatter: HelpFormatter, pipeline: Pipeline) -> None:
    """Write the stages of a pipeline, each with the inputs, outputs, parameters and resources of its step."""
    write_wrapped(formatter, f"{pipeline.name}: {pipeline.summary}")
    for stage in pipeline.stages:
        spec = stage.step
        formatter.write_paragraph()
        formatter.write_heading(f"Stage {stage.name}, {stage_words(stage)}")
        with formatter.indentation():
            write_wrapped(formatter, f"step {spec.name} {spec.version}: {spec.summary}")
            inputs = {name: f"{source}: {input_words(spec.inputs[name])}" for name, source in stage.inputs.items()}
            _section(formatter, "Inputs", inputs)
            outputs = {name: output_words(one, stage.publish.get(name)) for name, one in spec.outputs.items()}
            _section(formatter, "Outputs", outputs)
            given = pipeline.parameters.get(stage.name, {})
            parameters = {name: parameter_words(one, given) for name, one in spec.parameters.items()}
            _section(formatter, f"Parameters (--param {stage.name}.NAME=VALUE)", parameters)
            _section(formatter, "Resources", {"of one task": resource_words(spec.resources)})


def pipeline_json(pipeline: Pipeline) -> dict[str, Any]:
    """Return a pipeline's declarations, with those of the steps."""
    return {
        "name": pipeline.name,
        "summary": pipeline.summary,
        "stages": [_stage_json(pipeline, stage) for stage in pipeline.stages],
    }


def _stage_json(pipeline: Pipeline, stage: Stage) -> dict[str, Any]:
    return {
        "name": stage.name,
        "scope": stage.scope,
        "inputs": dict(stage.inputs),
        "publish": dict(stage.publish),
        "intermediate": stage.intermediate,
        "when": list(stage.when),
        "parameters": dict(pipeline.parameters.get(stage.name, {})),
        "step": step_json(stage.step),
    }


def _section(formatter: HelpFormatter, title: str, rows: Mapping[str, str]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(list(rows.items()))

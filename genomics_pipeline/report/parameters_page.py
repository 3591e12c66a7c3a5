"""A page in Markdown with the inputs, outputs, parameters and resources of pipelines and steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.parameters import ParameterSpec, Value, value_words
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.step import OutputSpec, StepSpec
from genomics_pipeline.report.step_help import stage_words
from genomics_pipeline.report.step_words import (
    input_words,
    kind_words,
    metric_words,
    output_words,
    resource_words,
)

HEAD = f"""# Parameters

The pipelines with their stages, and the steps with their inputs, outputs, parameters and resources. This page is
generated from the files of the pipelines and steps, by `genomics-pipeline pipeline document`. For one of them, also of
your own, `genomics-pipeline pipeline show NAME` and `genomics-pipeline step NAME --help` show the same.

`run`, `submit` and `rerun` set parameters with `--param STAGE.NAME=VALUE`. `run` and `submit` also take a file, with
`--params-file`, which `--param` precedes; a pipeline file of your own has the same tables below `[parameters]`. Paths
in a file are relative to its folder:

```toml
[alignment]
format = "cram"

[variant_calling]
ploidy = 1
regions = "panel.bed"
```

A file whose name ends in `.json` is JSON of the same shape, such as `{run_layout.PIPELINE_INFO}parameters.json`, in
which a run lists all its parameters.
"""


def parameters_page(pipelines: Sequence[Pipeline], further: Iterable[StepSpec]) -> str:
    """Return the page about pipelines, their steps, and further steps, each of them once."""
    steps = {stage.step.name: stage.step for pipeline in pipelines for stage in pipeline.stages}
    steps |= {step.name: step for step in further}
    return "\n".join([HEAD, *map(_pipeline, pipelines), *map(_step, steps.values())])


def _pipeline(pipeline: Pipeline) -> str:
    rows = [
        (
            stage.name,
            f"[{stage.step.name}](#{stage.step.name})",
            stage_words(stage),
            _lines(f"{name}: `{source}`" for name, source in stage.inputs.items()),
            _lines(f"`{output_words(_path_only(stage, name), folder)}`" for name, folder in stage.publish.items()),
        )
        for stage in pipeline.stages
    ]
    table = _table(("stage", "step", "runs", "inputs", "outputs"), rows)
    given = [
        (f"`{stage}.{name}`", f"`{value_words(value)}`")
        for stage, values in pipeline.parameters.items()
        for name, value in values.items()
    ]
    own = f"\n{_table(('parameter', 'value in this pipeline'), given)}" if given else ""
    return f"## Pipeline {pipeline.name}\n\n{_cell(pipeline.summary)}.\n\n{table}{own}"


def _path_only(stage: Stage, output: str) -> OutputSpec:
    return replace(stage.step.outputs[output], summary="")


def _step(spec: StepSpec) -> str:
    files = [
        *((f"input `{name}`", _cell(input_words(one))) for name, one in spec.inputs.items()),
        *((f"output `{name}`", _cell(output_words(one))) for name, one in spec.outputs.items()),
        *((f"metric `{name}`", _cell(metric_words(one))) for name, one in spec.metrics.items()),
    ]
    parts = [
        f"## {spec.name}\n\n{_cell(spec.summary)}.\n",
        _table(("file or metric", "content"), files),
        f"Resources of one task: {resource_words(spec.resources)}.\n",
    ]
    if spec.parameters:
        heads = ("parameter", "values", "default", "on AWS", "summary")
        parts.append(_table(heads, [_parameter_row(one) for one in spec.parameters.values()]))
    return "\n".join(parts)


def _parameter_row(spec: ParameterSpec) -> Sequence[str]:
    return (
        f"`{spec.name}`",
        _cell(kind_words(spec)),
        _code(spec.default),
        _code(spec.default if spec.default_on_aws is None else spec.default_on_aws),
        _cell(spec.summary),
    )


def _code(value: Value) -> str:
    return "" if value is None else f"`{_cell(value_words(value))}`"


def _cell(text: str) -> str:
    """Return text that neither ends a cell of a table nor begins markup."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(texts)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)

"""Files that declare steps, `step.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.local_memory import LocalMemory
from genomics_pipeline.model.metric_spec import parse_metric
from genomics_pipeline.model.parameters import ParameterSpec
from genomics_pipeline.model.step import (
    BAD_INPUT_EXIT_CODE,
    FUNCTION_TIMEOUT_S,
    LAMBDA,
    OUT_OF_DISK_EXIT_CODE,
    OUT_OF_MEMORY_EXIT_CODE,
    RETRY,
    ROWS,
    InputSpec,
    OutputSpec,
    Resources,
    StepSpec,
)
from genomics_pipeline.model.step_problems import step_problems
from genomics_pipeline.model.toml_file import TomlFile


def parse_step(text: str, *, file: str, is_checked: bool = False) -> StepSpec:
    """Return the step that a ``step.toml`` declares.

    Args:
        text: The file's text.
        file: Its name, for messages.
        is_checked: The file has been compared with the schema before: one of this package by its tests.

    Raises:
        DataError: with all problems, in source order.
    """
    toml = TomlFile(text, file=file, schema=None if is_checked else "step")
    data = toml.data
    parameters = {name: _parameter(name, raw) for name, raw in data.get("parameters", {}).items()}
    metrics = {name: parse_metric(name, raw) for name, raw in data.get("metrics", {}).items()}
    toml.refuse(list(step_problems(toml, parameters, metrics)))
    codes = {
        BAD_INPUT_EXIT_CODE: FailureClass.BAD_INPUT,
        OUT_OF_DISK_EXIT_CODE: FailureClass.OUT_OF_DISK,
        OUT_OF_MEMORY_EXIT_CODE: FailureClass.OUT_OF_MEMORY,
    }
    return StepSpec(
        name=data["name"],
        version=data["version"],
        summary=data["summary"],
        command=tuple(data.get("command", ())),
        inputs={name: _input(name, raw) for name, raw in data["inputs"].items()},
        outputs={
            name: OutputSpec(name, raw["path"], _indexes(raw), raw.get("summary", ""), raw.get("optional", False))
            for name, raw in data.get("outputs", {}).items()
        },
        parameters=parameters,
        resources=_resources(data.get("resources", {})),
        exit_codes=codes | {int(code): FailureClass(name) for code, name in data.get("exit_codes", {}).items()},
        local_memory=LocalMemory(**data["local_memory"]) if "local_memory" in data else None,
        metrics=metrics,
        common=data.get("common", False),
        program=data.get("program", ""),
        methods=data.get("methods", ""),
        citations=data.get("citations", {}),
        retry=RETRY | {FailureClass(name): times for name, times in data.get("retry", {}).items()},
    )


def _resources(raw: Mapping[str, Any]) -> Resources:
    rest = {name: value for name, value in raw.items() if name != "memory_mib"}
    if raw.get("runtime") == LAMBDA:
        rest = {"timeout_s": FUNCTION_TIMEOUT_S, **rest}
    if "memory_mib" not in raw:
        return Resources(**rest)
    memory = raw["memory_mib"]
    return Resources(memory_ladder=(memory,) if isinstance(memory, int) else tuple(memory), **rest)


def _input(name: str, raw: Mapping[str, Any]) -> InputSpec:
    return InputSpec(
        name,
        raw["type"],
        _indexes(raw),
        raw.get("stream", False),
        raw.get("missing", False),
        raw.get("summary", ""),
        tuple(raw.get("formats", ("fastq",))),
        raw.get("as_aligned", False),
        raw.get("scratch_per_byte", {}),
        raw.get("ranged", False),
        raw.get("margin_bp", 0),
        raw.get("optional", False),
        raw.get("packed_in", ""),
        raw.get("as", ROWS),
        raw.get("files", False),
    )


def _indexes(raw: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(raw.get("indexes", ()))


def _parameter(name: str, raw: Mapping[str, Any]) -> ParameterSpec:
    choices = tuple(raw["choices"]) if "choices" in raw else None
    return ParameterSpec(
        name=name,
        type=raw["type"],
        summary=raw["summary"],
        default=raw.get("default"),
        choices=choices,
        minimum=raw.get("minimum"),
        maximum=raw.get("maximum"),
        format=raw.get("format"),
        default_on_aws=raw.get("default_on_aws"),
        indexes=_indexes(raw),
        columns=raw.get("columns"),
        ranged=raw.get("ranged", False),
        margin_bp=raw.get("margin_bp", 0),
        aligns=raw.get("aligns", False),
        required=raw.get("required", False),
        pattern=raw.get("pattern"),
        expected=raw.get("expected", ""),
        architectures=tuple(map(Architecture, raw.get("architectures", ()))),
    )

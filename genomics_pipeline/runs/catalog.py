"""Pipelines and steps by name or path, shipped ones and the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, did_you_mean
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.pipeline_file import parse_pipeline
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.stores.bounded_file import read_bounded_text
from genomics_pipeline.stores.real_parents import follow_parents, follow_parents_in
from genomics_pipeline.worker.step_folder import StepFolder, read_step


def shipped_folder(kind: str) -> Path:
    """Return the folder of the shipped ``steps``, ``pipelines`` or ``containers``: in the wheel, or in the checkout."""
    package = Path(str(resources.files("genomics_pipeline")))
    in_wheel = package / "shipped" / kind
    return in_wheel if in_wheel.is_dir() else package.parent / kind


def step_names() -> list[str]:
    """Return the names of the shipped steps, sorted."""
    return sorted(file.parent.name for file in shipped_folder("steps").glob("*/step.toml"))


def pipeline_names() -> list[str]:
    """Return the names of the shipped pipelines, sorted."""
    return sorted(file.stem for file in shipped_folder("pipelines").glob("*.toml"))


def usual_pipelines() -> list[str]:
    """Return the names of the shipped pipelines over samples, which stacks have where none is named.

    Those over records are named: a function cannot be made before its image is pushed, which most stacks do not need.
    """
    return [name for name in pipeline_names() if not load_pipeline(name)[0].over_records]


def load_step(name_or_path: str, base: Path | None = None) -> StepFolder:
    """Load a shipped step by its name, or any step by the path of its folder; a relative path starts at `base`.

    Raises:
        DataError: if there is no such step; with all problems of its ``step.toml``.
    """
    if "/" in name_or_path:
        return read_step((base or Path()) / name_or_path)
    if name_or_path not in step_names():
        hint = did_you_mean(name_or_path, step_names())
        raise DataError(f"unknown step {name_or_path!r}; {hint}; a folder of your own is given as ./path")
    return read_step(shipped_folder("steps") / name_or_path, is_checked=True)


def load_pipeline(name_or_file: str) -> tuple[Pipeline, dict[str, StepFolder]]:
    """Load a shipped pipeline by its name, or any pipeline by the path of its file; return it and its steps by name.

    Raises:
        DataError: if there is no such pipeline; with all problems of its file and its steps.
    """
    file = _pipeline_file(name_or_file)
    folders: dict[str, StepFolder] = {}

    @cache  # thousands of stages may have one step
    def load(name: str) -> StepSpec:
        step = load_step(name, file.parent)
        if folders.setdefault(step.spec.name, step).path != step.path:
            raise DataError(f"two steps are named {step.spec.name!r}: {folders[step.spec.name].path} and {step.path}")
        return step.spec

    text = read_bounded_text(file, budgets.TOML_SIZE)
    is_shipped = file.parent == shipped_folder("pipelines")
    pipeline = parse_pipeline(text, file=str(file), load_step=load, is_shipped=is_shipped)
    return replace(pipeline, parameters=with_real_parents(pipeline.parameters, pipeline)), folders


def with_real_parents(values: Mapping[str, Mapping[str, Value]], pipeline: Pipeline) -> dict[str, Mapping[str, Value]]:
    """Return the values of parameters by stage, with the paths of files as the system resolves their ``..``."""
    specs = {stage.name: stage.step.parameters for stage in pipeline.stages}
    return {stage: follow_parents_in(given, specs[stage]) for stage, given in values.items()}


def _pipeline_file(name_or_file: str) -> Path:
    if "/" not in name_or_file and name_or_file in pipeline_names():
        return shipped_folder("pipelines") / f"{name_or_file}.toml"
    file = Path(follow_parents(str(Path(name_or_file).absolute())))
    if file.is_file():
        return file
    hint = did_you_mean(name_or_file, pipeline_names())
    raise DataError(f"no pipeline {name_or_file!r}, neither shipped nor a file; {hint}")


def absolute_name(name_or_file: str) -> str:
    """Return the argument that loads the same pipeline from any folder: a shipped name, or an absolute path."""
    is_shipped = "/" not in name_or_file and name_or_file in pipeline_names()
    return name_or_file if is_shipped else follow_parents(str(Path(name_or_file).absolute()))

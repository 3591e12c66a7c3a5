"""Pipelines that can be run: the shipped ones, and those in folders of the user."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, PipelineError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.runs.catalog import load_pipeline, load_step, pipeline_names, step_names
from genomics_pipeline.stores.bounded_file import read_bounded_text


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """A pipeline in the list.

    Attributes:
        pipeline: The value of ``--pipeline`` that runs it: the name of a shipped pipeline, or the path of a file.
        name: Its name; None for a file that cannot be used.
        summary: Its summary; None for a file that cannot be used.
        stages: The names of its stages.
        error: The first problem of a file that cannot be used; None otherwise.
    """

    pipeline: str
    name: str | None = None
    summary: str | None = None
    stages: tuple[str, ...] = ()
    error: str | None = None


def list_pipelines(folders: Sequence[Path]) -> Iterator[PipelineRow]:
    """Yield the shipped pipelines, then those whose files are in the folders.

    Raises:
        DataError: for a folder that does not exist.
    """
    for name in pipeline_names():
        yield _row(name)
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}: expected a folder with pipeline files, found none")
        for file in sorted(folder.glob("*.toml")):
            if file.is_file() and _declares_stages(file):
                yield _row(str(file) if "/" in str(file) else f"./{file}")


def shipped_pipelines() -> list[Pipeline]:
    """Return the shipped pipelines, sorted by name."""
    return [load_pipeline(name)[0] for name in pipeline_names()]


def shipped_steps() -> list[StepSpec]:
    """Return the shipped steps, sorted by name."""
    return [load_step(name).spec for name in step_names()]


def _row(name_or_file: str) -> PipelineRow:
    try:
        pipeline, _ = load_pipeline(name_or_file)
    except PipelineError as error:
        return PipelineRow(name_or_file, error=str(error.problems[0]))
    stages = tuple(stage.name for stage in pipeline.stages)
    return PipelineRow(name_or_file, pipeline.name, pipeline.summary, stages)


def _declares_stages(file: Path) -> bool:
    """Return whether a file may be a pipeline's, and not one of the many other files in TOML."""
    try:
        return "stages" in tomllib.loads(read_bounded_text(file, budgets.TOML_SIZE))
    except (OSError, ValueError, RecursionError, PipelineError):  # no TOML, or no text
        return False

"""Completion of names in the shell: steps, pipelines, parameters, samples of a run or sheet, files and folders.

click calls these functions while a command line is typed (https://click.palletsprojects.com/en/stable/shell-completion).
They look at this machine only, and whatever cannot be read completes to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from genomics_pipeline.model.errors import PipelineError

if TYPE_CHECKING:
    from genomics_pipeline.model.parameters import ParameterSpec

MOST = 500  # names that are offered at once
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
Names = Callable[[click.Context, str], Iterable[str]]


def _completing(*kinds: str) -> Callable[[Names], Complete]:
    """Return a decorator that offers the names that a function yields, and files or folders.

    Args:
        kinds: click's kinds of paths that the shell adds: ``file``, ``dir``.
    """

    def add(names: Names) -> Complete:
        @wraps(names)
        def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
            paths = [CompletionItem(incomplete, type=kind) for kind in kinds]
            try:
                fitting = (name for name in names(context, incomplete) if name.startswith(incomplete))
                return [*map(CompletionItem, islice(fitting, MOST)), *paths]
            except (PipelineError, OSError):
                return paths

        return complete

    return add


@_completing("file")
def complete_files(_context: click.Context, _incomplete: str) -> Iterable[str]:
    """Offer files."""
    return ()


@_completing("dir")
def complete_runs(_context: click.Context, _incomplete: str) -> Iterable[str]:
    """Offer folders, as those of runs on this machine."""
    return ()


@_completing("dir")
def complete_steps(_context: click.Context, _incomplete: str) -> Iterable[str]:
    """Offer the shipped steps."""
    from genomics_pipeline.runs.catalog import step_names

    return step_names()


@_completing("file")
def complete_pipelines(_context: click.Context, _incomplete: str) -> Iterable[str]:
    """Offer the shipped pipelines."""
    from genomics_pipeline.runs.catalog import pipeline_names

    return pipeline_names()


@_completing()
def complete_genomes(_context: click.Context, _incomplete: str) -> Iterable[str]:
    """Offer the genomes of the user and of the site."""
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.genomes import read_genomes

    ports = adapters()
    return read_genomes(ports.environment, ports.home)


@_completing("file")
def complete_profiles(_context: click.Context, _incomplete: str) -> Iterable[str]:
    """Offer the profiles of the project, of the user and of the site."""
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.profiles import profile_files

    ports = adapters()
    return profile_files(ports.environment, ports.home)


@_completing()
def complete_parameters(context: click.Context, incomplete: str) -> Iterator[str]:
    """Offer ``STAGE.NAME=`` of the pipeline: of the option, or of the run that is named before."""
    from genomics_pipeline.runs.catalog import load_pipeline

    pipeline, _ = load_pipeline(context.params.get("pipeline") or _pipeline_of_run(context))
    for stage in pipeline.stages:
        yield from _assignments(stage.step.parameters, f"{stage.name}.")


@_completing()
def complete_bounds(context: click.Context, incomplete: str) -> Iterator[str]:
    """Offer ``STAGE.METRIC.BOUND=`` of the pipeline of the option."""
    from genomics_pipeline.model.metric_bounds import FIELDS
    from genomics_pipeline.runs.catalog import load_pipeline

    pipeline, _ = load_pipeline(context.params.get("pipeline") or "germline")
    for stage in pipeline.stages:
        yield from (f"{stage.name}.{metric}.{bound}=" for metric in stage.step.metrics for bound in FIELDS)


@_completing()
def complete_step_parameters(context: click.Context, incomplete: str) -> Iterator[str]:
    """Offer ``NAME=`` of the step."""
    from genomics_pipeline.runs.catalog import load_step

    yield from _assignments(load_step(_first_argument(context, "step") or "").spec.parameters, "")


@_completing()
def complete_samples(context: click.Context, incomplete: str) -> Iterator[str]:
    """Offer the samples of the run, or of the sample sheet, that is named before."""
    sheet = _first_argument(context, "manifest")
    if sheet and "://" not in sheet:
        from genomics_pipeline.runs.manifests import read_manifest

        yield from (sample.sample for sample in read_manifest(sheet, lambda _: None))
    elif run := _first_argument(context, "run"):
        from genomics_pipeline.records.items import read_item_ids
        from genomics_pipeline.runs.run_folder import RunFolder

        folder = RunFolder(Path(run))
        yield from read_item_ids(folder.store, folder.uri(folder.manifest.name))


@_completing()
def complete_stages(context: click.Context, incomplete: str) -> Iterator[str]:
    """Offer the stages of the run that is named before."""
    from genomics_pipeline.runs.catalog import load_pipeline

    yield from (stage.name for stage in load_pipeline(_pipeline_of_run(context))[0].stages)


def _first_argument(context: click.Context, name: str) -> str | None:
    """Return the first argument of a command, if it has that name; None where it is not typed yet.

    While the value of an option is typed, click's parser gives up before it assigns arguments: they are in `args`.
    """
    if all(parameter.name != name for parameter in context.command.params):
        return None
    value: str | None = context.params.get(name) or next(iter(context.args), None)
    return value


def _pipeline_of_run(context: click.Context) -> str:
    """Return the pipeline of the run that the command is for, or the one that is used by default."""
    from genomics_pipeline.runs.run_folder import RunFolder

    run = _first_argument(context, "run")
    record = RunFolder(Path(run)).record() if run else None
    return record.arguments.pipeline if record else "germline"


def _assignments(specs: Mapping[str, ParameterSpec], prefix: str) -> Iterator[str]:
    """Yield an assignment for each value that a parameter can have, or one without a value where there are many."""
    from genomics_pipeline.model.parameters import value_words

    for name, spec in specs.items():
        choices = spec.choices or ((True, False) if spec.type == "boolean" else ("",))
        yield from (f"{prefix}{name}={value_words(choice)}" for choice in choices)

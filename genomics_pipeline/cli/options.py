"""Options that several commands share, or whose values have a syntax of their own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.completion import (
    complete_bounds,
    complete_files,
    complete_genomes,
    complete_parameters,
    complete_pipelines,
    complete_runs,
    complete_samples,
)
from genomics_pipeline.cli.profile_options import profile_options
from genomics_pipeline.model.accession import ENA
from genomics_pipeline.model.errors import Problem, UsageError
from genomics_pipeline.model.resource_names import DEFAULT_STACK, resource_names
from genomics_pipeline.model.secrets import without_secrets

if TYPE_CHECKING:
    from genomics_pipeline.model.rerun import StageMemory
    from genomics_pipeline.prices.core_hours import CoreHourPrices


class FiniteRange(click.FloatRange):
    """A number between bounds, which every comparison with NaN would let through, and that is not infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number.

        Raises:
            click.BadParameter: for a text that is no such number.
        """
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"expected a finite number, found {value!r}", param, ctx)
        return number


def _stack(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    return resource_names(value).stack


stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    envvar="GENOMICS_PIPELINE_STACK",
    show_envvar=True,
    callback=_stack,
    help="The name of the CloudFormation stack.",
)


joint_with_option = click.option(
    "--joint-with",
    "joint_with",
    multiple=True,
    metavar="RUN",
    shell_complete=complete_runs,
    help="Genotype the cohort together with the gVCFs of this run's samples (folder, URI or name; may be repeated).",
)

ena_option = click.option(
    "--ena",
    default=ENA,
    show_default=True,
    envvar="GENOMICS_PIPELINE_ENA",
    show_envvar=True,
    metavar="URL",
    help="ENA's portal API, or a copy of it, which finds the files of accessions.",
)


def _tolerance(_context: click.Context, _parameter: click.Parameter, value: str | None) -> dict[str, float] | None:
    from genomics_pipeline.model.tolerance import parse_tolerance

    return None if value is None else parse_tolerance(value)


def _most_failures(_context: click.Context, _parameter: click.Parameter, value: str | None) -> dict[str, float] | None:
    from genomics_pipeline.model.tolerance import parse_most_failures

    return None if value is None else parse_most_failures(value)


def _memory(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[StageMemory, ...]:
    from genomics_pipeline.cli.arguments import parse_memory

    return parse_memory(value)


class LocalPath(click.Path):
    """The type of values that name a file or folder of this machine: a URI is refused, not taken for a relative path.

    Args:
        kind: ``file`` or ``folder``.
        advice: What to do instead.
        options: Of `click.Path`.
    """

    def __init__(self, kind: str, advice: str = "give a path", **options: bool) -> None:
        super().__init__(path_type=Path, **options)
        self._kind, self._advice = kind, advice

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path.

        Raises:
            UsageError: for a URI.
        """
        if "://" in str(value):
            found = f"expected a {self._kind} of this machine, found the URI {without_secrets(str(value))}"
            name = param.opts[0] if isinstance(param, click.Option) else self._kind
            raise UsageError(f"{name}: {found}; {self._advice}")
        return super().convert(value, param, ctx)


def refuse_missing_folder(option: str, file: Path) -> None:
    """Refuse a file to write in a folder that is missing, which is likely to be misspelt, before there is any work.

    Args:
        option: The option that names the file.
        file: The file.

    Raises:
        UsageError: for such a file.
    """
    if not file.parent.is_dir():
        raise UsageError(f"{option} {file}: expected a file in a folder that exists, found no folder {file.parent}")


run_argument = click.argument("run", shell_complete=complete_runs)
sheet_argument = click.argument(
    "manifest", metavar="[SHEET]", required=False, default="", shell_complete=complete_files
)  # not needed with --joint-with
sample_option = click.option(
    "--sample",
    "samples",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_samples,
    help="Only this sample (may be repeated).",
)
param_option = click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="STAGE.NAME=VALUE",
    shell_complete=complete_parameters,
    help="Set a parameter of a stage (may be repeated); `pipeline show` lists them.",
)
params_file_option = click.option(
    "--params-file",
    type=LocalPath("file", exists=True, dir_okay=False),
    metavar="FILE",
    help="Set parameters as this TOML or JSON file says, by stage; --param precedes it.",
)
bound_option = click.option(
    "--bound",
    "bounds",
    multiple=True,
    metavar="STAGE.METRIC.BOUND=NUMBER",
    shell_complete=complete_bounds,
    help="Set a bound of a metric (may be repeated): good.min, good.max, bad.below or bad.above; none for no bound.",
)
regions_option = click.option(
    "--regions",
    metavar="BED",
    shell_complete=complete_files,
    help="Work on these regions only, such as those of a panel: docs/targets.md.",
)
subsample_option = click.option(
    "--subsample",
    metavar="FRACTION",
    help="Take this fraction of the reads only, such as 0.01 for a pilot: docs/reads.md.",
)
tolerate_option = click.option(
    "--tolerate",
    "accepted",
    metavar="5%|20[,intervals=2]",
    callback=_tolerance,
    help="Accept that this share or number of the run's samples, and this number of intervals, is missing: the exit "
    "code is 0 nevertheless.",
)
max_failures_option = click.option(
    "--max-failures",
    "most_failures",
    metavar="2%|20",
    callback=_most_failures,
    help="End the run when more than this share or number of its samples has failed; by default as the pipeline says: "
    "half of them, and of more than 200, no more than 100 or 1%.",
)
memory_option = click.option(
    "--memory",
    multiple=True,
    metavar="[STAGE=]MIB",
    callback=_memory,
    help="Start with this memory, in all stages over samples or in one (may be repeated).",
)
pipeline_option = click.option(
    "--pipeline",
    default="germline",
    show_default=True,
    shell_complete=complete_pipelines,
    help="A pipeline's name, or a pipeline file; `pipelines` lists them.",
)
pipelines_option = click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    metavar="PIPELINE",
    shell_complete=complete_pipelines,
    help="A pipeline's name, or a pipeline file (may be repeated); by default all shipped ones over samples.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


def memory_size(_context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return an amount of memory in MiB; a callback of options."""
    from genomics_pipeline.cli.arguments import parse_mib

    return None if value is None else parse_mib(value, parameter.opts[0])


def machine_options(memory: str = "--memory") -> Callable[[click.decorators.FC], click.decorators.FC]:
    """Return a decorator that adds the options for what jobs may use of this machine, which it passes as `limits`.

    With them come those for a profile and for the folder of caches.

    Args:
        memory: The name of the option for memory.
    """

    def add(command: Any) -> Any:
        @functools.wraps(command)
        def call(*arguments: Any, cpus: int | None, machine_mib: int | None, jobs: int | None, **options: Any) -> Any:
            from genomics_pipeline.worker.machine import Limits

            return command(*arguments, limits=Limits(cpus, machine_mib, jobs), **options)

        for option in (
            click.option("--jobs", type=click.IntRange(min=1), help="Run at most this number of jobs at once."),
            click.option(
                memory,
                "machine_mib",
                metavar="SIZE",
                callback=memory_size,
                help="Memory for all jobs together, such as 64GiB; by default 90% of this machine's or its limit.",
            ),
            click.option(
                "--cpus",
                type=click.IntRange(min=1),
                help="Cores for all jobs together; by default this machine's, its limit or its scheduler's.",
            ),
        ):
            call = option(call)
        return profile_options(call)

    return add


def reference_options(on_aws: bool) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """Return a decorator that adds the options for the reference, of which one is needed, passed as `reference`.

    A pipeline over records has none; `reference` is empty then.

    Args:
        on_aws: Whether the run is on AWS.
    """

    def add(command: Any) -> Any:
        @functools.wraps(command)
        def call(*arguments: Any, reference: str | None, genome: str | None, **options: Any) -> Any:
            if reference is None and genome is None and _is_over_records(options["pipeline"]):
                return command(*arguments, reference="", **options)
            return command(*arguments, reference=chosen_reference(reference, genome, on_aws), **options)

        for option in (
            click.option(
                "--genome",
                metavar="NAME",
                shell_complete=complete_genomes,
                help="A reference by its short name in genomes.toml, such as GRCh38: docs/references.md.",
            ),
            click.option(
                "--reference",
                shell_complete=complete_files,
                help="FASTA file: a path, or an s3:// URI with its indexes beside it."
                if on_aws
                else "FASTA file, plain or compressed: a path or URI.",
            ),
        ):
            call = option(call)
        return call

    return add


def refuse_options_of_samples(options: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse options that a run over records does not have.

    Args:
        options: The options of the command that is running.
        names: The names of those options.

    Raises:
        UsageError: with all that were given.
    """
    shown = {
        one.name: one.opts[0] if isinstance(one, click.Option) else "SHEET"
        for one in click.get_current_context().command.params
    }
    found = f"expected a pipeline over samples, found {options['pipeline']}, which is over records"
    if problems := [Problem(f"{shown[name]}: {found}") for name in names if options[name]]:
        raise UsageError(problems)


def _is_over_records(pipeline: str) -> bool:
    from genomics_pipeline.runs.catalog import load_pipeline

    return load_pipeline(pipeline)[0].over_records


def chosen_reference(reference: str | None, genome: str | None, on_aws: bool, option: str = "--reference") -> str:
    """Return the path or URI of the reference that a user named.

    Args:
        reference: Its path or URI.
        genome: Its short name.
        on_aws: Whether it is used on AWS.
        option: The name of the first of the two, for the message.

    Raises:
        UsageError: if neither or both are given.
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.genomes import genome_reference

    if reference is not None and genome is None:
        return reference
    if genome is not None and reference is None:
        ports = adapters()
        return genome_reference(genome, on_aws, ports.environment, ports.home)
    raise UsageError(f"expected one of {option} and --genome, found {'both' if genome else 'neither'}")


def _core_hour_prices(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> CoreHourPrices:
    from genomics_pipeline.prices.core_hours import parse_core_hour_prices

    return parse_core_hour_prices(value)


core_hour_price_option = click.option(
    "--core-hour-price",
    "core_hour_prices",
    multiple=True,
    callback=_core_hour_prices,
    envvar="GENOMICS_PIPELINE_CORE_HOUR_PRICE",
    show_envvar=True,
    metavar="[PARTITION=]DOLLARS",
    help="The price of a core-hour of machines that are no hosts of AWS, or of a Slurm partition (may be repeated).",
)
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress, only the summary and errors.")
verbose_option = click.option("--verbose", is_flag=True, help="Show details of jobs and of this machine too.")

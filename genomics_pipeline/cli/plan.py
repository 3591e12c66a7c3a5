"""`genomics-pipeline plan`: limits, duration and cost of a run before it starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from genomics_pipeline.cli.options import (
    FiniteRange,
    LocalPath,
    core_hour_price_option,
    machine_options,
    max_failures_option,
    param_option,
    pipeline_option,
    refuse_missing_folder,
    refuse_options_of_samples,
    regions_option,
    sheet_argument,
    stack_option,
)
from genomics_pipeline.cli.prices import region_option
from genomics_pipeline.cli.slurm_options import slurm_options
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.model.slurm_options import SlurmOptions
    from genomics_pipeline.planning.local_plan import LocalPlan
    from genomics_pipeline.planning.record_plan import RecordLoad
    from genomics_pipeline.prices.core_hours import CoreHourPrices
    from genomics_pipeline.runs.adapters import Adapters
    from genomics_pipeline.runs.plan_request import PlanRequest
    from genomics_pipeline.worker.machine import Limits

MOST_ARRIVING_DAYS = 36_500


@click.command(short_help="Tell limits, duration and cost of a run before it starts.")
@sheet_argument
@click.option("--samples", type=int, metavar="N", help="Plan for this number of samples instead of a sheet.")
@click.option(
    "--gigabytes", type=float, metavar="G", help="The size of each sample's FASTQ files, or gVCF, in 10^9 bytes."
)
@click.option(
    "--records",
    type=click.IntRange(min=1),
    metavar="N",
    help="Plan a run over this number of records, for a pipeline over records: docs/records.md.",
)
@click.option(
    "--record-bytes",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="BYTES",
    help="With --records: the mean size of a record as JSON.",
)
@click.option(
    "--batch-seconds",
    type=FiniteRange(0, quotas.FUNCTION_SECONDS.value, min_open=True),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="With --records: the mean time of a function over a batch.",
)
@click.option("--reference", metavar="FASTA", help="The reference, a path or URI; by default a human genome.")
@pipeline_option
@param_option
@regions_option
@click.option("--here", is_flag=True, help="Plan a run on this machine, as of `run`, instead of one on AWS.")
@machine_options()
@slurm_options
@core_hour_price_option
@click.option("--max-vcpus", type=click.IntRange(min=1), metavar="N", help="MaxVcpus of the stack, as of `deploy`.")
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A quota of your account: child_starts, submit_job, spot_vcpus, on_demand_vcpus; with --slurm, a limit of the "
    "partition in place of Slurm's answer: docs/slurm.md (may be repeated).",
)
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="NAME=NUMBER",
    help="How often jobs fail: host_lost in an hour, tool_error of all tasks (may be repeated).",
)
@click.option(
    "--max-concurrency",
    type=click.IntRange(1, quotas.MAP_RUN_CONCURRENCY.value),
    metavar="N",
    help="Run at most this many samples at a time in each Map Run, as of `submit`.",
)
@click.option(
    "--map-runs",
    type=click.IntRange(1, quotas.INLINE_CONCURRENCY.value),
    metavar="N",
    help="Divide the samples among this many Map Runs, as map_runs of a pipeline file.",
)
@max_failures_option
@click.option(
    "--inject",
    type=LocalPath("file", exists=True, dir_okay=False),
    metavar="FAULTS.toml",
    help="Simulate faults, of the same file as `run --inject`.",
)
@click.option(
    "--architecture",
    type=click.Choice([str(one) for one in Architecture]),
    default=str(Architecture.X86_64),
    show_default=True,
    callback=lambda _context, _parameter, value: Architecture(value),
    help="The processors of the hosts, or of the functions: Architecture of the stack.",
)
@click.option(
    "--arriving-days",
    type=FiniteRange(0, MOST_ARRIVING_DAYS, min_open=True),
    metavar="DAYS",
    help="Let the samples arrive evenly over this time, each as a run of its own.",
)
@click.option(
    "--calibration",
    type=LocalPath("file", exists=True, dir_okay=False),
    metavar="FILE.toml",
    help="Rates of the steps in place of the shipped ones: docs/plan.md.",
)
@click.option(
    "--history",
    multiple=True,
    metavar="RUN",
    help="Learn what the steps need from the records of this run: a folder, URI or name (may be repeated).",
)
@stack_option
@region_option
@click.option(
    "--what-if",
    multiple=True,
    metavar="NAME",
    help="Price another choice (may be repeated): polling, bam, whole_gvcfs, worst_memory, logs_all, nat, on_demand; "
    "naive for all of them.",
)
@click.option("--save", metavar="RUN", help="Save the plan in this run, beside which `cost RUN` then shows the costs.")
@click.option("--explain", metavar="LINE", help="Tell where the figure of this line comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as one JSON object.")
@click.option(
    "--html",
    "page",
    type=LocalPath("file", dir_okay=False),
    metavar="FILE",
    help="Write the plan to this HTML page, too.",
)
def plan(
    here: bool,
    slurm: SlurmOptions | None,
    core_hour_prices: CoreHourPrices,
    limits: Limits,
    as_json: bool,
    page: Path | None,
    explain: str | None,
    save: str | None,
    calibration: Path | None,
    records: int | None,
    record_bytes: int,
    batch_seconds: float,
    **options: Any,
) -> None:
    """Tell what a run of SHEET on AWS will do, need and cost; nothing is started or asked of AWS.

    The definition that would run is executed in virtual time, and its jobs are simulated under the quotas of the
    account. Without a sheet, give the number of samples and their size. With --here, the run is one on this machine,
    and the plan tells its duration and core-hours; with --slurm, it is one on a Slurm cluster, under the limits of the
    partition.

    \b
    Examples:
      genomics-pipeline plan cohort.csv --reference hg38.fa.gz
      genomics-pipeline plan --samples 1000 --gigabytes 75 --max-vcpus 4096
      genomics-pipeline plan --samples 1000 --gigabytes 75 --explain transitions
      genomics-pipeline plan cohort.csv --reference hg38.fa.gz --history my-pilot
      genomics-pipeline plan --samples 1000 --gigabytes 75 --what-if naive
      genomics-pipeline plan cohort.csv --reference hg38.fa.gz --history my-pilot --here
      genomics-pipeline plan cohort.csv --reference hg38.fa.gz --slurm --slurm-partition long --core-hour-price 0.04
      genomics-pipeline plan --records 1000000 --pipeline transactions.toml
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.model import run_layout
    from genomics_pipeline.records.plan import write_plan
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.plan_request import PlanRequest
    from genomics_pipeline.worker.machine import NO_LIMITS

    if page is not None:
        refuse_missing_folder("--html", page)
    if here and slurm is not None:
        raise UsageError("expected one of --here and --slurm, found both: --no-slurm")
    if limits != NO_LIMITS and not (here or slurm):
        expected = "expected --here or --slurm beside them"
        raise UsageError(f"--cpus, --memory, --jobs: {expected}: hosts of AWS are another matter")
    if records is not None:
        from genomics_pipeline.planning.record_plan import RecordLoad

        others = {"here": here, "slurm": slurm, "save": save, "calibration": calibration}
        refuse_options_of_samples({**options, **others}, _OF_SAMPLES)
        made = _over_records(RecordLoad(records, record_bytes, batch_seconds), options, adapters(limits))
        _show(made, explain, as_json, page)
        return
    request, ports = PlanRequest(options.pop("manifest"), calibration=calibration, **options), adapters(limits)
    files = None if save is None else find_run(save, request.stack, ports).files
    with ProgressDisplay(quiet=as_json, verbose=False) as display:
        if slurm is not None:
            from genomics_pipeline.runs.estimate_on_slurm import estimate_on_slurm

            made = _of_own(estimate_on_slurm(request, slurm, core_hour_prices, ports, display.note))
        elif here:
            from genomics_pipeline.runs.estimate_here import estimate_here

            made = _of_own(estimate_here(request, ports, display.note))
        else:
            made = _on_aws(request, ports, display.note)
    if files is not None:
        write_plan(files.store, files.place.uri(run_layout.PLAN), made.members)
    _show(made, explain, as_json, page)


# By their names in the messages of `refuse_options_of_samples`.
_OF_SAMPLES = (
    *("manifest", "samples", "gigabytes", "reference", "regions", "here", "slurm", "max_vcpus", "quotas", "rates"),
    *("map_runs", "inject", "arriving_days", "history", "calibration", "what_if", "save", "most_failures"),
)


class _Shown(NamedTuple):
    """A plan as it is shown: its JSON object, the lines of its screen, what explains a line, and its HTML page."""

    members: Mapping[str, Any]
    lines: Iterable[str]
    explain: Callable[[str], list[str]]
    page: Callable[[], str]


def _show(made: _Shown, explain: str | None, as_json: bool, page: Path | None) -> None:
    """Write the page of a plan and print the plan.

    Args:
        made: The plan.
        explain: The line to explain in place of the plan; None for none.
        as_json: Whether to print JSON.
        page: The file of the page; None for none.
    """
    from genomics_pipeline.stores.publish import publish_bytes

    lines = None if explain is None else made.explain(explain)
    if page is not None:
        try:
            publish_bytes(page, made.page().encode())
        except OSError as error:
            raise UsageError(f"--html {page}: expected a file that can be written: {error.strerror}") from None
    if lines is not None:
        for line in lines:
            echo_line(line)
    elif as_json:
        echo_json(made.members)
    else:
        for line in made.lines:
            echo_line(line)


def _over_records(load: RecordLoad, options: Mapping[str, Any], ports: Adapters) -> _Shown:
    from genomics_pipeline.report.plan_page import record_plan_page
    from genomics_pipeline.report.record_plan_table import explain_record_line, record_plan_json, record_plan_lines
    from genomics_pipeline.runs.estimate_records import RecordPlanRequest, estimate_records

    names = ("region", "architecture", "max_concurrency")
    request = RecordPlanRequest(options["pipeline"], load, *(options[name] for name in names))
    made = estimate_records(request, ports)
    explain, page = partial(explain_record_line, made), partial(record_plan_page, made)
    return _Shown(record_plan_json(made), record_plan_lines(made), explain, page)


def _on_aws(request: PlanRequest, ports: Adapters, note: Callable[[str], None]) -> _Shown:
    from genomics_pipeline.report.plan_explanation import explain_line
    from genomics_pipeline.report.plan_page import plan_page
    from genomics_pipeline.report.plan_table import plan_json, plan_lines
    from genomics_pipeline.runs.estimate import estimate

    made = estimate(request, ports, note)
    explain, page = partial(explain_line, made), partial(plan_page, made)
    return _Shown(plan_json(made), plan_lines(made), explain, page)


def _of_own(made: LocalPlan) -> _Shown:
    from genomics_pipeline.report.local_plan_table import explain_local_line, local_plan_json, local_plan_lines
    from genomics_pipeline.report.plan_page import local_plan_page

    explain, page = partial(explain_local_line, made), partial(local_plan_page, made)
    return _Shown(local_plan_json(made), local_plan_lines(made), explain, page)

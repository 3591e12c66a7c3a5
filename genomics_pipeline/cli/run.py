"""`genomics-pipeline run`: run a sample sheet through a pipeline on this machine."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.container_options import container_options
from genomics_pipeline.cli.options import (
    LocalPath,
    bound_option,
    ena_option,
    joint_with_option,
    machine_options,
    max_failures_option,
    param_option,
    params_file_option,
    pipeline_option,
    quiet_option,
    reference_options,
    refuse_options_of_samples,
    regions_option,
    sample_option,
    sheet_argument,
    subsample_option,
    tolerate_option,
    verbose_option,
)
from genomics_pipeline.cli.profile_options import show_settings
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.cli.slurm_options import head_options, slurm_options, with_limits
from genomics_pipeline.model.container_choice import APPTAINER
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.model.slurm_options import HeadOptions
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.report.time_left import TimeLeft
    from genomics_pipeline.runs.adapters import Adapters
    from genomics_pipeline.runs.local.request import LocalRunRequest
    from genomics_pipeline.worker.machine import Limits


@click.command(short_help="Run a sample sheet through a pipeline on this machine.")
@sheet_argument
@reference_options(on_aws=False)
@click.option(
    "--out",
    required=True,
    type=LocalPath("folder", "give a path; runs on AWS are started with `submit`"),
    help="The run folder.",
)
@pipeline_option
@param_option
@params_file_option
@bound_option
@regions_option
@subsample_option
@sample_option
@joint_with_option
@max_failures_option
@tolerate_option
@ena_option
@click.option("--resume", is_flag=True, help="Continue an interrupted execution.")
@container_options
@click.option(
    "--inject",
    type=LocalPath("file", exists=True, dir_okay=False),
    metavar="FAULTS.toml",
    help="Inject the faults of this file, to test steps and retry policies.",
)
@click.option("--truth", type=LocalPath("file"), help="Score the joint VCF against this VCF file.")
@click.option(
    "--truth-sample",
    "truth_samples",
    multiple=True,
    metavar="A=B",
    help="The sample A of the run is named B in the truth VCF (may be repeated).",
)
@click.option(
    "--truth-regions",
    type=LocalPath("file"),
    metavar="BED",
    help="Compare only within these regions, in which the truth is known.",
)
@click.option("--dry-run", is_flag=True, help="Print what would run, what is reused, and why; write and start nothing.")
@machine_options()
@slurm_options
@head_options
@verbose_option
@quiet_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def run(
    as_json: bool,
    dry_run: bool,
    verbose: bool,
    quiet: bool,
    limits: Limits,
    head: HeadOptions | None,
    truth: Path | None,
    truth_samples: tuple[str, ...],
    truth_regions: Path | None,
    joint_with: tuple[str, ...],
    **options: Any,
) -> None:
    """Run SHEET (a sample sheet: CSV, TSV or JSON Lines) through a pipeline into a run folder.

    Steps that have already finished with the same inputs, parameters and version are not run again. A sample that
    fails costs only itself, but the exit code is then 1, unless --tolerate accepts that samples are missing. --dry-run
    compares the run folder with the request, and prints each stage and sample that would run, with the reason.

    The pipeline preflight, without a reference, checks the beginnings and the ends of all FASTQ files of a sheet in
    seconds, before hours are spent on them: docs/preflight.md.

    For a pipeline over records, SHEET is a file or a folder of records, or their s3:// URI, and there is no reference:
    docs/records.md.

    \b
    Examples:
      genomics-pipeline run cohort.csv --reference hg38.fa.gz --out my-run
      genomics-pipeline run cohort.csv --reference hg38.fa.gz --out my-run --resume
      genomics-pipeline run new.csv --reference hg38.fa.gz --out larger --joint-with my-run
      genomics-pipeline run cohort.csv --reference hg38.fa.gz --out my-run --params-file params.toml --dry-run
      genomics-pipeline run amplicons.csv --reference virus.fa --out my-run --pipeline amplicon \\
          --param alignment.primers=primers.bed
      genomics-pipeline run cohort.csv --out checked --pipeline preflight
      genomics-pipeline run day.jsonl --out my-day --pipeline transactions.toml
      genomics-pipeline run low-pass.csv --reference hg38.fa.gz --out my-run --bound alignment.mean_depth.bad.below=0.5
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.cli.joined_samples import joined_arguments
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.local.request import LocalRunRequest
    from genomics_pipeline.runs.local.run import run as run_request
    from genomics_pipeline.runs.truth import parse_truth

    if quiet and verbose:
        raise UsageError("--quiet, --verbose: expected one of them")
    if verbose:
        show_settings()
    if not options["reference"]:
        progress = ProgressDisplay(quiet=as_json or quiet, verbose=verbose)
        given = {**options, "truth": truth, "truth_samples": truth_samples, "truth_regions": truth_regions}
        _run_records({**given, "joint_with": joint_with, "dry_run": dry_run}, limits, progress, as_json)
        return
    joined = joined_arguments(joint_with)
    options["slurm"] = with_limits(options["slurm"], limits)
    request = LocalRunRequest(truth=parse_truth(truth, truth_samples, truth_regions), **joined, **options)
    ports = adapters(limits)
    end_on_signals()
    if dry_run:
        _show_dry_run(request, limits, as_json)
        return
    if head is not None:
        from genomics_pipeline.cli.slurm_head import submit_head

        submit_head(request, head, ports, as_json)
        return
    expect = partial(_expected, request, ports)
    with ProgressDisplay(quiet=as_json or quiet, verbose=verbose, expect=expect) as display:
        summary = run_request(request, ports, display)
    if as_json:
        echo_json(summary.to_json())
    else:
        from genomics_pipeline.report.cohort_table import render_table

        render_table(summary)
    sys.exit(0 if summary.is_accepted and summary.cohort.truth_error is None else 1)


JOB_ID = "SLURM_JOB_ID"  # set in jobs of Slurm
_OF_SAMPLES = (
    *("bounds", "regions", "subsample", "samples", "inject", "truth", "truth_samples", "truth_regions", "joint_with"),
    "dry_run",
)


def _expected(request: LocalRunRequest, ports: Adapters) -> TimeLeft | None:
    from genomics_pipeline.runs.time_left import expected_time

    return expected_time(request, ports)


def _run_records(options: dict[str, Any], limits: Limits, progress: ProgressDisplay, as_json: bool) -> None:
    """Run records through a pipeline over records.

    Args:
        options: The options of the command.
        limits: What jobs may use of this machine.
        progress: Shows the progress.
        as_json: Whether to print JSON.
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.command_line import command_line
    from genomics_pipeline.report.record_summary import summary_lines
    from genomics_pipeline.runs.local.records.request import RecordRunRequest
    from genomics_pipeline.runs.local.records.run import run_records

    refuse_options_of_samples(options, _OF_SAMPLES)
    if options["slurm"] and JOB_ID not in os.environ:
        expected = "a pipeline over records runs in processes of one machine, not in jobs"
        advice = f"start the command in one job: sbatch --cpus-per-task=16 --wrap '{command_line('run', '…')}'"
        raise UsageError(f"--slurm: {expected}; {advice}; or give --no-slurm to run it here")
    if options["containers"] == APPTAINER:
        raise UsageError("--containers apptainer: expected a container engine for functions: give --containers engine")
    names = ("pipeline", "out", "parameters", "params_file", "accepted", "most_failures", "resume", "containers")
    request = RecordRunRequest(options["manifest"], **{name: options[name] for name in names})
    end_on_signals()
    with progress as display:
        summary = run_records(request, adapters(limits), display)
    if as_json:
        echo_json(summary.to_json())
    else:
        for line in summary_lines(summary):
            echo_line(line)
    sys.exit(0 if summary.is_accepted else 1)


def _show_dry_run(request: LocalRunRequest, limits: Limits, as_json: bool) -> None:
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.planned_tasks import counts, last_line, planned_lines
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.local.dry_run import dry_run

    with ProgressDisplay(quiet=as_json, verbose=False) as display:
        tasks = dry_run(request, adapters(limits), display)
    if as_json:
        echo_json({"run": str(request.out), "counts": counts(tasks), "tasks": [task.to_json() for task in tasks]})
        return
    for line in (*planned_lines(tasks), last_line(tasks)):
        echo_line(line)

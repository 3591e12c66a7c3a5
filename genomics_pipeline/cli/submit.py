"""`genomics-pipeline submit`: run a sample sheet through a pipeline on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.completion import complete_runs
from genomics_pipeline.cli.next_commands import show_next_commands
from genomics_pipeline.cli.options import (
    bound_option,
    ena_option,
    joint_with_option,
    max_failures_option,
    param_option,
    params_file_option,
    pipeline_option,
    reference_options,
    refuse_options_of_samples,
    regions_option,
    sample_option,
    sheet_argument,
    stack_option,
    subsample_option,
    tolerate_option,
)
from genomics_pipeline.model import quotas
from genomics_pipeline.model.execution_input import WAIT_S
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.runs.aws.submission import CohortSize, RecordsSize, SubmitOutcome


@click.command(short_help="Run a sample sheet through a pipeline on AWS.")
@sheet_argument
@reference_options(on_aws=True)
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
@click.option(
    "--max-concurrency",
    type=click.IntRange(1, quotas.MAP_RUN_CONCURRENCY.value),
    metavar="N",
    help="Run at most this many samples, and then intervals, at a time; by default as the pipeline says (1000).",
)
@click.option(
    "--history",
    multiple=True,
    metavar="RUN",
    shell_complete=complete_runs,
    help="Start tasks with the memory and the timeout that the records of this run suggest for their sizes (folder, "
    "URI or name; may be repeated).",
)
@click.option(
    "--longest-wait",
    "wait_h",
    type=click.IntRange(min=1),
    default=WAIT_S // 3600,
    show_default=True,
    metavar="HOURS",
    help="End a task whose job has waited this long for hosts, all attempts together.",
)
@stack_option
@click.option("--dry-run", is_flag=True, help="Check everything; upload and start nothing.")
@click.option(
    "--check-rights",
    is_flag=True,
    help="Check first, by a small job on AWS, that tasks may read and write their files.",
)
@click.option(
    "--preflight",
    is_flag=True,
    help="First check beginning and end of every FASTQ file by functions on AWS; start nothing unless all can be used.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the run as one JSON object.")
def submit(as_json: bool, wait_h: int, joint_with: tuple[str, ...], history: tuple[str, ...], **options: Any) -> None:
    """Run SHEET (a sample sheet: CSV, TSV or JSON Lines) through a pipeline on AWS, in a deployed stack.

    The command first checks the sheet, the existence of every file, the reference, the stack and AWS's limits, and
    reports all problems at once. The name of a run is derived from its contents: the same command does not start a
    second run. With --check-rights, a job with the role of the tasks reads a byte of each folder of inputs and writes
    an object below the run; the run is started if that works.

    With --preflight, the stack's pipeline preflight looks at the first megabyte and the last kilobytes of every FASTQ
    file, of 100,000 files in minutes: docs/preflight.md. All files that cannot be used are reported at once, and the
    run is started if there are none.

    For a pipeline over records, SHEET is the s3:// URI of an object or a prefix of records, and there is no reference:
    docs/records.md. The pipeline preflight reads a sample sheet, too.

    \b
    Examples:
      genomics-pipeline submit cohort.csv --reference hg38.fa.gz --dry-run
      genomics-pipeline submit cohort.csv --reference s3://my-bucket/hg38.fa
      genomics-pipeline submit amplicons.csv --reference virus.fa --pipeline amplicon
      genomics-pipeline submit cohort.csv --reference hg38.fa.gz --dry-run --check-rights
      genomics-pipeline submit cohort.csv --reference hg38.fa.gz --history an-earlier-run
      genomics-pipeline submit cohort.csv --reference hg38.fa.gz --preflight
      genomics-pipeline submit cohort.csv --pipeline preflight
      genomics-pipeline submit s3://my-bucket/day.jsonl --pipeline transactions.toml
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.cli.joined_samples import joined_arguments
    from genomics_pipeline.runs.aws.submission import SubmitRequest
    from genomics_pipeline.runs.aws.submit import submit as submit_request
    from genomics_pipeline.runs.find_run import find_run

    if not options["reference"]:
        _submit_records({**options, "joint_with": joint_with, "history": history}, as_json)
        return
    joined = joined_arguments(joint_with, options["stack"])
    ports = adapters()
    earlier = [find_run(text, options["stack"], ports).files for text in history]
    request = SubmitRequest(**options, wait_s=wait_h * 3600, history=earlier, **joined)
    submitted = submit_request(request, ports, lambda text: echo_line(text, err=True))
    for warning in submitted.warnings:
        echo_line(f"warning: {warning}", err=True)
    if as_json:
        echo_json(submitted.to_json())
        return
    echo_line(f"{submitted.run}: {_outcome(submitted)}")
    echo_line(f"  {submitted.uri}")
    echo_line(f"  {_size(submitted.size)}")
    for line in submitted.first_attempts:
        echo_line(f"  {line}")
    if submitted.status != "CHECKED":
        show_next_commands(submitted.run, submitted.stack)


def _outcome(submitted: SubmitOutcome[CohortSize] | SubmitOutcome[RecordsSize]) -> str:
    if submitted.started:
        return "submitted"
    if submitted.status == "CHECKED":
        return "can be submitted; nothing was uploaded or started"
    if submitted.status == "RUNNING":
        return "already running; nothing was started"
    return f"already {submitted.status}; a changed sheet, parameter, step or reference makes another run"


_OF_SAMPLES = ("bounds", "regions", "subsample", "samples", "joint_with", "history", "check_rights", "preflight")


def _submit_records(options: dict[str, Any], as_json: bool) -> None:
    """Submit records to a pipeline over records.

    Args:
        options: The options of the command.
        as_json: Whether to print JSON.
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.model.quantity import quantity
    from genomics_pipeline.runs.aws.records.submit import RecordSubmitRequest, submit_records

    refuse_options_of_samples(options, _OF_SAMPLES)
    names = (
        "pipeline",
        "stack",
        "parameters",
        "params_file",
        "accepted",
        "most_failures",
        "max_concurrency",
        "dry_run",
    )
    request = RecordSubmitRequest(options["manifest"], **{name: options[name] for name in names})
    submitted = submit_records(request, adapters(), lambda text: echo_line(text, err=True))
    if as_json:
        echo_json(submitted.to_json())
        return
    echo_line(f"{submitted.run}: {_outcome(submitted)}")
    echo_line(f"  {submitted.uri}")
    size, map_runs = submitted.size, quantity(submitted.size.map_runs, "Map Run")
    echo_line(f"  {quantity(size.objects, 'object')}, {size.size_bytes:,} bytes; {map_runs}")
    if submitted.status != "CHECKED":
        show_next_commands(submitted.run, submitted.stack)


def _size(size: CohortSize) -> str:
    """Return the numbers of samples, intervals and jobs, and the minimum time in which AWS starts the jobs."""
    from genomics_pipeline.model.quantity import quantity

    minutes, seconds = divmod(round(size.least_seconds), 60)
    hours, minutes = divmod(minutes, 60)
    least = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    samples, intervals = quantity(size.samples, "sample"), quantity(size.intervals, "interval")
    counts = f"{samples}, {intervals}: {quantity(size.jobs, 'job')}"
    return f"{counts}, which take at least {least} to start ({quotas.SUBMIT_JOB_RATE.value} a second)"

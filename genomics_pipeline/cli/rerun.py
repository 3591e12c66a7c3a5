"""`genomics-pipeline rerun`: run failed samples again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.next_commands import show_next_commands
from genomics_pipeline.cli.options import (
    machine_options,
    memory_option,
    param_option,
    quiet_option,
    run_argument,
    sample_option,
    stack_option,
    tolerate_option,
    verbose_option,
)
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.cli.slurm_options import changed_slurm_options, head_options
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.model.rerun import StageMemory
    from genomics_pipeline.model.slurm_options import HeadOptions
    from genomics_pipeline.records.rerun import ChosenSamples
    from genomics_pipeline.runs.reruns.outcome import RerunOutcome
    from genomics_pipeline.worker.machine import Limits

CLASSES = [*map(str, FailureClass), "pending"]  # `report.run_state.PENDING`, without its imports


@click.command(short_help="Run failed samples again.")
@run_argument
@stack_option
@click.option(
    "--class",
    "classes",
    multiple=True,
    type=click.Choice(CLASSES),
    help="Only samples with this failure class (may be repeated).",
)
@sample_option
@memory_option
@param_option
@tolerate_option
@machine_options("--machine-memory")
@verbose_option
@quiet_option
@click.option("--dry-run", is_flag=True, help="Print what would run; write and start nothing.")
@head_options
@changed_slurm_options
@click.option("--after", type=click.IntRange(min=0), hidden=True)  # of a head: see `RerunRequest`
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def rerun(
    run: str,
    stack: str,
    classes: tuple[str, ...],
    samples: tuple[str, ...],
    memory: tuple[StageMemory, ...],
    parameters: tuple[str, ...],
    accepted: dict[str, float] | None,
    dry_run: bool,
    verbose: bool,
    quiet: bool,
    limits: Limits,
    slurm: dict[str, Any],
    head: HeadOptions | None,
    after: int | None,
    as_json: bool,
) -> None:
    """Run the samples of RUN again that failed or were never started: a run folder, its s3:// URI, or its name.

    A rerun is another execution of the same run, over these samples only. Finished steps are not run again. The stages
    over intervals and the cohort then run over all samples that have succeeded so far. --param, --memory and --tolerate
    apply to this rerun only; given options of jobs on a cluster replace those of the run. The exit code is 1 while
    samples of the run are missing, unless --tolerate accepts that.

    \b
    Examples:
      genomics-pipeline rerun my-run --dry-run
      genomics-pipeline rerun my-run --sample NA12878
      genomics-pipeline rerun my-run --slurm-head
      genomics-pipeline rerun my-run --class timeout --slurm-partition long
      genomics-pipeline rerun cohort-3f2a91c0d5e7 --class out_of_memory --memory alignment=65536
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.reruns.request import RerunRequest, SampleFilter
    from genomics_pipeline.worker.machine import NO_LIMITS

    ports = adapters(limits)
    backend = find_run(run, stack, ports)
    if limits != NO_LIMITS and backend.folder is None:
        raise UsageError(f"--cpus, --machine-memory and --jobs are for runs on this machine; {run} is on AWS")
    if slurm and backend.folder is None:
        raise UsageError(f"--slurm-…: expected a run whose jobs are on a cluster, `run --slurm`; {run} is on AWS")
    if quiet and verbose:
        raise UsageError("--quiet, --verbose: expected one of them")
    request = RerunRequest(SampleFilter(classes, samples), memory, parameters, accepted, dry_run, after, slurm)
    end_on_signals()
    if head is not None and not dry_run:
        from genomics_pipeline.cli.slurm_head import submit_rerun_head

        if submit_rerun_head(backend, request, head, ports, as_json):
            return
    with ProgressDisplay(quiet=as_json or quiet, verbose=verbose) as display:
        outcome = backend.rerun(request, display)
    if as_json:
        echo_json(outcome.to_json())
    else:
        _show(outcome, stack)
    sys.exit(1 if outcome.failed else 0)


def _show(outcome: RerunOutcome, stack: str) -> None:
    chosen = outcome.chosen
    if outcome.records is not None:
        from genomics_pipeline.report.record_summary import summary_lines

        for line in summary_lines(outcome.records):
            echo_line(line)
    elif outcome.summary is not None:
        from genomics_pipeline.report.cohort_table import render_table

        render_table(outcome.summary)
    elif outcome.status == "NOTHING":
        echo_line(f"{outcome.run}: nothing to rerun: {outcome.message}")
    elif outcome.status == "CHECKED":
        what = _samples(chosen, outcome.kind) if chosen.samples else _only_after(outcome.kind)
        echo_line(f"{outcome.run}: {chosen.execution} would run {what}; nothing was written or started")
    elif outcome.aws is not None:
        state = "" if outcome.aws.started else f": already {outcome.status.lower()}"
        echo_line(f"{outcome.run}: {chosen.execution}{state}: {_samples(chosen, outcome.kind)}")
        show_next_commands(outcome.run, stack)


def _only_after(kind: str) -> str:
    return "only the stage that gathers" if kind == RECORD else "only the stages after the samples"


def _samples(chosen: ChosenSamples, kind: str = "sample") -> str:
    """Return the number of chosen samples or records, their number by class, and the first names."""
    from genomics_pipeline.model.quantity import quantity

    if not chosen.samples:
        return f"no {kind} failed; {_only_after(kind)} run{'s' if kind == RECORD else ''}"
    classes = "".join(f", {count} {name.replace('_', ' ')}" for name, count in chosen.by_class.items())
    others = chosen.samples - len(chosen.first)
    more = f" and {others} more" if others else ""
    return f"{quantity(chosen.samples, kind)}{classes}: {', '.join(chosen.first)}{more}"

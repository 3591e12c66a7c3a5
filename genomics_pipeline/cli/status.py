"""`genomics-pipeline status`: show the state of a run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.options import (
    FiniteRange,
    LocalPath,
    refuse_missing_folder,
    run_argument,
    stack_option,
)
from genomics_pipeline.cli.streams import output_failure
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.report.run_state import RunState
    from genomics_pipeline.report.run_summary import Outcomes
    from genomics_pipeline.runs.adapters import Adapters
    from genomics_pipeline.runs.backend import Guard, RunBackend
    from genomics_pipeline.runs.reporting.watch import PageKeeper

MOST = 500  # samples in the table, if nothing else is asked for: it reads the metrics of each


@click.command(short_help="Show the state of a run on this machine or on AWS.")
@run_argument
@stack_option
@click.option("--watch", "watched", is_flag=True, help="Show the state until the run ends; Ctrl-C only stops watching.")
@click.option(
    "--budget",
    type=FiniteRange(min=0),
    metavar="DOLLARS",
    help="With --watch: when about this much is spent, begin no other sample, and cancel the run when those that began "
    "have ended.",
)
@click.option(
    "--table/--no-table",
    default=None,
    help=f"Show the metrics and verdicts of all samples of a run that has ended; by default, those to look at first of "
    f"{MOST:,} at most.",
)
@click.option(
    "--html",
    "page",
    type=LocalPath("file"),
    metavar="FILE",
    help="With --watch: keep the report of the run in this file, which a browser reads again every few seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with --watch one per line.")
def status(
    run: str,
    stack: str,
    watched: bool,
    budget: float | None,
    table: bool | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Show the state of RUN: a run folder, its s3:// URI, or the name of a run in the stack.

    When the run has ended, a table shows the metrics of its samples and the verdicts on them.

    The exit code is 0 if the run is running, or succeeded and lacks no more samples than its --tolerate accepts;
    otherwise 1.

    \b
    Examples:
      genomics-pipeline status my-run
      genomics-pipeline status cohort-3f2a91c0d5e7 --watch
      genomics-pipeline status cohort-3f2a91c0d5e7 --watch --budget 500
      genomics-pipeline status my-run --watch --html my-run.html
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.prices.load import user_folder
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.record_run import RecordRun
    from genomics_pipeline.runs.seen_records import SeenRecords

    if budget is not None and not watched:
        raise UsageError("--budget: expected --watch, which looks at the costs until the run ends")
    if page is not None:
        if not watched:
            raise UsageError("--html: expected --watch, which keeps the page fresh; `report` writes it once")
        refuse_missing_folder("--html", page)
    ports = adapters()
    backend = find_run(run, stack, ports)
    reporter = None if page is None else _reporter(backend, page, ports)
    guard, seen = None, SeenRecords(outputs=True)
    if budget is not None:
        folder = user_folder(ports.environment, ports.home)
        guard = backend.budget_guard(budget, folder, lambda line: echo_line(line, err=True))
    try:
        if watched:
            state = _watch(backend, as_json, guard, reporter)
        elif table and not isinstance(backend, RecordRun):  # all records are read, and kept for the table
            state = backend.state_with(seen)
        else:
            state = backend.state()
    except KeyboardInterrupt:
        echo_line("stopped watching; the run continues", err=True)
        sys.exit(130)
    shown = state.status != "RUNNING" and (state.samples <= MOST if table is None else table)
    outcomes = backend.outcomes(state, seen) if shown else None
    _show(state, as_json, compact=watched, outcomes=outcomes, whole=table is True)
    sys.exit(0 if state.is_accepted else 1)


def _reporter(backend: RunBackend, page: Path, ports: Adapters) -> PageKeeper:
    """Return what keeps the report of a run in a file.

    Raises:
        UsageError: for a run over records.
    """
    from genomics_pipeline.prices.load import user_folder
    from genomics_pipeline.runs.record_run import RecordRun
    from genomics_pipeline.runs.reporting.read import ReportRequest
    from genomics_pipeline.runs.reporting.watch import PageKeeper

    if isinstance(backend, RecordRun):
        raise UsageError(f"--html: expected a run over samples, found one over records, {backend.files.shown}")
    return PageKeeper(backend, ReportRequest(user_folder(ports.environment, ports.home)), page, time.monotonic)


def _watch(backend: RunBackend, as_json: bool, guard: Guard | None, reporter: PageKeeper | None) -> RunState:
    """Show every state of the run but the last, and return the last; stop when nobody reads them.

    Args:
        backend: The run.
        as_json: Whether to print JSON.
        guard: Looks at each state.
        reporter: Keeps the report of the run; None for none.
    """
    from genomics_pipeline.report.live import open_live
    from genomics_pipeline.report.run_status import status_view
    from genomics_pipeline.runs.status import watch

    states = watch(backend, time.sleep, guard)
    if reporter is not None:
        states = reporter.kept(states)
    state = next(states)
    live = None
    if not as_json and sys.stderr.isatty():
        live = open_live(lambda: status_view(state, time.time()))
    if live is None:
        for following in states:
            _show(state, as_json, compact=True)
            state = following
            if output_failure():
                break
        return state
    with live:
        for state in states:  # noqa: B007  # the live view reads `state`
            pass
    return state


def _show(state: RunState, as_json: bool, compact: bool, outcomes: Outcomes | None = None, whole: bool = False) -> None:
    """Print a state of the run.

    Args:
        state: The state.
        as_json: Whether to print JSON.
        compact: Whether to print it in one line.
        outcomes: The outcomes of the samples; None to show none.
        whole: Whether to show all samples of a large cohort.
    """
    if as_json:
        measured = {"outcomes": outcomes.outcomes_json()} if outcomes else {}
        echo_json({**state.to_json(time.time()), **measured}, indent=None if compact else 2)
        return
    from genomics_pipeline.report.cohort_table import render_outcomes
    from genomics_pipeline.report.run_status import render_status

    render_status(state, time.time())
    if outcomes:
        render_outcomes(outcomes, state.place, whole=whole)

"""The live display on a terminal: a progress bar for each Map Run, and the running jobs."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genomics_pipeline.report.console import Printable, open_console
from genomics_pipeline.report.tally import MapRunTally, Tally

BAR_COLUMNS = 30
SHOWN_JOBS = 10
REFRESH_HZ = 4


def open_live(view: Callable[[], RenderableType]) -> Live:
    """Return a live display on standard error; it disappears when it is stopped, and lines printed above it stay.

    Args:
        view: Returns the content to show.
    """
    return Live(
        get_renderable=lambda: Printable(view()),  # which does not pass the console's own hook
        console=open_console(stderr=True),
        refresh_per_second=REFRESH_HZ,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def view(tally: Tally) -> RenderableType:
    """Return the content to show now: progress bars and running jobs."""
    return Group(_map_runs(tally), *_jobs(tally))


def _map_runs(tally: Tally) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for run in tally.map_runs.values():
        bar = ProgressBar(total=max(run.items, 1), completed=run.done + run.failed, width=BAR_COLUMNS)
        table.add_row(Text(run.label, style="bold"), bar, _counts(run))
    return table


def _counts(run: MapRunTally) -> Text:
    text = Text(f"{run.done} of {run.items} done", no_wrap=True, overflow="ellipsis")
    if run.running:
        text.append(f", {run.running} running")
    if run.failed:
        text.append(f", {run.failed} failed", style="bold red")
    return text


def _jobs(tally: Tally) -> list[Text]:
    now = tally.clock()
    jobs = list(tally.jobs.values())
    lines = [f"  {job.name}  {now - job.started:.0f} s" for job in jobs[:SHOWN_JOBS]]
    if len(jobs) > SHOWN_JOBS:
        lines.append(f"  and {len(jobs) - SHOWN_JOBS} more jobs")
    return [Text(line, no_wrap=True, overflow="ellipsis") for line in lines]

"""The live display on a terminal: a progress bar for each Map Run, and the running jobs."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genomics_pipeline.model.printable import printable_line
from genomics_pipeline.model.secrets import redact
from genomics_pipeline.report.console import Printable, open_console
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.tally import MapRunTally, RunningJob, Tally

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


def view(tally: Tally, columns: int) -> RenderableType:
    """Return the content to show now: progress bars, the time that is left, and running jobs.

    Args:
        tally: The counts.
        columns: The width of the terminal.
    """
    return Group(_bars(tally, min(BAR_COLUMNS, columns // 4)), *_jobs(tally, columns))


def _bars(tally: Tally, width: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    if tally.left is not None:
        now = tally.clock()
        share, seconds = tally.left.share(now), tally.left.seconds(now)
        words = f"{share:.0%}" + ("" if seconds is None else f", about {duration(seconds)} left")
        bar = ProgressBar(total=1.0, completed=share, width=width)
        table.add_row(Text("all", style="bold"), bar, Text(words, no_wrap=True, overflow="ellipsis"))
    for run in tally.map_runs.values():
        bar = ProgressBar(total=max(run.items, 1), completed=run.done + run.failed, width=width)
        table.add_row(Text(run.label, style="bold"), bar, _counts(run))
    return table


def _memory(job: RunningJob) -> str:
    used = job.usage.memory_mib
    return f"{used:>6,} of {job.memory_mib:,} MiB" if used else f"{'':>6}    {job.memory_mib:,} MiB"


def _counts(run: MapRunTally) -> Text:
    text = Text(f"{run.done} of {run.items} done", no_wrap=True, overflow="ellipsis")
    if run.running:
        text.append(f", {run.running} running")
    if run.failed:
        text.append(f", {run.failed} failed", style="bold red")
    return text


def _jobs(tally: Tally, columns: int) -> list[Text]:
    """Return a line for each running job: its stage and item, its time, and its memory beside its limit."""
    now = tally.clock()
    jobs = list(tally.jobs.values())
    facts = [f"{now - job.started:>5.0f} s  {_memory(job)}" for job in jobs[:SHOWN_JOBS]]
    room = max(6, columns - 4 - max(map(len, facts), default=0))
    names = [printable_line(redact(job.name)) for job in jobs[:SHOWN_JOBS]]
    short = [name if len(name) <= room else f"{name[: room - 1]}…" for name in names]
    width = max(map(len, short), default=0)
    lines = [f"  {name:<{width}}  {fact}".rstrip() for name, fact in zip(short, facts, strict=True)]
    if len(jobs) > SHOWN_JOBS:
        lines.append(f"  and {len(jobs) - SHOWN_JOBS} more jobs")
    return [Text(line, no_wrap=True, overflow="ellipsis") for line in lines]

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
from genomics_pipeline.report.time_left import TimeRange

BAR_COLUMNS = 30
SHOWN_JOBS = 10
WITH_SPEED = 72  # columns from which on running jobs have their speeds
SHORTEST = 3  # letters of the name of a stage, where that is cut
REFRESH_HZ = 4
WIDE_RANGE = 1.6  # the longest time over the shortest one from which on a range is shown


def open_live(view: Callable[[], RenderableType]) -> Live | None:
    """Return a live display on standard error; it disappears when it is stopped, and lines printed above it stay.

    None on a terminal that cannot move its cursor (``TERM=dumb``), on which nothing of it would be seen.

    Args:
        view: Returns the content to show.
    """
    console = open_console(stderr=True)
    if console.is_dumb_terminal:
        return None
    return Live(
        get_renderable=lambda: Printable(view()),  # which does not pass the console's own hook
        console=console,
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
        share = tally.left.share(now)
        words = f"{share:.0%}, {_left(tally.left.seconds(now))}"
        bar = ProgressBar(total=1.0, completed=share, width=width)
        table.add_row(Text("all", style="bold"), bar, Text(words, no_wrap=True, overflow="ellipsis"))
    for run in tally.map_runs.values():
        bar = ProgressBar(total=max(run.items, 1), completed=run.done + run.failed, width=width)
        table.add_row(Text(run.label, style="bold"), bar, _counts(run))
    return table


def _left(left: TimeRange) -> str:
    """Return the time that is left, such as ``about 5 min left``; of what is not known well, as ``4 min to 9 min``."""
    low, high = duration(left.low), duration(left.high)
    if left.high <= WIDE_RANGE * left.low or low == high:
        return f"about {duration(left.middle)} left"
    return f"{low} to {high} left"


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
    """Return a line for each running job: its stage and item, its time, its speed, its memory beside its limit.

    Args:
        tally: The counts.
        columns: The width of the terminal; a narrow one has no room for speeds, then not for whole names.
    """
    jobs = list(tally.jobs.values())
    facts = _facts(tally, jobs[:SHOWN_JOBS], columns)
    room = max(6, columns - 4 - max(map(len, facts), default=0))
    names = [printable_line(redact(job.name)) for job in jobs[:SHOWN_JOBS]]
    short = [_shortened(name, room) for name in names]
    width = max(map(len, short), default=0)
    lines = [f"  {name:<{width}}  {fact}".rstrip() for name, fact in zip(short, facts, strict=True)]
    if len(jobs) > SHOWN_JOBS:
        lines.append(f"  and {len(jobs) - SHOWN_JOBS} more jobs")
    return [Text(line, no_wrap=True, overflow="ellipsis") for line in lines]


def _shortened(name: str, room: int) -> str:
    """Return the name of a job, cut where it is too long: first its stage, since ends of items tell jobs apart.

    Args:
        name: The stage and the item.
        room: The most letters.

    >>> _shortened("variant_calling NA12878", 14), _shortened("variant_calling NA12878", 9), _shortened("qc NA12878", 6)
    ('varia… NA12878', 'NA12878', '…12878')
    """
    if len(name) <= room:
        return name
    stage, _, item = name.partition(" ")
    left = room - len(item) - 2  # an ellipsis and a space
    if item and left >= SHORTEST:
        return f"{stage[:left]}… {item}"
    kept = item or stage
    return kept if len(kept) <= room else f"…{kept[1 - room :]}"


def _facts(tally: Tally, jobs: list[RunningJob], width: int) -> list[str]:
    """Return the facts of jobs, in columns; of shares and speeds only those that a program reports.

    Args:
        tally: The counts.
        jobs: The jobs.
        width: The width of the terminal.
    """
    now = tally.clock()
    columns = [[_share(job) for job in jobs], [_speed(job) for job in jobs]] if width >= WITH_SPEED else []
    widths = [max(map(len, column), default=0) for column in columns]
    facts = []
    for number, job in enumerate(jobs):
        words = [f"{column[number]:>{size}}" for column, size in zip(columns, widths, strict=True) if size]
        facts.append("  ".join([f"{now - job.started:>5.0f} s", *words, _memory(job)]))
    return facts


def _share(job: RunningJob) -> str:
    """Return the share of its work that a program has done, such as ``42%``; empty for none."""
    progress = job.usage.progress
    return "" if progress is None or progress.share is None else f"{progress.share:.0%}"


def _speed(job: RunningJob) -> str:
    """Return the speed that a program reports, such as ``18,400 reads/s``; empty for none."""
    progress = job.usage.progress
    return "" if progress is None or progress.per_second is None else f"{progress.per_second:,.0f} {progress.unit}/s"

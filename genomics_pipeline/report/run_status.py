"""The state of a run as a table, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genomics_pipeline.model.metric_spec import BAD
from genomics_pipeline.model.printable import indented
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.console import open_console
from genomics_pipeline.report.duration import duration, short_duration
from genomics_pipeline.report.ledger import missing_lines
from genomics_pipeline.report.run_state import MapRunState, RunState

BAR_COLUMNS = 30
SHOWN_FAILURES = 10
STYLES = {"SUCCEEDED": "green", "RUNNING": "cyan", "PENDING": "yellow"}
FAILED = "bold red"


def render_status(state: RunState, now: float) -> None:
    """Print the state of a run to standard output.

    Args:
        state: The state.
        now: Seconds since the epoch.
    """
    console = open_console()
    console.print(status_view(state, now, bars=console.is_terminal), soft_wrap=True)


def status_view(state: RunState, now: float, bars: bool = True) -> RenderableType:
    """Return the state as a renderable of rich, which a live display can show repeatedly.

    Args:
        state: The state.
        now: Seconds since the epoch.
        bars: Whether to show progress bars.
    """
    head = Text(f"{state.run}  ")
    head.append(state.status, style=STYLES.get(state.status, FAILED))
    head.append(f"  {state.pipeline}, {duration((state.stopped or now) - state.started)}")
    if state.executions > 1:
        head.append(f"  execution {state.execution}, the newest of {state.executions}")
    return Group(
        head,
        *([Text(f"head: {state.head}")] if state.head else []),
        _stages(state, now, bars),
        *_times(state),
        *_queues(state, now),
        *_checks(state),
        *_failures(state),
        *_ending(state),
    )


def _stages(state: RunState, now: float, bars: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for one in state.map_runs:
        bar = [ProgressBar(total=max(one.total or 1, 1), completed=one.ended, width=BAR_COLUMNS)] if bars else []
        table.add_row(Text(one.label, style="bold"), *bar, _counts(one, now))
    for stage, done in state.cohort:
        table.add_row(Text(stage, style="bold"), *([Text("")] if bars else []), Text("done" if done else "pending"))
    return table


def _counts(one: MapRunState, now: float) -> Text:
    if one.total is None and not one.ended:
        return Text("pending")
    total = "" if one.total is None else f" of {one.total:,}"
    text = Text(f"{one.succeeded:,}{total} done", no_wrap=True)
    for name, count in (("running", one.running), ("pending", one.pending)):
        if count:
            text.append(f", {count:,} {name}")
    if one.failed:
        text.append(f", {one.failed:,} failed", style=FAILED)
    rate, left = one.rate_per_min(now), one.seconds_left(now)
    if one.status == "RUNNING" and rate is not None and left is not None:
        text.append(f"; {rate:,.1f} a minute, {duration(left)} left")
    return text


def _times(state: RunState) -> Iterator[Table]:
    if not state.stages:
        return
    table = Table("stage", "tasks", "time p50", "p95", "memory p50", "p95", box=None, pad_edge=False)
    for one in state.stages:
        times = (short_duration(seconds) for seconds in (one.seconds.p50, one.seconds.p95))
        memory = (f"{mib:,.0f} MiB" for mib in (one.peak_memory_mib.p50, one.peak_memory_mib.p95))
        table.add_row(one.stage, f"{one.tasks:,}", *times, *memory)
    yield table


def _queues(state: RunState, now: float) -> Iterator[Text]:
    for queue in state.queues:
        style = "yellow" if queue.status_reason else ""
        yield from (Text(line, style=style) for line in queue.lines(now))
    if state.queues_problem:
        yield Text(f"queues: {state.queues_problem}", style="yellow")


def _checks(state: RunState) -> Iterator[Text]:
    for one in state.checks:
        style = FAILED if one.verdict == BAD else "yellow"
        yield Text.assemble((f"{one.stage}, {one.metric.replace('_', ' ')}: {one.verdict}: ", style), one.reason)


def _failures(state: RunState) -> Iterator[Text]:
    if not state.failures:
        return
    counts = ", ".join(f"{count:,} {_class_words(name)}" for name, count in state.failures_by_class().most_common())
    yield Text(f"Failures: {counts}", style=FAILED)
    for one in state.failures[:SHOWN_FAILURES]:
        failure = one.failure
        stage = f" ({failure.stage})" if failure.stage else ""
        yield Text(
            f"  {one.item}{stage}: {_class_words(failure.failure_class)}: {failure.message.partition(chr(10))[0]}"
        )
        if one.log_link:
            yield Text(f"    log in the console: {one.log_link}")
    if len(state.failures) > SHOWN_FAILURES:
        yield Text(f"  and {len(state.failures) - SHOWN_FAILURES:,} more")


def _class_words(label: str) -> str:
    return label.replace("_", " ")


def _ending(state: RunState) -> Iterator[Text]:
    if state.error:
        yield Text(f"error: {indented(state.error)}", style=FAILED)
    if state.status == "ABORTED" and "://" not in state.place:
        yield Text(f"continue it: {command_line('rerun', state.place)}")
    if state.failures:
        yield Text(f"logs: {command_line('logs', state.place, '--failed')}")
    yield Text(f"results: {command_line('results', state.place)}")
    for name, link in state.links.items():
        yield Text(f"{name} in the console: {link}")
    if state.missing:
        yield from map(Text, missing_lines(state.missing, state.place, state.status == "SUCCEEDED", state.is_accepted))

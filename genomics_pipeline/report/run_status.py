"""How a run stands, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genomics_pipeline.report.ledger import missing_lines

BAR_COLUMNS = 30
SHOWN_FAILURES = 10
WIDE = 1000  # columns, where no terminal limits them
STYLES = {"SUCCEEDED": "green", "RUNNING": "cyan", "PENDING": "yellow"}
FAILED = "bold red"


def render_status(state: Mapping[str, Any]) -> None:
    """Print a run's state (see `runs.run_state.RunState.to_json`) to standard output."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=WIDE)
    console.print(status_view(state, bars=console.is_terminal), soft_wrap=True)


def status_view(state: Mapping[str, Any], bars: bool = True) -> RenderableType:
    """The same, as something that can be shown again and again."""
    head = Text(f"{state['run']}  ")
    head.append(state["status"], style=STYLES.get(state["status"], FAILED))
    head.append(f"  {state['pipeline']}, {_duration(state['seconds'])}")
    if state["executions"] > 1:
        head.append(f"  execution {state['execution']}, the newest of {state['executions']}")
    return Group(head, _stages(state, bars), *_failures(state), *_ending(state))


def _stages(state: Mapping[str, Any], bars: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for one in state["map_runs"]:
        done = (one["succeeded"] or 0) + (one["failed"] or 0)
        bar = [ProgressBar(total=max(one["total"] or 1, 1), completed=done, width=BAR_COLUMNS)] if bars else []
        table.add_row(Text(one["label"], style="bold"), *bar, _counts(one))
    for stage, done in state["cohort"].items():
        table.add_row(Text(stage, style="bold"), *([Text("")] if bars else []), Text(done))
    return table


def _counts(one: Mapping[str, Any]) -> Text:
    if one["total"] is None:
        return Text("pending")
    text = Text(f"{one['succeeded']:,} of {one['total']:,} done", no_wrap=True)
    for name in ("running", "pending"):
        if one[name]:
            text.append(f", {one[name]:,} {name}")
    if one["failed"]:
        text.append(f", {one['failed']:,} failed", style=FAILED)
    if one["status"] == "RUNNING" and one["seconds_left"] is not None:
        text.append(f"; {one['items_per_min']:,.1f} a minute, {_duration(one['seconds_left'])} left")
    return text


def _failures(state: Mapping[str, Any]) -> Iterator[Text]:
    classes, items = state["failures"]["by_class"], state["failures"]["items"]
    if not items:
        return
    counted = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in classes.items())
    yield Text(f"Failures: {counted}", style=FAILED)
    for one in items[:SHOWN_FAILURES]:
        stage = f" ({one['stage']})" if one["stage"] else ""
        yield Text(f"  {one['item']}{stage}: {one['class'].replace('_', ' ')}: {one['message'].splitlines()[0]}")
    if len(items) > SHOWN_FAILURES:
        yield Text(f"  and {len(items) - SHOWN_FAILURES:,} more")


def _ending(state: Mapping[str, Any]) -> Iterator[Text]:
    if state.get("error"):
        yield Text(f"error: {state['error']}", style=FAILED)
    if state["status"] == "ABORTED" and "://" not in state["place"]:
        if state["executions"] > 1:
            yield Text(f"it goes on with: genomics-pipeline rerun {state['place']}")
        else:
            yield Text("the command that began it goes on with --resume")
    if state["failures"]["items"]:
        yield Text(f"logs: genomics-pipeline logs {state['place']} --failed")
    yield Text(f"results: genomics-pipeline results {state['place']}")
    if "missing" in state:
        yield from map(Text, missing_lines(state["missing"], state["place"]))


def _duration(seconds: float) -> str:
    """Seconds for people.

    >>> _duration(59.4), _duration(3700), _duration(200000)
    ('59 s', '1 h 01 min', '2 d 7 h')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"

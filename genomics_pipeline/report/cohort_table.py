"""The table of a run: one row a sample, then the cohort, then how the run went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genomics_pipeline.report.ledger import missing_lines

LOW_DEPTH = 10
NOTHING = "–"
WIDE = 1000  # columns, where no terminal limits them
STYLES = {"done": "green", "reused": "cyan", "FAILED": "bold red", "pending": "yellow"}
STATES = {"SUCCEEDED": "done", "FAILED": "FAILED", "PENDING": "pending"}


def render_table(summary: Mapping[str, Any]) -> None:
    """Print a run's summary (see `runs.local.run.run`) to standard output."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=WIDE)
    console.print(_samples(summary["samples"]))
    for line in [*_failures(summary), *_cohort(summary["cohort"]), *_ending(summary)]:
        console.print(line, soft_wrap=True)


def _samples(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Sample", overflow="fold", min_width=10)
    table.add_column("State", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row["sample"], _state(row), *(show(row) for show in COLUMNS.values()))
    return table


def _state(row: Mapping[str, Any]) -> Text:
    state = STATES.get(row["state"], row["state"])
    if row["reused"] and state == "done":
        state = "reused"
    return Text(state, style=STYLES.get(state, ""))


def _metric(row: Mapping[str, Any], name: str) -> Any:
    """Return a metric by name, from whichever stage measured it; None where none did."""
    stages = (stage for stage in row["metrics"].values() if isinstance(stage, Mapping))
    return next((stage[name] for stage in stages if stage.get(name) is not None), None)


def _number(value: Any, form: str = ",", factor: float = 1) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOTHING if value is None else str(value)
    return format(value * factor if factor != 1 else value, form)


def _depth(row: Mapping[str, Any]) -> Text:
    depth = _metric(row, "mean_depth")
    low = isinstance(depth, int | float) and depth < LOW_DEPTH
    return Text(_number(depth, ".1f") + (" LOW" if low else ""), style="bold yellow" if low else "")


COLUMNS: Mapping[str, Callable[[Mapping[str, Any]], str | Text]] = {
    "Reads": lambda row: _number(_metric(row, "reads")),
    "Mapped %": lambda row: _number(_metric(row, "mapped_fraction"), ".2f", 100),
    "Dup. %": lambda row: _number(_metric(row, "duplicate_fraction"), ".2f", 100),
    "Depth": _depth,
    "Variants": lambda row: _number(_metric(row, "variants")),
    "Seconds": lambda row: _number(row["seconds"], ".1f"),
}


def _failures(summary: Mapping[str, Any]) -> Iterator[Text]:
    """Yield the message of every failed sample, in full."""
    failed = [row for row in summary["samples"] if "error" in row]
    if failed:
        yield Text()
    for row in failed:
        yield Text.assemble((f"{row['sample']} failed: ", "bold red"), row["error"])


def _cohort(cohort: Mapping[str, Any]) -> Iterator[Text]:
    files = {name: path for name, path in cohort["files"].items() if not name.endswith(".metrics")}
    joint = {name: path for name, path in files.items() if name.endswith(".vcf")}
    for name, path in (joint or files).items():
        yield Text(f"\n{'Joint VCF' if len(joint) == 1 else name}", style="bold")
        yield Text(path)
    if (variants := _metric(cohort, "variants")) is not None:
        split = f"{_number(_metric(cohort, 'snps'))} SNPs, {_number(_metric(cohort, 'indels'))} indels"
        yield Text(f"{_number(variants)} variants ({split}), Ti/Tv {_number(_metric(cohort, 'ti_tv'), '.2f')}")
    if cohort["truth"]:
        yield Text("\nAgreement with truth", style="bold")
        yield Text(_agreement("SNPs", cohort["truth"]["snp"]))
        yield Text(_agreement("Indels", cohort["truth"]["indel"]))


def _agreement(name: str, counts: Mapping[str, Any]) -> str:
    sensitivity, precision = (_percent(counts[ratio]) for ratio in ("sensitivity", "precision"))
    of = f"{counts['found']:,} of {counts['truth']:,} found, {counts['calls']:,} called"
    return f"{name:<6}  sensitivity {sensitivity}  precision {precision}  ({of})"


def _percent(ratio: float | None) -> str:
    return (NOTHING if ratio is None else format(ratio, ".2%")).rjust(len("100.00%"))


def _ending(summary: Mapping[str, Any]) -> Iterator[Text]:
    yield Text("\nRun folder", style="bold")
    yield Text(summary["run"])
    yield Text()
    if "error" in summary:
        yield Text.assemble(("run failed: ", "bold red"), summary["error"])
    steps = summary["steps"]
    yield Text(f"{_count(steps['run'], 'step')} ran, {steps['reused']:,} reused, {summary['seconds']:.1f} s")
    if "missing" in summary:
        yield from map(Text, missing_lines(summary["missing"], summary["run"]))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

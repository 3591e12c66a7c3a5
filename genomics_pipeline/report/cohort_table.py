"""The table of a run: a row for each sample, then the cohort, the failures and the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from genomics_pipeline.model.printable import indented
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.concordance import Agreement
from genomics_pipeline.report.console import open_console
from genomics_pipeline.report.ledger import missing_lines
from genomics_pipeline.report.run_summary import CohortOutcome, RunSummary, SampleOutcome

LOW_DEPTH = 10
NOTHING = "–"
STYLES = {"done": "green", "reused": "cyan", "FAILED": "bold red", "pending": "yellow"}
STATES = {"SUCCEEDED": "done", "FAILED": "FAILED", "PENDING": "pending"}


def render_table(summary: RunSummary) -> None:
    """Print the summary of a run to standard output."""
    console = open_console()
    console.print(_samples(summary.samples))
    for line in [*_failures(summary.samples), *_cohort(summary.cohort), *_ending(summary)]:
        console.print(line, soft_wrap=True)


def _samples(samples: Sequence[SampleOutcome]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Sample", overflow="fold", min_width=10)
    table.add_column("State", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for sample in samples:
        table.add_row(sample.sample, _state(sample), *(cell(sample) for cell in COLUMNS.values()))
    return table


def _state(sample: SampleOutcome) -> Text:
    state = STATES.get(sample.state, sample.state)
    if sample.reused and state == "done":
        state = "reused"
    return Text(state, style=STYLES.get(state, ""))


def _metric(outcome: SampleOutcome | CohortOutcome, name: str) -> Any:
    """Return a metric by name, from the first stage that measured it; None where none did."""
    stages = (stage for stage in outcome.metrics.values() if isinstance(stage, Mapping))
    return next((stage[name] for stage in stages if stage.get(name) is not None), None)


def _number(value: Any, form: str = ",", factor: float = 1) -> str:
    """Return a metric as text; a user's step may measure anything under a name of ours.

    Args:
        value: The metric; None where it was not measured.
        form: The format of a number.
        factor: The factor by which a number is multiplied, such as 100 for a percentage.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOTHING if value is None else str(value)
    return format(value * factor if factor != 1 else value, form)


def _counted(value: Any, noun: str) -> str:
    """Return a metric that is a number of things with their noun."""
    return f"{_number(value)} {noun}{'' if value == 1 else 's'}"


def _depth(sample: SampleOutcome) -> Text:
    depth = _metric(sample, "mean_depth")
    low = isinstance(depth, int | float) and depth < LOW_DEPTH
    return Text(_number(depth, ".1f") + (" LOW" if low else ""), style="bold yellow" if low else "")


COLUMNS: Mapping[str, Callable[[SampleOutcome], str | Text]] = {
    "Reads": lambda sample: _number(_metric(sample, "reads")),
    "Mapped %": lambda sample: _number(_metric(sample, "mapped_fraction"), ".2f", 100),
    "Dup. %": lambda sample: _number(_metric(sample, "duplicate_fraction"), ".2f", 100),
    "Depth": _depth,
    "Variants": lambda sample: _number(_metric(sample, "variants")),
    "Seconds": lambda sample: _number(sample.seconds, ".1f"),
}


def _failures(samples: Sequence[SampleOutcome]) -> Iterator[Text]:
    """Yield the message of every failed sample, in full."""
    failed = [sample for sample in samples if sample.error is not None]
    if failed:
        yield Text()
    for sample in failed:
        yield Text.assemble((f"{sample.sample} failed: ", "bold red"), indented(sample.error or ""))


def _cohort(cohort: CohortOutcome) -> Iterator[Text]:
    files = {name: path for name, path in cohort.files.items() if not name.endswith(".metrics")}
    joint = {name: path for name, path in files.items() if name.endswith(".vcf")}
    for name, path in (joint or files).items():
        yield Text(f"\n{'Joint VCF' if len(joint) == 1 else name}", style="bold")
        yield Text(path)
    if (variants := _metric(cohort, "variants")) is not None:
        split = f"{_counted(_metric(cohort, 'snps'), 'SNP')}, {_counted(_metric(cohort, 'indels'), 'indel')}"
        yield Text(f"{_counted(variants, 'variant')} ({split}), Ti/Tv {_number(_metric(cohort, 'ti_tv'), '.2f')}")
    if cohort.truth:
        yield Text("\nAgreement with truth", style="bold")
        yield Text(_agreement("SNPs", cohort.truth.snp))
        yield Text(_agreement("Indels", cohort.truth.indel))
    if cohort.truth_error is not None:
        yield Text.assemble(("\nnot compared with truth: ", "bold red"), cohort.truth_error)


def _agreement(name: str, agreement: Agreement) -> str:
    ratios = f"sensitivity {_percent(agreement.sensitivity)}  precision {_percent(agreement.precision)}"
    counts = f"{agreement.found:,} of {agreement.truth:,} found, {agreement.calls:,} called"
    return f"{name:<6}  {ratios}  ({counts})"


def _percent(ratio: float | None) -> str:
    return (NOTHING if ratio is None else format(ratio, ".2%")).rjust(len("100.00%"))


def _ending(summary: RunSummary) -> Iterator[Text]:
    yield Text("\nRun folder", style="bold")
    yield Text(summary.run)
    yield Text()
    if summary.error is not None:
        yield Text.assemble(("run failed: ", "bold red"), indented(summary.error))
    yield Text(f"{quantity(summary.ran, 'step', ',')} ran, {summary.reused:,} reused, {summary.seconds:.1f} s")
    if summary.missing:
        succeeded, accepted = summary.status == "SUCCEEDED", summary.is_accepted
        yield from map(Text, missing_lines(summary.missing, summary.run, succeeded, accepted))

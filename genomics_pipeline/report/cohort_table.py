"""The table of a run: a row for each sample, then the cohort, the failures and the end of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from genomics_pipeline.model.metric_spec import NOTHING
from genomics_pipeline.model.printable import indented
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.report.concordance import Agreement
from genomics_pipeline.report.console import open_console
from genomics_pipeline.report.ledger import missing_lines
from genomics_pipeline.report.metric_columns import cohort_metrics, metric_cell, reasons, sample_columns
from genomics_pipeline.report.run_summary import Outcomes, RunSummary, SampleOutcome

STYLES = {"done": "green", "reused": "cyan", "FAILED": "bold red", "pending": "yellow"}
STATES = {"SUCCEEDED": "done", "FAILED": "FAILED", "PENDING": "pending"}


def render_table(summary: RunSummary) -> None:
    """Print the summary of a run to standard output."""
    console = open_console()
    if summary.samples:
        console.print(_samples(summary))
    for line in [*_reasons(summary), *_failures(summary.samples), *_cohort(summary), *_ending(summary)]:
        console.print(line, soft_wrap=True)


def render_outcomes(outcomes: Outcomes) -> None:
    """Print the table of a run to standard output below its state, which has the failures."""
    console = open_console()
    console.print()
    if outcomes.samples:
        console.print(_samples(outcomes))
    for line in [*_reasons(outcomes), *cohort_metrics(outcomes)]:
        console.print(line, soft_wrap=True)


def _samples(summary: Outcomes) -> Table:
    columns = sample_columns(summary)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Sample", overflow="fold", min_width=10)
    table.add_column("State", no_wrap=True)
    for name in [*(column.heading for column in columns), "Seconds"]:
        table.add_column(name, justify="right", no_wrap=True)
    for sample in summary.samples:
        cells = (metric_cell(column.stage, column.spec, sample) for column in columns)
        table.add_row(sample.sample, _state(sample), *cells, f"{sample.seconds:.1f}")
    return table


def _state(sample: SampleOutcome) -> Text:
    state = STATES.get(sample.state, sample.state)
    if sample.reused and state == "done":
        state = "reused"
    return Text(state, style=STYLES.get(state, ""))


def _reasons(summary: Outcomes) -> Iterator[Text]:
    """Yield the reasons for verdicts, below an empty line."""
    lines = list(reasons(summary))
    return iter([Text(), *lines] if lines else [])


def _failures(samples: Sequence[SampleOutcome]) -> Iterator[Text]:
    """Yield the message of every failed sample, in full."""
    failed = [sample for sample in samples if sample.error is not None]
    if failed:
        yield Text()
    for sample in failed:
        yield Text.assemble((f"{sample.sample} failed: ", "bold red"), indented(sample.error or ""))


def _cohort(summary: Outcomes) -> Iterator[Text]:
    cohort = summary.cohort
    files = {name: path for name, path in cohort.files.items() if not name.endswith(f".{METRICS}")}
    joint = {name: path for name, path in files.items() if name.endswith(".vcf")}
    for name, path in (joint or files).items():
        yield Text(f"\n{'Joint VCF' if len(joint) == 1 else name}", style="bold")
        yield Text(path)
    yield from cohort_metrics(summary)
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

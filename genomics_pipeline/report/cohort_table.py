"""The table of a run: a row for each sample, then the cohort, the failures and the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.metric_spec import BAD, NOTHING, WARN
from genomics_pipeline.model.printable import indented
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.concordance import Agreement
from genomics_pipeline.report.console import open_console
from genomics_pipeline.report.ledger import missing_lines
from genomics_pipeline.report.metric_columns import cohort_metrics, metric_cell, reasons, sample_columns
from genomics_pipeline.report.run_summary import Outcomes, RunSummary, SampleOutcome

STYLES = {"done": "green", "reused": "cyan", "FAILED": "bold red", "pending": "yellow"}
MOST, WORST = 40, 20  # samples: the most that are all shown, and how many are shown of more
NAME, GAP = 24, 2  # columns of a terminal: that names of samples have at least, if they need them; between two columns
STATES = {"SUCCEEDED": "done", "FAILED": "FAILED", "PENDING": "pending"}


def render_table(summary: RunSummary) -> None:
    """Print the summary of a run to standard output; of a large cohort the samples to look at first."""
    console = open_console()
    shown = replace(summary, samples=worst_samples(summary.samples))
    table = _print_samples(console, shown)
    rest = _rest(summary.samples, shown.samples, summary.run)
    for line in [*table, *rest, *_reasons(shown), *_failures(shown.samples), *_cohort(shown), *_ending(shown)]:
        console.print(line, soft_wrap=True)


def render_outcomes(outcomes: Outcomes, place: str, *, whole: bool) -> None:
    """Print the table of a run to standard output below its state, which has the failures.

    Args:
        outcomes: The outcomes of the run.
        place: The folder or URI of the run.
        whole: Whether to print all samples of a large cohort, too.
    """
    console = open_console()
    console.print()
    shown = outcomes if whole else replace(outcomes, samples=worst_samples(outcomes.samples))
    table = _print_samples(console, shown)
    rest = _rest(outcomes.samples, shown.samples, place)
    for line in [*table, *rest, *_reasons(shown), *cohort_metrics(shown)]:
        console.print(line, soft_wrap=True)


def worst_samples(samples: Sequence[SampleOutcome]) -> Sequence[SampleOutcome]:
    """Return the samples that fit a screen: all, or those to look at first.

    These are samples that failed, then those with most bad verdicts, then with most warnings, then those not done.
    """
    return samples if len(samples) <= MOST else sorted(samples, key=_rank)[:WORST]


def _rank(sample: SampleOutcome) -> tuple[bool, int, int, bool]:
    counts = Counter(verdict for verdicts in sample.verdicts.values() for verdict in verdicts.values())
    return sample.state != "FAILED", -counts[BAD], -counts[WARN], sample.state != "PENDING"


def _rest(samples: Sequence[SampleOutcome], shown: Sequence[SampleOutcome], place: str) -> Iterator[Text]:
    """Yield how many samples the table leaves out, by state, and how to list them."""
    if len(shown) < len(samples):
        counts = Counter(map(_state_words, samples))
        counts.subtract(map(_state_words, shown))
        parts = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
        yield Text(f"and {quantity(len(samples) - len(shown), 'more sample', ',')}: {parts}")
        yield Text(f"all of them: {command_line('status', place, '--table')}")


def _print_samples(console: Console, outcomes: Outcomes) -> Sequence[Text]:
    """Print a row for each sample, with as many columns as the terminal has room for; return a line on the others.

    Args:
        console: The console.
        outcomes: The outcomes of the samples, which may be none.
    """
    if not outcomes.samples:
        return []
    columns = sample_columns(outcomes)
    heads = ["Sample", "State", *(column.heading for column in columns), "Seconds"]
    rows = [
        [
            Text(one.sample),
            _state(one),
            *(metric_cell(column.stage, column.spec, one) for column in columns),
            Text(f"{one.seconds:.1f}"),
        ]
        for one in outcomes.samples
    ]
    widths = [max(cell.cell_len for cell in column) for column in zip(map(Text, heads), *rows, strict=True)]
    fitting = _fitting([min(widths[0], NAME), *widths[1:]], console.width)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    table.add_column("Sample", overflow="fold", min_width=10)
    table.add_column("State", no_wrap=True)
    for head in heads[2:fitting]:
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row[:fitting])
    console.print(table)
    left_out = ", ".join(heads[fitting:])
    return [Text(f"not shown, since the terminal is too narrow: {left_out}")] if left_out else []


def _fitting(widths: Sequence[int], room: int) -> int:
    """Return how many columns fit into a terminal, at least the names and the states of the samples.

    Args:
        widths: The width of each column.
        room: The width of the terminal.

    >>> _fitting([7, 5, 5, 7], 24), _fitting([7, 5, 5, 7], 10)
    (3, 2)
    """
    ends = accumulate(width + GAP for width in widths)
    return max(2, sum(1 for end in ends if end - GAP <= room))


def _state_words(sample: SampleOutcome) -> str:
    state = STATES.get(sample.state, sample.state)
    return "reused" if sample.reused and state == "done" else state


def _state(sample: SampleOutcome) -> Text:
    state = _state_words(sample)
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
    yield Text(f"report: {summary.run}/{run_layout.REPORT}")
    if summary.missing:
        succeeded, accepted = summary.status == "SUCCEEDED", summary.is_accepted
        yield from map(Text, missing_lines(summary.missing, summary.run, succeeded, accepted))

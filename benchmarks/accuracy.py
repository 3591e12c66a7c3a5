"""Accuracy on real reads: each set at each depth, each aligner, single and joint calls, beside other callers.

Rates of mapped and properly paired reads, and the F1 of SNPs and indels: the median over the seeds of downsampling,
and in parentheses their range. Where full depth is among the depths, the F1 "without doubt" leaves out calls of
alleles that truth lacks, but direct calling of all reads has in the same sample. Then how often joint genotypes agree
with direct calling of all alignments at once, and how many sites of a trio are as inherited; and which goals are
missed: then the exit code is 1.
Plain bcftools and, where it is on the PATH, freebayes call the same alignments. Where bwa, samtools and bcftools are
on the PATH, a chain of them is a further aligner.
Downsampled and simulated reads are kept in the folder of the option ``--cache``, and what was measured in the file of
``--rows``: with ``--tables`` in place of sets, one table is printed of what several such runs measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

import click

from benchmarks.accuracy_calls import NATIVE, Called, has_native_tools, plain_reference, run_native, run_pipeline
from benchmarks.accuracy_imputation import imputing
from benchmarks.accuracy_scores import Truth, alignment_rates, mean_depths
from benchmarks.accuracy_tables import (
    ALL_ALLELES,
    DIRECT,
    JOINT,
    Row,
    counts_table,
    figures_table,
    goal_lines,
    goals,
    grouped,
)
from benchmarks.agreement import genotype_counts
from benchmarks.direct_calls import call_all_alleles, call_directly
from benchmarks.family import NAME as FAMILY
from benchmarks.family import simulated_family
from benchmarks.freebayes import add_freebayes_calls
from benchmarks.real_sets import DATA, FULL, SETS, Reads, RealSet, downsampled

ROOT = Path(__file__).resolve().parents[1]
DEPTHS = (FULL, "15", "10", "8", "5")


def shipped_aligners() -> list[str]:
    """Return the values of alignment's parameter `aligner`; one empty value if it has none."""
    parameters = tomllib.loads((ROOT / "steps" / "alignment" / "step.toml").read_text())["parameters"]
    return list(parameters.get("aligner", {}).get("choices", [""]))


def ways(aligners: Sequence[str], parameters: Sequence[str]) -> list[Callable[[Reads, Path], Called]]:
    """Return a function for each aligner, from reads and a folder to calls."""

    def way(aligner: str) -> Callable[[Reads, Path], Called]:
        if aligner == NATIVE:
            return run_native
        return lambda reads, folder: run_pipeline(reads, aligner, parameters, folder)

    return [way(aligner) for aligner in aligners]


def score(reads: Reads, called: Called, truth: Truth | None, reference: Path) -> Iterable[Row]:
    """Yield a row for each way of calling."""
    rates = alignment_rates(called.alignments)
    if truth and reads.depth == FULL and DIRECT in called.calls:
        truth.doubt(called.calls[DIRECT])
    counts = genotype_counts(called.calls, reference) if JOINT in called.calls else {}
    for name, calls in called.calls.items():
        figures = {**rates, **(truth.f1(calls) if truth else {})}
        place = reads.set.name, reads.depth, called.aligner, name, reads.seed
        yield Row(*place, figures, counts.get(name, {}))


def full_depths(real: RealSet) -> dict[str, float]:
    """Return the mean depth of each sample of a set, aligned by the first aligner."""
    with tempfile.TemporaryDirectory() as name:
        called = run_pipeline(Reads(real, FULL, 0, real.reads), shipped_aligners()[0], [], Path(name))
        return mean_depths(called.alignments)


def add_other_calls(called: Called, real: RealSet, reference: Path, folder: Path) -> None:
    """Add what the calls of a run of ours are compared with: direct calling, and freebayes."""
    alignments = list(called.alignments.values())
    if JOINT in called.calls and len(alignments) > 1:
        for name, call in ((DIRECT, call_directly), (ALL_ALLELES, call_all_alleles)):
            called.calls[name] = dict.fromkeys(called.alignments, call(alignments, reference, real.ploidy, folder))
    add_freebayes_calls(called, real, folder)


def measure_set(
    real: RealSet, depths: Sequence[str], seeds: int, cache: Path, runs: Sequence[Callable[[Reads, Path], Called]]
) -> Iterable[Row]:
    """Yield the rows of a set, and report each run.

    Args:
        real: The set.
        depths: The depths.
        seeds: The number of seeds.
        cache: The folder of downsampled reads.
        runs: Functions from reads and a new folder to calls.
    """
    with tempfile.TemporaryDirectory() as above:
        reference = plain_reference(real, Path(above))
        truth = Truth(real, reference) if real.truth else None
        imputation = imputing(real, Path(above))
        for reads in downsampled(real, depths, seeds, cache, full_depths):
            for run in [*runs, *imputation]:
                started = time.perf_counter()
                with tempfile.TemporaryDirectory() as folder:
                    called = run(reads, Path(folder))
                    if run in runs:
                        add_other_calls(called, real, reference, Path(folder))
                    yield from score(reads, called, truth, reference)
                seconds = time.perf_counter() - started
                print(f"{reads.title}, {called.aligner}: {seconds:.1f} s", file=sys.stderr, flush=True)


def print_table(cells: Sequence[Sequence[str]]) -> None:
    """Print cells in columns."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@click.command(help=__doc__)
@click.option("--set", "sets", multiple=True, type=click.Choice([*SETS, FAMILY]), help="A set; all by default.")
@click.option("--depth", "depths", multiple=True, default=DEPTHS, show_default=True, help=f"{FULL}, or a number.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Number of seeds of downsampling.")
@click.option("--aligner", "aligners", multiple=True, help=f"An aligner of the step, or '{NATIVE}'; all by default.")
@click.option("--param", "parameters", multiple=True, metavar="STAGE.NAME=VALUE", help="A parameter of our runs.")
@click.option("--cache", default=ROOT / "build" / "accuracy", type=click.Path(path_type=Path), help="Its folder.")
@click.option("--rows", "rows_file", type=click.Path(path_type=Path), help="Append all figures to this file as JSON.")
@click.option("--tables", "measured", multiple=True, type=click.Path(path_type=Path, exists=True), help="Such a file.")
def main(
    sets: Sequence[str],
    depths: Sequence[str],
    seeds: int,
    aligners: Sequence[str],
    parameters: Sequence[str],
    cache: Path,
    rows_file: Path | None,
    measured: Sequence[Path],
) -> None:
    """Print the tables and the goals."""
    if measured:
        report([Row(**json.loads(line)) for file in measured for line in file.read_text().splitlines()])
        return
    if not DATA.is_dir():
        print(f"SKIPPED accuracy: not on this machine: {DATA}")
        return
    aligners = aligners or [*shipped_aligners(), *([NATIVE] if has_native_tools() else [])]
    runs = ways(aligners, parameters)
    chosen = [simulated_family(cache) if name == FAMILY else SETS[name] for name in sets or [*SETS, FAMILY]]
    try:
        report(
            list(kept(chain.from_iterable(measure_set(one, depths, seeds, cache, runs) for one in chosen), rows_file))
        )
    except subprocess.CalledProcessError as error:
        raise click.ClickException(f"{error}\n{error.stderr}") from None


def kept(rows: Iterable[Row], file: Path | None) -> Iterable[Row]:
    """Yield rows, each appended to a file, if there is one, as soon as it was measured."""
    for row in rows:
        if file:
            with file.open("a") as out:
                out.write(json.dumps(row._asdict()) + "\n")
        yield row


def report(rows: Sequence[Row]) -> None:
    """Print the tables and the goals of all rows, and exit with 1 if a goal is missed."""
    groups = grouped(rows)
    for table in (figures_table(groups), counts_table(groups)):
        if len(table) > 1:
            print_table(table)
            print()
    found = list(goals(groups))
    print("\n".join(goal_lines(found)))
    if not all(goal.holds for goal in found):
        sys.exit(1)


if __name__ == "__main__":
    main()

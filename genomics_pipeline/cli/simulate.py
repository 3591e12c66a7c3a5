"""`genomics-pipeline simulate`: simulate a cohort, or card transactions, with known truth."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from genomics_pipeline.cli.options import FiniteRange, LocalPath
from genomics_pipeline.report.output import echo_json, echo_line

OF_TRANSACTIONS = ("files", "accounts", "every")  # options that need --transactions
OF_COHORTS = ("samples", "length_bp", "depth", "with_sexes")  # options that it excludes


@click.command(short_help="Simulate a small cohort of reads, or card transactions, with known truth.")
@click.option("--out", required=True, type=LocalPath("folder"), help="Create the simulation in this new folder.")
@click.option("--samples", default=6, show_default=True, type=click.IntRange(1, 100_000), help="Number of samples.")
@click.option(
    "--length",
    "length_bp",
    default=100_000,
    show_default=True,
    type=click.IntRange(5_000, 100_000_000),
    help="Total length of the reference in bp.",
)
@click.option(
    "--depth", default=30, show_default=True, type=click.IntRange(1, 1_000), help="Mean read depth of each sample."
)
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Seed; the same seed gives the same bytes."
)
@click.option("--sexes", "with_sexes", is_flag=True, help="Add chrX, chrY and chrM, and ploidy.txt for them.")
@click.option(
    "--transactions",
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    help="Simulate card transactions instead of a cohort: N in each file.",
)
@click.option("--files", default=1, show_default=True, type=click.IntRange(1, 100_000), help="Files of transactions.")
@click.option(
    "--accounts", default=5_000, show_default=True, type=click.IntRange(1, 1_000_000), help="Accounts that pay."
)
@click.option(
    "--every",
    type=FiniteRange(0.01, 3600),
    metavar="SECONDS",
    help="Let a file of transactions appear each time this long has passed, complete at once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a summary as one JSON object.")
@click.pass_context
def simulate(
    context: click.Context,
    out: Path,
    samples: int,
    length_bp: int,
    depth: int,
    seed: int,
    with_sexes: bool,
    transactions: int | None,
    files: int,
    accounts: int,
    every: float | None,
    as_json: bool,
) -> None:
    """Simulate a cohort: reference.fa, paired FASTQ files, cohort.csv (the sample sheet) and truth.vcf.gz.

    With --transactions, simulate the card payments of accounts with four patterns of fraud: transactions/ with JSON
    Lines, profiles.json with the statistics of each account, and truth.jsonl with the fraudulent ones.

    \b
    Examples:
      genomics-pipeline simulate --out demo/cohort
      genomics-pipeline simulate --out big --samples 100 --length 1000000 --depth 40 --seed 7
      genomics-pipeline simulate --out sexes --sexes
      genomics-pipeline simulate --out payments --transactions 278 --files 600 --every 1
    """
    _refuse_others(context, transactions is not None)
    if transactions is not None:
        _simulate_transactions(out, transactions, files, accounts, seed, every, as_json)
        return
    from genomics_pipeline.simulation.cohort import simulate as simulate_cohort

    cohort = simulate_cohort(out, samples=samples, length_bp=length_bp, depth=depth, seed=seed, with_sexes=with_sexes)
    if as_json:
        echo_json(cohort.to_json())
        return
    echo_line(f"samples: {samples}, variants: {cohort.variants:,}, read pairs: {cohort.read_pairs:,}")
    echo_line(f"sample sheet: {out / 'cohort.csv'}")
    if with_sexes:
        echo_line(f"ploidy: --param variant_calling.ploidy_file={out / 'ploidy.txt'}")


def _refuse_others(context: click.Context, of_transactions: bool) -> None:
    """Refuse options that the simulation does not have.

    Raises:
        UsageError: for such an option.
    """
    from genomics_pipeline.model.errors import UsageError

    for option in context.command.params:
        name = option.name or ""
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            if of_transactions and name in OF_COHORTS:
                raise UsageError(f"{option.opts[0]}: expected no option of a cohort with --transactions")
            if not of_transactions and name in OF_TRANSACTIONS:
                raise UsageError(f"{option.opts[0]}: expected --transactions N with it, since a cohort has none")


def _simulate_transactions(
    out: Path, records: int, files: int, accounts: int, seed: int, every: float | None, as_json: bool
) -> None:
    """Simulate transactions and say where they are.

    Args:
        out: The folder.
        records: The transactions of each file.
        files: The number of files.
        accounts: The number of accounts.
        seed: The seed.
        every: The seconds from one file to the next; None for all at once.
        as_json: Whether to print JSON.
    """
    import time

    from genomics_pipeline.simulation.transactions.folder import ARRIVED, PROFILES, deliver, simulate_transactions

    made = simulate_transactions(
        out, records=records, files=files, accounts=accounts, seed=seed, waiting=every is not None
    )
    if every is not None:
        echo_line(f"{made.folder / ARRIVED}: a file each {every:g} s", err=True)
        for _ in deliver(made.folder, every, time.sleep, time.monotonic):
            pass
    if as_json:
        echo_json(made.to_json())
        return
    echo_line(f"transactions: {made.records:,} in {made.files:,} files, fraudulent: {made.fraudulent:,}")
    echo_line(f"profiles: --param transactions.profiles={out / PROFILES}")

"""`genomics-pipeline simulate`: simulate a cohort with known truth."""

from __future__ import annotations

from pathlib import Path

import click

from genomics_pipeline.cli.options import LocalPath
from genomics_pipeline.report.output import echo_json, echo_line


@click.command(short_help="Simulate a small cohort of reads with known variants.")
@click.option("--out", required=True, type=LocalPath("folder"), help="Create the cohort in this new folder.")
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
@click.option("--json", "as_json", is_flag=True, help="Print a summary as one JSON object.")
def simulate(out: Path, samples: int, length_bp: int, depth: int, seed: int, with_sexes: bool, as_json: bool) -> None:
    """Simulate a cohort: reference.fa, paired FASTQ files, cohort.csv (the sample sheet) and truth.vcf.gz.

    \b
    Examples:
      genomics-pipeline simulate --out demo/cohort
      genomics-pipeline simulate --out big --samples 100 --length 1000000 --depth 40 --seed 7
      genomics-pipeline simulate --out sexes --sexes
    """
    from genomics_pipeline.simulation.cohort import simulate as simulate_cohort

    cohort = simulate_cohort(out, samples=samples, length_bp=length_bp, depth=depth, seed=seed, with_sexes=with_sexes)
    if as_json:
        echo_json(cohort.to_json())
        return
    echo_line(f"samples: {samples}, variants: {cohort.variants:,}, read pairs: {cohort.read_pairs:,}")
    echo_line(f"sample sheet: {out / 'cohort.csv'}")
    if with_sexes:
        echo_line(f"ploidy: --param variant_calling.ploidy_file={out / 'ploidy.txt'}")

"""`genomics-pipeline simulate`: a cohort with known truth."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Make a small cohort of reads with known variants.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for the cohort.")
@click.option("--samples", default=6, show_default=True, type=click.IntRange(1, 100_000), help="How many samples.")
@click.option(
    "--length",
    "length_bp",
    default=100_000,
    show_default=True,
    type=click.IntRange(5_000, 100_000_000),
    help="Length of the reference in bp, all contigs together.",
)
@click.option("--depth", default=30, show_default=True, type=click.IntRange(1, 1_000), help="Mean depth of a sample.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="The same seed, the same bytes.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as one JSON object.")
def simulate(out: Path, samples: int, length_bp: int, depth: int, seed: int, as_json: bool) -> None:
    """Make a diploid cohort: reference.fa, paired FASTQ files, cohort.csv (the sample sheet) and truth.vcf.gz.

    \b
    Examples:
      genomics-pipeline simulate --out demo/cohort
      genomics-pipeline simulate --out big --samples 100 --length 1000000 --depth 40 --seed 7
    """
    from genomics_pipeline.simulation.cohort import simulate as make

    cohort = make(out, samples=samples, length_bp=length_bp, depth=depth, seed=seed)
    if as_json:
        click.echo(json.dumps(cohort.to_json(), indent=2))
        return
    click.echo(f"samples: {samples}, variants: {cohort.variants:,}, read pairs: {cohort.read_pairs:,}")
    click.echo(f"sample sheet: {out / 'cohort.csv'}")

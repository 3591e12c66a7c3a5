"""`genomics-pipeline index`: build the indexes of a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.completion import complete_files, complete_genomes
from genomics_pipeline.cli.options import chosen_reference
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.reference.place_indexes import PlacedIndex

KINDS = ("fai", "dict", "gzi", "bwa", "minibwa")
BESIDE = "beside"


@click.command(short_help="Build the indexes of a reference.")
@click.argument("reference", required=False, shell_complete=complete_files)
@click.option(
    "--genome",
    metavar="NAME",
    shell_complete=complete_genomes,
    help="A reference by its short name in genomes.toml, such as GRCh38: docs/references.md.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Only this kind of index, and those that it needs (may be repeated); by default all.",
)
@click.option(
    "--out",
    default=BESIDE,
    show_default=True,
    metavar="FOLDER",
    help="Write the reference, plain, and its indexes into this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the indexes as one JSON object.")
def index(
    reference: str | None,
    genome: str | None,
    kinds: tuple[str, ...],
    out: str,
    as_json: bool,
) -> None:
    """Build the indexes of REFERENCE (a FASTA file, plain or gzip: a path or URI), which runs then use.

    Indexes are written beside the reference, or into a folder together with the reference. Those that are there are
    compared with it, and never replaced. The command says first how much memory, disk and time the building takes, and
    refuses to begin where memory is short.

    \b
    Examples:
      genomics-pipeline index hg38.fa
      genomics-pipeline index hg38.fa.gz --kind bwa --kind dict --out references/
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.index_reference import index_here

    fasta = chosen_reference(reference, genome, on_aws=False, option="REFERENCE")
    folder = None if out == BESIDE else out
    end_on_signals()
    if folder is not None and "://" in folder:
        raise UsageError(f"--out {folder}: expected a folder of this machine, found a URI")
    placed = index_here(fasta, kinds, folder, adapters(), lambda text: echo_line(text, err=True))
    _show(fasta, placed, as_json)


def _show(reference: str, placed: list[PlacedIndex], as_json: bool) -> None:
    if as_json:
        rows = [{"kind": one.kind, "files": list(one.files), "built": one.built} for one in placed]
        echo_json({"reference": reference, "indexes": rows})
        return
    for one in placed:
        echo_line(f"{one.kind}: {'built' if one.built else 'already there'}: {', '.join(one.files)}")

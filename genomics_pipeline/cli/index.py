"""`genomics-pipeline index`: build the indexes of a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.completion import complete_files, complete_genomes
from genomics_pipeline.cli.options import chosen_reference
from genomics_pipeline.cli.profile_options import profile_options
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.index_order import IndexOrder
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
    help="Write the reference, plain, and its indexes into this folder, or below this s3:// prefix with --stack.",
)
@click.option("--stack", metavar="NAME", help="Build them by a job on AWS, in this deployed stack.")
@click.option("--no-wait", is_flag=True, help="With --stack: submit the job, and do not wait for its end.")
@profile_options
@click.option("--json", "as_json", is_flag=True, help="Print the indexes as one JSON object.")
def index(
    reference: str | None,
    genome: str | None,
    kinds: tuple[str, ...],
    out: str,
    stack: str | None,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Build the indexes of REFERENCE (a FASTA file, plain or gzip: a path or URI), which runs then use.

    Indexes are written beside the reference, or into a folder together with the reference. Those that are there are
    compared with it, and never replaced. The command says first how much memory, disk and time the building takes, and
    refuses to begin where memory is short. With --stack, a job on AWS builds them beside a reference in the bucket of
    the stack, with the memory that its length demands.

    \b
    Examples:
      genomics-pipeline index hg38.fa
      genomics-pipeline index hg38.fa.gz --kind bwa --kind dict --out references/
      genomics-pipeline index s3://my-bucket/references/hg38.fa --stack genomics-pipeline
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.index_reference import index_here

    fasta = chosen_reference(reference, genome, on_aws=stack is not None, option="REFERENCE")
    folder = None if out == BESIDE else out
    end_on_signals()
    if stack is not None:
        from genomics_pipeline.runs.aws.index_reference import index_on_aws

        order = IndexOrder(fasta, kinds, folder)
        _show(fasta, index_on_aws(order, stack, adapters(), _note, wait=not no_wait), as_json, is_waiting=no_wait)
        return
    if no_wait:
        raise UsageError("--no-wait: expected --stack as well, found none")
    if folder is not None and "://" in folder:
        raise UsageError(f"--out {folder}: expected a folder of this machine, or --stack as well, found a URI")
    _show(fasta, index_here(fasta, kinds, folder, adapters(), _note), as_json)


def _note(text: str) -> None:
    echo_line(text, err=True)


def _show(reference: str, placed: list[PlacedIndex], as_json: bool, is_waiting: bool = False) -> None:
    if as_json:
        rows = [{"kind": one.kind, "files": list(one.files), "built": one.built} for one in placed]
        echo_json({"reference": reference, "indexes": rows})
        return
    for one in placed:
        state = "already there" if not one.built else "to be built" if is_waiting else "built"
        echo_line(f"{one.kind}: {state}: {', '.join(one.files)}")

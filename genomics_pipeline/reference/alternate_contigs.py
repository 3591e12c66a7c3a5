"""The file that names a reference's alternate contigs for bwa mem: ``.alt`` beside the FASTA file.

With it, bwa counts a hit on an alternate contig of GRCh38 not as another place of the genome. It is a SAM file without
header, of which bwa reads the first column (bwa manual; bwakit's resource-human-HS38DH).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from genomics_pipeline.model.errors import DataError, Problem


def alt_file(fasta: str) -> str:
    """Return the name of the file, for the path or URI of a FASTA file.

    >>> alt_file("s3://refs/hg38.fa")
    's3://refs/hg38.fa.alt'
    """
    return f"{fasta}.alt"


def refuse_other_alt(fasta: Path, names: Collection[str], uri: str) -> None:
    """Refuse a file of another reference beside a FASTA file; that there is none is right.

    Args:
        fasta: The FASTA file.
        names: The names of its sequences.
        uri: The name of the FASTA file in messages.

    Raises:
        DataError: if the file names no sequence of the reference.
    """
    file = Path(alt_file(str(fasta)))
    if not file.is_file():
        return
    with file.open(encoding="latin-1") as lines:
        if any(line.split("\t", 1)[0].strip() in names for line in lines):
            return
    advice = "remove it, or take the one of this reference"
    raise DataError(
        Problem(f"expected alternate contigs of {fasta.name}, found no name of its sequences; {advice}", alt_file(uri))
    )

"""The file that names a reference's alternate contigs for bwa mem: ``.alt`` beside the FASTA file.

With it, bwa counts a hit on an alternate contig of GRCh38 not as another place of the genome. It is a SAM file without
header, of which bwa reads the first column (bwa manual; bwakit's resource-human-HS38DH).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.index_text import OversizedIndex, file_problem, index_lines

ADVICE = "remove it, or take the one of this reference"


def alt_file(fasta: str) -> str:
    """Return the name of the file, for the path or URI of a FASTA file.

    >>> alt_file("s3://refs/hg38.fa")
    's3://refs/hg38.fa.alt'
    """
    return f"{fasta}.alt"


def refuse_other_alt(fasta: Path, names: Collection[str], alt: str) -> None:
    """Refuse a file of another reference beside a FASTA file; that there is none is right.

    Args:
        fasta: The FASTA file.
        names: The names of its sequences.
        alt: The name of the file in messages.

    Raises:
        DataError: if the file is larger than one can be, or names no sequence of the reference.
    """
    file = Path(alt_file(str(fasta)))
    if not file.is_file():
        return
    if problem := file_problem(file, fasta.stat().st_size) or _content_problem(file, names, fasta.name):
        raise DataError(Problem(f"{problem}; {ADVICE}", alt))


def _content_problem(file: Path, names: Collection[str], fasta: str) -> str | None:
    try:
        if any(line.split(b"\t", 1)[0].strip().decode("latin-1") in names for line in index_lines(file)):
            return None
    except OversizedIndex as error:
        return str(error)
    return f"expected alternate contigs of {fasta}, found no name of its sequences"

"""The size of a reference, which decides how much memory the programs of steps need."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.local_memory import ReferenceSize
from genomics_pipeline.reference.fai import Contig, fai_path, read_contigs
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, IndexKind


def reference_size(fasta: Path, indexes: Iterable[str]) -> ReferenceSize:
    """Return the size of a FASTA file's indexes and of its longest contig.

    The size of an index that is still to be built is estimated. A file that is not there has no size.

    Args:
        fasta: The FASTA file.
        indexes: The names of `INDEX_KINDS`.
    """
    if not fasta.is_file():
        return ReferenceSize()
    return ReferenceSize(sum(_index_bytes(INDEX_KINDS[name], fasta) for name in indexes), _longest_bp(fasta))


def estimated_size(contigs: Iterable[Contig], indexes: Iterable[str]) -> ReferenceSize:
    """Return the estimated size of the indexes of a FASTA file that is not there, and of its longest contig.

    Args:
        contigs: The contigs of the file.
        indexes: The names of `INDEX_KINDS`.
    """
    lengths_bp = [contig.length_bp for contig in contigs]
    file_bytes = sum(INDEX_KINDS[name].rate.file_bytes(sum(lengths_bp)) for name in indexes)
    return ReferenceSize(file_bytes, max(lengths_bp, default=0))


def _longest_bp(fasta: Path) -> int:
    """Return the length of the longest contig, at most the file's; 0 without an index that can say it."""
    try:
        contigs = read_contigs(fasta) if fai_path(fasta).is_file() else []
    except DataError:  # refused elsewhere
        return 0
    return min(max((contig.length_bp for contig in contigs), default=0), fasta.stat().st_size)


def _index_bytes(kind: IndexKind, fasta: Path) -> int:
    files = kind.files(fasta)
    if all(file.is_file() for file in files):
        return sum(file.stat().st_size for file in files)
    return kind.rate.file_bytes(fasta.stat().st_size)

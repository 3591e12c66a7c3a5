"""The opening of gVCFs, and of the reference that their alleles are moved along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import pysam
from common.program import BadInput
from common.tabix_file import open_tabix
from gvcf_records import Base
from interval import Region

BLOCK_BP, BLOCKS = 1 << 16, 4  # of the reference, held at once: an interval needs no whole contig


def open_gvcf(path: str) -> pysam.TabixFile:
    """Open an indexed gVCF.

    Raises:
        BadInput: if it cannot be opened.
    """
    try:
        return open_tabix(path)
    except (OSError, ValueError):
        raise BadInput(f"{path}: expected a gVCF and its index, found one that cannot be read") from None


@contextmanager
def reported(path: str) -> Iterator[None]:
    """Report errors by which a gVCF cannot be read or parsed.

    Raises:
        BadInput: if it is damaged.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise BadInput(f"{path}: expected a gVCF of bcftools mpileup, found one that is damaged: {error}") from None


def fetch(gvcf: pysam.TabixFile, span: Region) -> Iterator[str]:
    """Yield the lines of a gVCF that overlap a span."""
    if span.contig in gvcf.contigs:
        yield from gvcf.fetch(span.contig, span.start - 1, span.end)


def cached_base(fasta: pysam.FastaFile) -> Base:
    """Return a function that returns the base of a contig at a position, from 1, in upper case."""

    @lru_cache(BLOCKS)
    def block(contig: str, number: int) -> str:
        return fasta.fetch(contig, number * BLOCK_BP, (number + 1) * BLOCK_BP).upper()

    def base(contig: str, pos: int) -> str:
        number, place = divmod(pos - 1, BLOCK_BP)
        return block(contig, number)[place]

    return base

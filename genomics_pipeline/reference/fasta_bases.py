"""Bases of a FASTA file that is indexed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


def fasta_bases(reference: Path) -> Callable[[str, int, int], str]:
    """Return a function that returns the bases of a contig from a position, counted from 0, to another.

    Args:
        reference: A FASTA file with its index, ``.fai``, beside it.
    """

    @cache
    def opened() -> Any:
        import pysam

        return pysam.FastaFile(str(reference))

    return lambda contig, start, end: str(opened().fetch(contig, start, end))

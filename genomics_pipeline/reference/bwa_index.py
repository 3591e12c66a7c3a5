"""bwa's index: the sequences that it lists, and the sizes that its files must have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.index_text import index_lines

SA_INTERVAL = 32  # of the positions whose place in the suffix array is stored
BWT_HEADER_BYTES, SA_HEADER_BYTES = 40, 56


def ann_contigs(files: Sequence[Path]) -> Iterator[Contig]:
    """Yield the sequences of ``.ann``: a line for the whole reference, then two for each sequence.

    The first of the two has its description, of any encoding and with any control characters but line feeds.
    """
    lines = (line.decode("latin-1") for line in index_lines(_file(files, ".ann")))
    next(lines, None)
    for head, numbers in zip(lines, lines, strict=True):
        yield Contig(head.split(None, 2)[1], int(numbers.split()[1]))


def indexed_bases(files: Sequence[Path]) -> int:
    """Return the number of bases that ``.ann`` gives."""
    return int(next(index_lines(_file(files, ".ann")), b"").split()[0])


def size_mismatch(files: Sequence[Path]) -> str | None:
    """Compare the sizes of the files with the number of bases that ``.ann`` gives; bwa reads cut-off files as they are.

    Returns:
        The difference; None if there is none.
    """
    bases = indexed_bases(files)
    for suffix, size in _sizes(bases):
        file = _file(files, suffix)
        if (found := file.stat().st_size) != size:
            return f"expected {size} bytes of {file.name} for {bases} bases, found {found}"
    return None


def _sizes(bases: int) -> Iterator[tuple[str, int]]:
    """Yield the suffix and the size of each binary file for a number of bases."""
    yield ".pac", bases // 4 + 2
    both = 2 * bases  # strands
    words = -(-both // 16) + 8 * (-(-both // 128) + 1)  # two bits a base, four counts of 8 bytes before each 128 bases
    yield ".bwt", BWT_HEADER_BYTES + 4 * words
    yield ".sa", SA_HEADER_BYTES + 8 * (both // SA_INTERVAL)


def _file(files: Sequence[Path], suffix: str) -> Path:
    return next(file for file in files if file.suffix == suffix)

"""The FASTA index, ``.fai``: a line for each sequence, as `samtools faidx` writes it (samtools manual, faidx(5))."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.index_text import index_lines

MAX_HEADER_BYTES = 1 << 20  # of a sequence's header line


class Contig(NamedTuple):
    """A sequence of a reference."""

    name: str
    length_bp: int


class FaiRecord(NamedTuple):
    """A line of a FASTA index.

    Attributes:
        contig: The sequence.
        offset: The offset of its first base in the FASTA file, in bytes.
        line_bases: The bases of each of its lines but the last.
        line_bytes: The bytes of such a line, with the line break.
    """

    contig: Contig
    offset: int
    line_bases: int
    line_bytes: int

    def end(self) -> int:
        """Return the offset of the end of its last base in the FASTA file, in bytes."""
        return self.offset_of(self.contig.length_bp)

    def offset_of(self, place: int) -> int:
        """Return the offset of one of its bases, counted from 0, in the FASTA file, in bytes."""
        if not self.line_bases:
            return self.offset
        lines, rest = divmod(place, self.line_bases)
        return self.offset + lines * self.line_bytes + rest


def parse_fai(text: str, *, file: str) -> list[FaiRecord]:
    r"""Parse the text of a FASTA index.

    >>> parse_fai("chr1\t640\t6\t60\t61\n", file="a.fa.fai")[0].contig
    Contig(name='chr1', length_bp=640)

    Raises:
        DataError: for a line that does not hold a name and four numbers.
    """
    return [_parse_line(line, file) for line in text.splitlines() if line.strip()]


def _parse_line(line: str, file: str) -> FaiRecord:
    name, *numbers = line.split("\t")
    try:
        length, offset, line_bases, line_bytes = (_number(text) for text in numbers[:4])
    except ValueError:
        raise DataError(f"{file}: expected a FASTA index (name, length, …), found {line[:80]!r}") from None
    return FaiRecord(Contig(name, length), offset, line_bases, line_bytes)


def _number(text: str) -> int:
    """Return an offset or a length.

    Raises:
        ValueError: for any other text.
    """
    if not text.strip().isdecimal() or int(text) >= 1 << 63:
        raise ValueError(text)
    return int(text)


def iterate_fai(fasta: Path) -> Iterator[FaiRecord]:
    """Yield the records of the index beside a FASTA file.

    Raises:
        DataError: if that is no index.
    """
    file = fai_path(fasta)
    lines = (line.decode("utf-8", "backslashreplace") for line in index_lines(file))
    return (_parse_line(line, str(file)) for line in lines if line.strip())


def read_fai(fasta: Path) -> list[FaiRecord]:
    """Read the index beside a FASTA file.

    Raises:
        DataError: if that is no index.
    """
    return list(iterate_fai(fasta))


def read_contigs(fasta: Path) -> list[Contig]:
    """Read the name and length of each sequence of a FASTA file, in order, from the index beside it.

    Raises:
        DataError: if that is no index.
    """
    return [record.contig for record in read_fai(fasta)]


def fai_path(fasta: Path) -> Path:
    """Return the path of a FASTA file's index."""
    return Path(f"{fasta}.fai")


def fai_mismatch(fasta: Path) -> str | None:
    """Compare a FASTA file with the index beside it, without reading all bases.

    If they match, only header lines are between the sequences of the index, and nothing follows the last one.

    Returns:
        The difference; None if they match.

    Raises:
        DataError: if the index cannot be parsed.
    """
    end = 0
    with fasta.open("rb") as file:
        for record in iterate_fai(fasta):
            file.seek(end)
            header = file.read(min(max(0, record.offset - end), MAX_HEADER_BYTES)).strip()
            name = record.contig.name
            if b"\n" in header or header[:1] != b">" or header[1:].split(None, 1)[:1] != [name.encode()]:
                return f"expected the index of {fasta.name}, found {name!r} where the file has no such sequence"
            end = record.end()
        file.seek(end)
        if file.read(MAX_HEADER_BYTES).strip():
            return f"expected the index of {fasta.name}, found one of fewer sequences or bases"
    return None

"""The sequence dictionary, ``.dict``: a SAM header with a line @SQ for each sequence (SAM specification, 1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import md5
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.reference.fai import Contig, FaiRecord, iterate_fai
from genomics_pipeline.reference.index_text import index_lines

CHUNK_BYTES = 1 << 22
COMPARED_BASES = 1_000_000  # of the shortest sequences, whose digests are compared each time


def dict_contigs(files: Sequence[Path]) -> Iterator[Contig]:
    """Yield the sequences of a dictionary."""
    for tags in _sequences(files[0]):
        yield Contig(tags.get("SN", ""), int(tags.get("LN", -1)))


def dict_digests(lines: Iterable[str]) -> dict[str, str]:
    r"""Return the MD5 of each sequence by name, as the lines of a dictionary have it.

    >>> dict_digests(["@HD\tVN:1.6", "@SQ\tSN:chr1\tLN:8\tM5:9f06"])
    {'chr1': '9f06'}
    """
    return {tags["SN"]: tags["M5"] for tags in _tags(lines) if "M5" in tags and "SN" in tags}


def other_bases(fasta: Path, dictionary: Path, most_bases: int | None = None) -> str | None:
    """Return the first sequence of which a dictionary has the digest (M5) of other bases; None if there is none.

    The digest becomes a part of BAM and VCF files, whose readers find the reference by it.

    Args:
        fasta: The FASTA file, its ``.fai`` beside it.
        dictionary: Its dictionary; sequences without M5 are not compared.
        most_bases: The bases to compare, of the shortest sequences; None for all.
    """
    digests = dict_digests(_lines(dictionary))
    records = sorted(iterate_fai(fasta), key=lambda record: record.contig.length_bp) if digests else []
    total = 0
    with fasta.open("rb") as content:
        for record in records:
            total += record.contig.length_bp
            if most_bases is not None and total > most_bases:
                return None
            name = record.contig.name
            if name in digests and digests[name].lower() != _digest(content, record):
                return name
    return None


def _sequences(dictionary: Path) -> Iterator[dict[str, str]]:
    yield from _tags(_lines(dictionary))


def _lines(dictionary: Path) -> Iterator[str]:
    return (line.decode("latin-1") for line in index_lines(dictionary))


def _tags(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the tags of each line @SQ."""
    for line in lines:
        if line.startswith("@SQ\t"):
            yield dict(field.split(":", 1) for field in line.rstrip("\r\n").split("\t")[1:])


def _digest(content: BinaryIO, record: FaiRecord) -> str:
    """Return the MD5 of a sequence in upper case, without line breaks (SAM specification, 1.3.2)."""
    digest = md5(usedforsecurity=False)
    content.seek(record.offset)
    rest = record.end() - record.offset
    while rest > 0 and (chunk := content.read(min(CHUNK_BYTES, rest))):
        rest -= len(chunk)
        digest.update(chunk.translate(None, b"\r\n").upper())
    return digest.hexdigest()

"""The headers of BAM and CRAM files, against a sample and a reference: what needs no record to be read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import UnsupportedOperation
from itertools import zip_longest
from typing import BinaryIO

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.cram_header import MAGIC as CRAM
from genomics_pipeline.reference.cram_header import read_cram_header
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store

BAM = b"BAM\1"  # SAM specification, 4.2
# The last block of a BAM file (SAM specification, 4.1.2), and what that of a CRAM file holds (CRAM specification, 9).
_BAM_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_CRAM_END, _CRAM_END_BYTES = b"\xe0EOF", 38
_DIGITS = 12  # more than any length of a contig has
_SORTED, _UNKNOWN = "coordinate", "unknown"
ALIGN_ADVICE = "leave `start` empty to align its reads"
OTHER_REFERENCE_ADVICE = f"{ALIGN_ADVICE}, after converting CRAM to BAM"


@dataclass(frozen=True, slots=True)
class AlignmentHeader:
    """The header of a BAM or CRAM file.

    Attributes:
        contigs: The sequences that reads are aligned to, in order.
        digests: The MD5s of sequences by name.
        order: The order of the records, as it says; ``unknown`` where it does not.
        groups: The number of read groups.
        samples: The names of the samples of read groups, sorted.
        is_whole: Whether the file has its last block; None where its end cannot be looked at.
    """

    contigs: tuple[Contig, ...]
    digests: Mapping[str, str]
    order: str
    groups: int
    samples: tuple[str, ...]
    is_whole: bool | None

    def sample_problem(self, sample: str) -> str | None:
        """Return why the reads are not those of a sample; None if they may be."""
        if others := [name for name in self.samples if name != sample]:
            advice = "give the sample that name in the sheet, or rename it with `samtools reheader`"
            return f"expected read groups of sample {sample} (SM), found {', '.join(others)}; {advice}"
        return None

    def aligned_problem(self, sample: str) -> str | None:
        """Return why the reads of a sample cannot be taken as aligned, to whatever reference; None if they may be."""
        if not self.contigs:
            return f"expected aligned reads, found unaligned ones: its header has no sequences (@SQ); {ALIGN_ADVICE}"
        if self.order not in (_SORTED, _UNKNOWN):
            advice = f"sort it with `samtools sort`; {ALIGN_ADVICE}"
            return f"expected records sorted by position, found SO:{self.order} in its header; {advice}"
        if not self.groups:
            advice = f"add one with `samtools addreplacerg`; {ALIGN_ADVICE}"
            return f"expected read groups of sample {sample} (@RG), found none; {advice}"
        return None

    def lacking_contig(self, contigs: Mapping[str, int]) -> str | None:
        """Return why reads cannot be decoded with a reference; None if it has all sequences.

        Args:
            contigs: The length of each contig of the reference in bp, by name.
        """
        for contig in self.contigs:
            if contigs.get(contig.name) != contig.length_bp:
                return f"expected contigs of the reference, found {_words(contig)}, which it lacks"
        return None

    def other_reference(self, contigs: Mapping[str, int], digests: Mapping[str, str]) -> str | None:
        """Return why reads are not aligned to a reference; None if they may be.

        Args:
            contigs: The length of each contig of the reference in bp, by name, in order.
            digests: Their MD5s by name; the others are not compared.
        """
        expected = [Contig(name, length) for name, length in contigs.items()]
        for number, (here, there) in enumerate(zip_longest(self.contigs, expected), 1):
            if here != there:
                words = f"expected {_words(there)} as contig {number}, as in the reference, found {_words(here)}"
                return f"{words}; {OTHER_REFERENCE_ADVICE}"
        for name, digest in self.digests.items():
            if digests.get(name, digest).lower() != digest.lower():
                found = f"found those of another {name}: its MD5 is {digest}, not {digests[name]}"
                return f"expected reads aligned to the reference, {found}; {OTHER_REFERENCE_ADVICE}"
        return None


def read_alignment_header(uri: str, kind: str, store: Store) -> AlignmentHeader:
    """Return the header of a file.

    Args:
        uri: The file.
        kind: bam or cram.
        store: The store of the file.

    Raises:
        DataError: for a file of another kind, and one that is cut off or damaged within the header.
    """
    with store.open(uri) as raw, reported_damage():
        if kind == "cram":
            contigs, text = None, _cram_text(raw)
        else:
            contigs, text = _bam_content(open_decompressed(raw))
        is_whole = _is_whole(raw, kind)
    lines = [line.split("\t") for line in text.splitlines()]
    tags = [(line[0], dict(field.partition(":")[::2] for field in line[1:])) for line in lines]
    sequences = [one for kind_, one in tags if kind_ == "@SQ"]
    if contigs is None:
        contigs = tuple(Contig(one.get("SN", ""), _length(one)) for one in sequences)
    groups = [one for kind_, one in tags if kind_ == "@RG"]
    return AlignmentHeader(
        contigs=contigs,
        digests={one["SN"]: one["M5"] for one in sequences if "SN" in one and "M5" in one},
        order=next((one.get("SO", _UNKNOWN) for kind_, one in tags if kind_ == "@HD"), _UNKNOWN),
        groups=len(groups),
        samples=tuple(sorted({one["SM"] for one in groups if one.get("SM")})),
        is_whole=is_whole,
    )


def _words(contig: Contig | None) -> str:
    return f"{contig.name} of {contig.length_bp} bp" if contig else "none"


def _length(tags: Mapping[str, str]) -> int:
    length = tags.get("LN", "")
    return int(length) if length.isdecimal() and len(length) < _DIGITS else -1


def _cram_text(file: BinaryIO) -> str:
    start = file.read(len(CRAM))
    if start != CRAM:
        raise DataError(f"expected a CRAM file, found {_shown(start)}")
    return read_cram_header(file)


def _bam_content(file: BinaryIO) -> tuple[tuple[Contig, ...], str]:
    """Return the sequences and the text of a BAM header: of these, either may lack what the other has."""
    start = file.read(len(BAM))
    if start != BAM:
        raise DataError(f"expected a BAM file, found {_shown(start)}")
    text = _exactly(file, _integer(file)).rstrip(b"\0").decode("utf-8", "replace")
    count = _integer(file)
    if not 0 <= count <= budgets.FASTA_SEQUENCES.value:
        raise DataError(f"expected a header of at most {budgets.FASTA_SEQUENCES}, found {count:,}")
    contigs = []
    for _ in range(count):
        name = _exactly(file, _integer(file)).rstrip(b"\0").decode("utf-8", "replace")
        contigs.append(Contig(name, _integer(file)))
    return tuple(contigs), text


def _integer(file: BinaryIO) -> int:
    return int.from_bytes(_exactly(file, 4), "little", signed=True)


def _exactly(file: BinaryIO, count: int) -> bytes:
    if not 0 <= count <= budgets.FASTQ_HEAD.value:
        raise DataError(f"expected a header of at most {budgets.FASTQ_HEAD}, found a longer one")
    data = file.read(count)
    if len(data) < count:
        raise DataError("expected a whole BAM header, found the end of the file: it is cut off")
    return data


def _is_whole(file: BinaryIO, kind: str) -> bool | None:
    """Return whether a file has its last block; None for one of a web server, which is read from its beginning."""
    end = _CRAM_END_BYTES if kind == "cram" else len(_BAM_END)
    try:
        if not file.seekable():
            return None
        file.seek(-end, os.SEEK_END)
    except (UnsupportedOperation, OSError):
        return None
    last = file.read(end)
    return _CRAM_END in last if kind == "cram" else last == _BAM_END


def _shown(start: bytes) -> str:
    return f"a file that begins with {start!r}" if start else "an empty file"

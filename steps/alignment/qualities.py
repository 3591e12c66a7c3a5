"""The encoding of FASTQ qualities: Phred+33, or the Phred+64 of Illumina's and Solexa's software until 2011."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntFlag

from common.program import BadInput
from fastq import Reads
from fastq_file import FastqFile

LOOKS = ((1000, 1 << 20), (100_000, 64 << 20))  # records and bytes; the second look only where the first is undecided
# Phred+64 has ';' (-5, by Solexa) to 'i' (41). A sequencer's best qualities are 30 and more, thus '^' and more.
_PHRED33_ONLY = re.compile(rb"[!-:j-~]")
_BEST_OF_PHRED64 = re.compile(rb"[\^-i]")
_BELOW_PHRED64 = re.compile(rb"[!-:]")
_TO_PHRED33 = bytes(max(ord("!"), code - 31) if code >= ord(";") else code for code in range(256))
ADVICE = "set quality_encoding=phred64 to convert them, or phred33 to take them as they are"


class Evidence(IntFlag):
    """The signs of one or the other encoding in qualities."""

    NONE = 0
    PHRED33 = 1
    LIKE_PHRED64 = 2

    @property
    def is_phred64(self) -> bool:
        """True if nothing distinguishes the qualities from Phred+64, and they are as high as it would have them."""
        return self is Evidence.LIKE_PHRED64


def evidence(qualities: bytes) -> Evidence:
    """Return what qualities say about their encoding.

    >>> evidence(b"II#I"), evidence(b"~~~~"), evidence(b"hhgB"), evidence(b"MUUM")
    (<Evidence.PHRED33: 1>, <Evidence.PHRED33: 1>, <Evidence.LIKE_PHRED64: 2>, <Evidence.NONE: 0>)
    """
    if _PHRED33_ONLY.search(qualities):
        return Evidence.PHRED33
    return Evidence.LIKE_PHRED64 if _BEST_OF_PHRED64.search(qualities) else Evidence.NONE


def refuse_phred64(file: FastqFile) -> None:
    """Refuse a file whose first reads seem to have Phred+64 qualities, without taking them.

    Raises:
        BadInput: with the qualities that were found; see also `FastqFile.available`.
    """
    for records, max_bytes in LOOKS:
        lines = file.peek(file.available(records, max_bytes)).split(b"\n")
        qualities = b"".join([line.rstrip(b"\r") for line in lines[3::4]])
        if not evidence(qualities).is_phred64:
            return
    span = f"{chr(min(qualities))!r} to {chr(max(qualities))!r}"
    found = f"found {span} in the first {len(lines[3::4])} records, as in Phred+64"
    raise BadInput(f"{file.path}: record 1: expected Phred+33 qualities, {found}: {ADVICE}")


def refuse_late_phred64(path: str, seen: Evidence) -> None:
    """Refuse a file all of whose qualities together seem to be Phred+64.

    Raises:
        BadInput: if they do.
    """
    if seen.is_phred64:
        found = "found none below ';' or above 'i' in the whole file, as in Phred+64"
        raise BadInput(f"{path}: expected Phred+33 qualities, {found}: {ADVICE}")


def to_phred33(reads: Reads, path: str, first: int) -> Reads:
    """Return reads with their Phred+64 qualities converted; negative ones, of Solexa, become 0.

    Args:
        reads: The reads.
        path: Their file, for messages.
        first: The number of the first record, from 1.

    Raises:
        BadInput: for a read with qualities that Phred+64 does not have.
    """
    for number, qualities in enumerate(reads.qualities, first):
        if match := _BELOW_PHRED64.search(qualities):
            found = f"found {match[0].decode()!r}; set quality_encoding=phred33"
            raise BadInput(f"{path}: record {number}: expected Phred+64 qualities (';' and above), {found}")
    return reads._replace(qualities=[qualities.translate(_TO_PHRED33) for qualities in reads.qualities])


def evidence_of(files: Sequence[Reads]) -> Evidence:
    """Return what the qualities of the reads of one or two files say about their encoding."""
    return evidence(b"".join([qualities for reads in files for qualities in reads.qualities]))

"""Checks of the header of a BAM or CRAM file against the reference of a run."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5
from itertools import zip_longest
from typing import Any

import pysam

from common.program import BadInput

OTHER_KIND = "expected a BAM or CRAM file, found one that is cut off or of another kind"
ALIGN_ADVICE = "leave `start` empty to align its reads"
OTHER_REFERENCE_ADVICE = f"{ALIGN_ADVICE}, after converting CRAM to BAM"


def open_alignments(path: str, reference: str) -> pysam.AlignmentFile:
    """Open a BAM or CRAM file, which may have no sequences in its header.

    Raises:
        BadInput: for any other file.
    """
    try:
        file = pysam.AlignmentFile(path, reference_filename=reference, check_sq=False)
    except (OSError, ValueError):
        raise BadInput(f"{path}: {OTHER_KIND}") from None
    if not (file.is_bam or file.is_cram):
        raise BadInput(f"{path}: expected a BAM or CRAM file, found: {file.description}")
    return file


def refuse_other_contigs(path: str, header: Mapping[str, Any], reference: str, contigs: Mapping[str, int]) -> None:
    """Refuse alignments to a contig that the reference lacks, or has with another length.

    Args:
        path: The file, for messages.
        header: Its header.
        reference: The FASTA file, for messages.
        contigs: The length of each contig of the reference in bp, by name.

    Raises:
        BadInput: for the first such contig.
    """
    for row in header.get("SQ", []):
        if contigs.get(row["SN"]) != row["LN"]:
            contig = f"{row['SN']} of {row['LN']} bp"
            raise BadInput(f"{path}: expected contigs of {reference}, found {contig}, which it lacks")


def refuse_other_order(
    path: str, header: Mapping[str, Any], reference: str, contigs: Mapping[str, int], digests: Mapping[str, str]
) -> None:
    """Refuse alignments to other sequences than those of the reference, or to the same ones in another order.

    Args:
        path: The file, for messages.
        header: Its header.
        reference: The FASTA file, for messages.
        contigs: The length of each contig of the reference in bp, by name, in order.
        digests: Their MD5s by name; the others are not compared.

    Raises:
        BadInput: for the first contig that differs.
    """
    rows = header.get("SQ", [])
    found = [(row["SN"], row["LN"]) for row in rows]
    for number, (here, there) in enumerate(zip_longest(found, contigs.items()), 1):
        if here != there:
            expected = f"expected {_contig(there)} as contig {number}, as in {reference}"
            raise BadInput(f"{path}: {expected}, found {_contig(here)}; {OTHER_REFERENCE_ADVICE}")
    for row in rows:
        name, digest = row["SN"], digests.get(row["SN"])
        if digest and row.get("M5", digest).lower() != digest.lower():
            expected = f"expected reads aligned to {reference}, found those of another {name}"
            raise BadInput(f"{path}: {expected}: its MD5 is {row['M5']}, not {digest}; {OTHER_REFERENCE_ADVICE}")


def _contig(one: tuple[str, int] | None) -> str:
    return f"{one[0]} of {one[1]} bp" if one else "none"


def refuse_other_sequences(path: str, reference: str) -> None:
    """Refuse a CRAM file whose reference has other bases under the same names: its reads cannot be decoded.

    This reads all bases of the reference, so it is called only after a failure.

    Raises:
        BadInput: for the first sequence that differs.
    """
    with pysam.AlignmentFile(path, check_sq=False) as alignment:
        header = alignment.header.to_dict() if alignment.is_cram else {}
    refuse_other_bases(path, header, reference)


def refuse_other_bases(path: str, header: Mapping[str, Any], reference: str) -> None:
    """Refuse sequences whose MD5s in a header are not those of the reference's bases, all of which are read.

    Args:
        path: The file, for messages.
        header: Its header.
        reference: The FASTA file.

    Raises:
        BadInput: for the first sequence that differs.
    """
    with pysam.FastaFile(reference) as fasta:
        for row in header.get("SQ", []):
            digest = md5(fasta.fetch(row["SN"]).upper().encode(), usedforsecurity=False).hexdigest()
            if row.get("M5", digest) != digest:
                expected = f"expected reads aligned to {reference}, found those of another {row['SN']}"
                raise BadInput(f"{path}: {expected}: its MD5 is {row['M5']}, not {digest}")

"""Checks of the header of a BAM or CRAM file against the reference of a run."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5
from typing import Any

import pysam

from common.program import BadInput


def open_alignments(path: str, reference: str) -> pysam.AlignmentFile:
    """Open a BAM or CRAM file, which may have no sequences in its header.

    Raises:
        BadInput: for any other file.
    """
    try:
        file = pysam.AlignmentFile(path, reference_filename=reference, check_sq=False)
    except (OSError, ValueError):
        raise BadInput(f"{path}: expected a BAM or CRAM file, found one that is cut off or of another kind") from None
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


def refuse_other_sequences(path: str, reference: str) -> None:
    """Refuse a CRAM file whose reference has other bases under the same names: its reads cannot be decoded.

    This reads all bases of the reference, so it is called only after a failure.

    Raises:
        BadInput: for the first sequence that differs.
    """
    with pysam.AlignmentFile(path, check_sq=False) as alignment, pysam.FastaFile(reference) as fasta:
        for row in alignment.header.to_dict().get("SQ", []) if alignment.is_cram else ():
            digest = md5(fasta.fetch(row["SN"]).upper().encode(), usedforsecurity=False).hexdigest()
            if row.get("M5", digest) != digest:
                expected = f"expected reads aligned to {reference}, found those of another {row['SN']}"
                raise BadInput(f"{path}: {expected}: its MD5 is {row['M5']}, not {digest}")

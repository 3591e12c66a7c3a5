"""The header of the alignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import pack
from typing import Any

import pysam
from common.dictionary import read_digests
from common.fai import read_contigs
from lanes import Lane
from sample_lanes import read_groups


def header(task: dict[str, Any], lanes: Sequence[Lane], programs: Sequence[dict[str, str]]) -> pysam.AlignmentHeader:
    """Return the header of the alignments.

    Args:
        task: The task.
        lanes: The lanes.
        programs: The lines of the programs.
    """
    return pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "unsorted", "GO": "query"},
            "SQ": _sequences(task),
            "RG": read_groups(lanes),
            "PG": list(programs),
        }
    )


def pass_on_header(
    task: dict[str, Any],
    given: Mapping[str, Any],
    groups: Sequence[dict[str, str]],
    programs: Sequence[dict[str, str]],
) -> pysam.AlignmentHeader:
    """Return the header of alignments that are passed on: programs and comments of their file are kept.

    Args:
        task: The task.
        given: The header of the file.
        groups: Its read groups, complete.
        programs: The lines of the programs behind its own.
    """
    return pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "coordinate"},
            "SQ": _sequences(task),
            "RG": list(groups),
            "PG": [*given.get("PG", ()), *programs],
            "CO": list(given.get("CO", ())),
        }
    )


def _sequences(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the contigs of the reference, with their MD5s where samtools does not write them."""
    reference = task["inputs"]["reference"]
    # Writing CRAM, samtools makes M5 of the bases that it reads.
    digests = {} if task["parameters"]["format"] == "cram" else read_digests(reference)
    return [
        {"SN": name, "LN": length, **({"M5": digests[name]} if name in digests else {})}
        for name, length in read_contigs(reference).items()
    ]


def bam_header(header: pysam.AlignmentHeader) -> bytes:
    """Return the beginning of an uncompressed BAM file with a header (SAM specification, 4.2)."""
    text = str(header).encode()
    names = [name.encode() + b"\0" for name in header.references]
    sequences = [
        pack("<i", len(name)) + name + pack("<i", length) for name, length in zip(names, header.lengths, strict=True)
    ]
    return b"".join([b"BAM\1", pack("<i", len(text)), text, pack("<i", len(names)), *sequences])

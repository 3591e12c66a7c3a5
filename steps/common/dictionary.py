"""The MD5 of each sequence of a reference, from the dictionary beside it (SAM specification, 1.3.2)."""

from __future__ import annotations

from pathlib import Path


def read_digests(reference: str) -> dict[str, str]:
    """Return the MD5 of each sequence by name, as M5 has it; a dictionary without M5 has none.

    Args:
        reference: A FASTA file with its dictionary, ``.dict``, beside it.
    """
    digests = {}
    with Path(reference).with_suffix(".dict").open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            if line.startswith("@SQ\t"):
                tags = dict(field.partition(":")[::2] for field in line.rstrip("\n").split("\t")[1:])
                if "M5" in tags:
                    digests[tags["SN"]] = tags["M5"]
    return digests

"""The header lines SAMPLE of a joint VCF, which say of each sample what its gVCF said."""

from __future__ import annotations

import pysam


def sample_lines(header: pysam.VariantHeader) -> list[dict[str, str]]:
    """Return the members of each line SAMPLE that has an ID."""
    lines = (dict(record) for record in header.records if record.key == "SAMPLE")
    return [line for line in lines if "ID" in line]

"""Samples whose reads are of another sex than the sample sheet says, by what their gVCFs say."""

from __future__ import annotations

from typing import Any

import pysam
from sample_lines import sample_lines

SHOWN = 3  # samples in a message


def sex_conflicts(header: pysam.VariantHeader) -> dict[str, Any]:
    """Return the number of samples whose reads contradict the sample sheet, with a verdict; None where none is known.

    Args:
        header: The header of the joint VCF, whose lines SAMPLE have ``Sex`` and ``SexOfReads``.
    """
    known = [line for line in sample_lines(header) if {"Sex", "SexOfReads"} <= set(line)]
    conflicts = [
        f"{line['ID']} is {line['Sex']} in the sample sheet, and {line['SexOfReads']} by the depths of X and Y"
        for line in known
        if line["Sex"] != line["SexOfReads"]
    ]
    judged: Any = {"value": 0, "verdict": "good"} if known else None
    if conflicts:
        more = f"; and {len(conflicts) - SHOWN} more" if len(conflicts) > SHOWN else ""
        judged = {"value": len(conflicts), "verdict": "bad", "reason": "; ".join(conflicts[:SHOWN]) + more}
    return {"sex_conflicts": judged}

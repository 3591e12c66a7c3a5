"""What the steps that call and count variants agree on."""

from __future__ import annotations

PLOIDY_KEY = "genomics_pipeline_ploidy"  # of the header line of a gVCF that gives the ploidy it was called with
TRANSITIONS = {("A", "G"), ("G", "A"), ("C", "T"), ("T", "C")}


def ratio(above: int, below: int) -> float | None:
    """Return a ratio to four digits, None where there is nothing to divide by."""
    return round(above / below, 4) if below else None

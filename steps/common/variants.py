"""Definitions shared by the steps that call and count variants."""

from __future__ import annotations

PLOIDY_KEY = "genomics_pipeline_ploidy"  # key of the header line with a gVCF's ploidy
MISSING_KEY = "genomics_pipeline_missing_samples"  # key of the header line of an incomplete cohort's joint VCF
MISSING_INTERVALS_KEY = "genomics_pipeline_missing_intervals"  # likewise, of one that lacks intervals
TRANSITIONS = {("A", "G"), ("G", "A"), ("C", "T"), ("T", "C")}


def ratio(dividend: int, divisor: int) -> float | None:
    """Return a ratio rounded to four digits; None where the divisor is 0."""
    return round(dividend / divisor, 4) if divisor else None

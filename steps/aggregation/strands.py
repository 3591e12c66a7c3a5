"""The strand bias of all reads of a record together: an artefact on one strand that recurs in samples of few reads."""

from __future__ import annotations

from math import exp, lgamma, log10

RARER_STRAND = 0.1  # of the variant's reads: of very many reads, any small difference between strands is certain
TIE = 1e-7  # relative difference within which two tables are as probable
LEAST = 1e-300


def pooled_bias(counts: str | None) -> float:
    """Return the Phred-scaled strand bias of the samples with a record of the site; 0 if both strands show the variant.

    Args:
        counts: DP4 of the record: reads of the reference, forward and reverse, and those of variants; None without any.

    >>> round(pooled_bias("10,4,0,7")), pooled_bias("10,4,2,7"), pooled_bias(None)
    (24, 0.0, 0.0)
    """
    if counts is None:
        return 0.0
    forward, reverse, alt_forward, alt_reverse = map(int, counts.split(","))
    if min(alt_forward, alt_reverse) >= RARER_STRAND * (alt_forward + alt_reverse):
        return 0.0
    return -10 * log10(fisher(forward, reverse, alt_forward, alt_reverse))


def fisher(a: int, b: int, c: int, d: int) -> float:
    """Return the two-sided P value of Fisher's exact test of a table with the rows a, b and c, d.

    >>> round(fisher(3, 1, 1, 3), 4), round(fisher(0, 0, 5, 2), 4), fisher(40_000, 40_000, 0, 20_000)
    (0.4857, 1.0, 1e-300)
    """
    first_row, first_column, total = a + b, a + c, a + b + c + d
    all_ways = _log_ways(total, first_column)

    def chance(first: int) -> float:
        ways = _log_ways(first_row, first) + _log_ways(total - first_row, first_column - first)
        return exp(ways - all_ways)

    limit = chance(a) * (1 + TIE)
    tables = range(max(0, a - d), min(first_row, first_column) + 1)
    return max(sum(each for first in tables if (each := chance(first)) <= limit), LEAST)


def _log_ways(things: int, chosen: int) -> float:
    return lgamma(things + 1) - lgamma(chosen + 1) - lgamma(things - chosen + 1)

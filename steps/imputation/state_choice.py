"""The haplotypes of a panel that are most like haplotypes that a sample may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from haplotype_model import Rows
from numpy.typing import NDArray

ANCHOR_SITES = 32  # from one site at which matches are compared to the next
LONGEST = 8  # matches that count at such a site, of each of the sample's haplotypes
Places = NDArray[np.int32]


def choose_states(carriers: Sequence[Rows], haplotypes: int, own: NDArray[np.bool_], count: int) -> Rows:
    """Return haplotypes of the panel with the longest matches to any of a sample's haplotypes, in the panel's order.

    At each anchor, the longest matches over it, in sites, count by their length. All matches together make a
    haplotype's score.

    Args:
        carriers: Of each of M sites, the haplotypes with its minor allele.
        haplotypes: The number of haplotypes of the panel.
        own: The sample's haplotypes, True for the minor allele; shape (M, haplotypes).
        count: The number of haplotypes to return; all are returned of a panel that has no more.
    """
    if haplotypes <= count:
        return np.arange(haplotypes)
    own = np.unique(own, axis=1)
    sites = len(carriers)
    before = _last_differences(carriers, haplotypes, own, range(sites), -1)
    after = _last_differences(carriers, haplotypes, own, range(sites - 1, -1, -1), sites)
    scores = np.zeros(haplotypes)
    number = np.arange(haplotypes)[:, None]
    longest = min(LONGEST, haplotypes)
    for left, right in zip(before, reversed(list(after)), strict=True):
        lengths = right - left
        ranked = number - lengths.astype(np.int64) * haplotypes  # without ties, of which sorts differ by processor
        rows = np.argpartition(ranked, longest - 1, axis=0)[:longest]
        np.add.at(scores, rows, np.take_along_axis(lengths, rows, axis=0))
    return np.sort(np.argsort(-scores, kind="stable")[:count])


def _last_differences(
    carriers: Sequence[Rows], haplotypes: int, own: NDArray[np.bool_], order: range, none: int
) -> Iterator[Places]:
    """Yield, before each anchor in an order, the last site at which each haplotype differs from each of the sample's.

    Args:
        carriers: Of each site, the haplotypes with its minor allele.
        haplotypes: The number of haplotypes.
        own: The sample's haplotypes.
        order: The sites in order.
        none: The place where there is none.
    """
    last = np.full((haplotypes, own.shape[1]), none, dtype=np.int32)
    for site in order:
        if site % ANCHOR_SITES == ANCHOR_SITES // 2 or (len(order) <= ANCHOR_SITES // 2 and site == len(order) // 2):
            yield last.copy()
        rows, has_minor = carriers[site], own[site]
        unlike = last[rows]
        unlike[:, ~has_minor] = site
        if has_minor.any():
            last[:, has_minor] = site
        last[rows] = unlike

"""The hits of pairs, for most of which minibwa aligns the reads by themselves, many in one call.

It then looks up its index for many reads at once, while memory is fetched, which takes a fifth less time than pair by
pair. Pairing changes nothing about a pair whose mates have one hit each, of the highest mapping quality, at a distance
that minibwa, as bwa, prefers to none: there is nothing to choose, no mate to rescue, and no other quality (mb_pair in
minibwa's pe.c). All other pairs are aligned again, as pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

from alignment_hit import Hit
from insert_size import InsertSize

HIGHEST_QUALITY = 60
# Below this share of settled pairs, as in genomes with many repeats, aligning the others again takes longer.
LEAST_SETTLED = 0.85


def unsettled_pairs(hits: Sequence[Sequence[Hit]], size: InsertSize) -> list[int]:
    """Return the number of the first read of each pair that pairing may change.

    Args:
        hits: The hits of each read by itself; mates follow each other.
        size: The sizes of fragments.
    """
    pairs, sizes = zip(range(0, len(hits), 2), hits[::2], hits[1::2], strict=False), size.rounded.preferred
    return [first for first, mate, other in pairs if not _is_settled(mate, other, sizes)]


def are_mostly_settled(hits: Sequence[Sequence[Hit]], size: InsertSize) -> bool:
    """Return whether it is quicker to align most pairs of these kinds read by read: see `unsettled_pairs`."""
    return len(unsettled_pairs(hits, size)) <= (1 - LEAST_SETTLED) * len(hits) / 2


def _is_settled(hits: Sequence[Hit], others: Sequence[Hit], sizes: range) -> bool:
    if not hits and not others:
        return True
    if len(hits) != 1 or len(others) != 1:
        return False
    (hit,), (other,) = hits, others
    if hit.mapq < HIGHEST_QUALITY or other.mapq < HIGHEST_QUALITY or hit.contig != other.contig:
        return False
    if hit.reverse == other.reverse:
        return False
    return (hit.ref_end - other.ref_start if hit.reverse else other.ref_end - hit.ref_start) in sizes

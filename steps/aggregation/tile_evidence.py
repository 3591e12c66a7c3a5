"""The evidence of a packed group of samples for the alleles of a tile."""

from __future__ import annotations

from array import array
from functools import lru_cache

import numpy as np
from evidence import Evidence, Limits, Reads, evidence_of_indel
from gvcf_records import Allele, Place
from likelihoods import MANY, pairs
from packed_samples import NO_BIAS, Array, Bodies, Packed, different
from tile_columns import parse_allele
from tiles import Tile

MORE = 1 << 40  # than any likelihood


def evidence_of_group(packed: Packed, tile: Tile, limits: Limits) -> dict[tuple[Place, Allele], Evidence]:
    """Return the evidence for each allele that is in the most likely genotype of some sample of a group.

    Records of the same likelihoods, depths and strand bias are the same evidence, and are judged once.

    Args:
        packed: The group.
        tile: Its tile.
        limits: What is asked of a variant.
    """
    evident = packed.evident > 0
    if not evident.any():
        return {}
    alleles = [parse_allele(text) for text in packed.allele_texts]
    of_allele, number = packed.alleles[evident], packed.numbers[evident].astype(np.int64)
    body = np.repeat(packed.bodies, packed.entry_counts)[evident]
    indel = np.array([indel for indel, _ in alleles])[of_allele]
    firsts, kind_of = different((body * (number.max() + 1) + number) * 2 + indel)
    of_kinds, alone_of_kinds = of_records(packed.values, body[firsts], number[firsts], indel[firsts], limits)
    keys = packed.positions[evident] * len(alleles) + of_allele
    firsts, key_of = different(keys)
    likelier, alone = (
        np.bincount(key_of, weights=values[kind_of]).astype(np.int64).tolist() for values in (of_kinds, alone_of_kinds)
    )
    found = {}
    for key, likelier_here, alone_here in zip(keys[firsts].tolist(), likelier, alone, strict=True):
        place, allele = divmod(key, len(alleles))
        is_indel, one = alleles[allele]
        found[Place(tile.contig, tile.start + place, is_indel), one] = Evidence(likelier_here, alone_here > 0)
    return found


def of_records(bodies: Bodies, which: Array, numbers: Array, indels: Array, limits: Limits) -> tuple[Array, Array]:
    """Return how much likelier alleles make the reads of records, and which of them are evident alone.

    Args:
        bodies: The values of records.
        which: The row of each record there.
        numbers: The number of each allele in its record.
        indels: Which alleles are indels.
        limits: What is asked of a variant.
    """
    likelier = likelier_with(bodies.phred[which], bodies.alleles[which], numbers)
    alone = np.zeros(len(which), dtype=bool)
    places = np.flatnonzero(indels)
    if len(places):
        here = which[places]
        fields = (bodies.phred[here], bodies.depths[here], bodies.bias[here], bodies.alleles[here], numbers[places])
        rows = np.column_stack(fields).astype(np.int32)
        known = known_evidence(bodies.phred.shape[1], limits)
        found = [*map(known.__getitem__, rows.view(f"V{rows[0].nbytes}")[:, 0].tolist())]
        likelier[places], alone[places] = zip(*found, strict=True)
    return likelier, alone


class KnownEvidence(dict[bytes, Evidence]):
    """The evidence of records for an indel, found when it is asked for.

    Keys are likelihoods, depths, strand bias, the number of alleles and that of the indel, as integers of 32 bits.

    Args:
        phred: How many likelihoods there are, with those that pad them.
        limits: What is asked of a variant.
    """

    def __init__(self, phred: int, limits: Limits) -> None:
        self._phred, self._limits = phred, limits

    def __missing__(self, row: bytes) -> Evidence:
        if len(self) >= MANY:
            self.clear()
        *values, bias, many, number = array("i", row)
        phred, depths = values[: many * (many + 1) // 2], values[self._phred : self._phred + many]
        reads = Reads(tuple(phred), tuple(depths), None if bias == NO_BIAS else bias)
        evidence = self[row] = evidence_of_indel(reads, number, self._limits)
        return evidence


@lru_cache
def known_evidence(phred: int, limits: Limits) -> KnownEvidence:
    """Return the evidence that was found of records with a number of likelihoods."""
    return KnownEvidence(phred, limits)


def likelier_with(phred: Array, alleles: Array, numbers: Array) -> Array:
    """Return how much likelier the best genotype with an allele is than the best without it, Phred-scaled.

    Args:
        phred: The likelihoods of two copies of each record, a row each.
        alleles: The number of alleles of each record.
        numbers: The number of the allele in each.

    >>> likelier_with(np.array([[60, 0, 50, 70, 55, 90], [90, 0, 60, 0, 0, 0]]), np.array([3, 2]), np.array([1, 1]))
    array([60, 90])
    """
    first, second = np.array(pairs(int(alleles.max()))).T
    phred = np.where(second < alleles[:, None], phred[:, : len(first)].astype(np.int64), MORE)
    has = (first == numbers[:, None]) | (second == numbers[:, None])
    return np.where(has, MORE, phred).min(axis=1) - np.where(has, phred, MORE).min(axis=1)

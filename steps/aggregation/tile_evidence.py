"""The evidence of a packed group of samples for the alleles of a tile."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from evidence import Evidence, Limits, Reads, evidence_of
from gvcf_records import MISSING, Allele, Place
from packed_samples import Packed, different
from tile_columns import parse_allele
from tiles import Tile

MANY_BODIES = 1 << 16  # different ones


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
    of_allele, number = packed.alleles[evident], packed.numbers[evident]
    body = np.repeat(packed.bodies, packed.entry_counts)[evident]
    indel = np.array([indel for indel, _ in alleles])[of_allele]
    firsts, kind_of = different((body * (number.max() + 1) + number) * 2 + indel)
    of_kinds = [
        body_evidence(packed.body_texts[text], *kind, limits)
        for text, *kind in zip(*(one[firsts].tolist() for one in (body, number, indel)), strict=True)
    ]
    keys = packed.positions[evident] * len(alleles) + of_allele
    firsts, key_of = different(keys)
    keys = keys[firsts]
    likelier, alone = np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=bool)
    np.add.at(likelier, key_of, np.array([one.likelier for one in of_kinds])[kind_of])
    np.logical_or.at(alone, key_of, np.array([one.alone for one in of_kinds])[kind_of])
    found = {}
    for key, *values in zip(keys.tolist(), likelier.tolist(), alone.tolist(), strict=True):
        place, number = divmod(key, len(alleles))
        indel, allele = alleles[number]
        found[Place(tile.contig, tile.start + place, indel), allele] = Evidence(*values)
    return found


@lru_cache(MANY_BODIES)
def body_evidence(body: str, allele: int, indel: bool, limits: Limits) -> Evidence:
    r"""Return the evidence of a record for an allele.

    Args:
        body: The record's likelihoods and depths: see `Packed.body_texts`.
        allele: The number of the allele in the record.
        indel: It is an indel.
        limits: What is asked of a variant.

    >>> body_evidence("90,0,60\t8\t3\t4,4\t0", 1, True, Limits(20, 2, 25, 0.02, 0.05))
    Evidence(likelier=90, alone=True)
    """
    phred, _, bias, depths, _ = body.split("\t")
    values, of_alleles = (tuple(int(value) for value in text.split(",")) for text in (phred, depths))
    strand_bias = None if bias == MISSING else int(bias)
    return evidence_of(Reads(values, of_alleles, strand_bias), allele, indel, limits)

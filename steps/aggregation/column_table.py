"""The different columns of samples at the sites of a tile: likelihoods and depths over each site's alleles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from bcf import smallest
from likelihoods import HALF, pairs
from packed_samples import NO_BIAS, Array, Bodies

NONE = -1  # in place of the number of an allele that a record lacks


class ColumnTable:
    """The different columns at the sites of a tile that have a number of alleles, numbered from 0.

    Args:
        alleles: The number of alleles.
    """

    def __init__(self, alleles: int) -> None:
        self._pairs = np.array(pairs(alleles))
        self._alleles = alleles
        self._numbers: dict[bytes, int] = {}
        self._fields: dict[str, Array] = {}

    def of_reference(self, states: Array) -> Array:
        """Return the numbers of the columns of reference sites over alleles that were not observed there.

        A genotype with one reference allele is as likely as the reference with any unobserved allele, and one without
        it as two unobserved alleles.

        Args:
            states: Depth and likelihoods of each: rows of `Packed.reference`.
        """
        phred = states[:, 1 + (self._pairs > 0).sum(axis=1)]
        depths = np.zeros((len(states), self._alleles), dtype=np.int32)
        depths[:, 0] = states[:, 0]
        return self._add(phred, states[:, 0], np.full(len(states), NO_BIAS), depths)

    def of_records(self, bodies: Bodies, which: Array, places: Array) -> Array:
        """Return the numbers of the columns of records over other alleles, the least of whose likelihoods is 0.

        An allele that the record lacks has the likelihood of its unseen allele. Where it has none, reads of another
        allele are as if they came from one of two copies.

        Args:
            bodies: The values of records.
            which: The number of each record there.
            places: The number of each of the site's alleles in the record: an array of shape (records, alleles).
        """
        record, of_alleles = (one[which].astype(np.int32) for one in (bodies.phred, bodies.depths))
        unseen, worst = bodies.unseen[which][:, None], record.max(axis=1)[:, None]
        first, second = (places[:, one] for one in self._pairs.T)
        known_or_unseen = [np.where(one == NONE, unseen, one) for one in (first, second)]
        low, high = np.minimum(*known_or_unseen), np.maximum(*known_or_unseen)  # faster than to sort two values
        phred = np.take_along_axis(record, high * (high + 1) // 2 + low, axis=1)
        lacks = ((first == NONE) | (second == NONE)) & (unseen == 0)
        if lacks.any():
            known = np.maximum(np.maximum(first, second), 0)
            reads = np.rint(HALF * np.take_along_axis(of_alleles, known, axis=1)).astype(np.int32)
            half = np.minimum(np.take_along_axis(record, known * (known + 3) // 2, axis=1) + reads, worst)
            phred = np.where(lacks, np.where((first == NONE) & (second == NONE), worst, half), phred)
        depths = np.where(places == NONE, 0, np.take_along_axis(of_alleles, np.maximum(places, 0), axis=1))
        phred -= phred.min(axis=1)[:, None]
        return self._add(phred, bodies.depth[which], bodies.bias[which], depths)

    def _add(self, phred: Array, depth: Array, bias: Array, depths: Array) -> Array:
        rows = np.hstack([phred, depth[:, None], bias[:, None], depths]).astype(np.int32)
        data, size = rows.tobytes(), rows.shape[1] * rows.itemsize
        numbers = self._numbers
        found = [numbers.setdefault(data[place : place + size], len(numbers)) for place in range(0, len(data), size)]
        return np.array(found, dtype=np.int32)

    def fields(self) -> Mapping[str, Array]:
        """Return the FORMAT fields of all columns, after the last one was added."""
        if not self._fields:
            values = np.frombuffer(b"".join(self._numbers), dtype=np.int32).reshape(len(self._numbers), -1)
            genotypes = len(self._pairs)
            bias = smallest(values[:, genotypes + 1, None])
            bias = np.where(bias == NO_BIAS, np.iinfo(bias.dtype).min, bias)
            self._fields = {
                "PL": smallest(values[:, :genotypes]),
                "DP": smallest(values[:, genotypes, None]),
                "SP": bias,
                "AD": smallest(values[:, genotypes + 2 :]),
            }
        return self._fields

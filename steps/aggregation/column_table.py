"""The different columns of samples at the sites of a tile: likelihoods and depths over each site's alleles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from bcf import smallest
from gvcf_records import MISSING
from likelihoods import HALF, pairs
from packed_samples import Array

NO_BIAS = -1  # in place of a strand bias that is not known
NONE = -1  # in place of the number of an allele that a record lacks


class Bodies(NamedTuple):
    """Different likelihoods and depths of records, each value an array with a row for each of them.

    Attributes:
        phred: The likelihoods, 0 behind the last one of those with fewer alleles.
        depth: The depth.
        bias: The strand bias.
        depths: The depth of each allele, 0 behind the last one.
        unseen: The number of the unseen allele; 0 without one.
    """

    phred: Array
    depth: Array
    bias: Array
    depths: Array
    unseen: Array


def bodies_of(texts: Sequence[str]) -> Bodies:
    """Return the values of `Packed.body_texts`, at least one."""
    phred, depth, bias, depths, unseen = zip(*(text.split("\t") for text in texts), strict=True)
    biases = [NO_BIAS if one == MISSING else int(one) for one in bias]
    of_depth, of_bias, of_unseen = (np.array([*map(int, one)]) for one in (depth, biases, unseen))
    return Bodies(_padded(phred), of_depth, of_bias, _padded(depths), of_unseen)


def _padded(texts: Sequence[str]) -> Array:
    sizes = np.array([text.count(",") + 1 for text in texts])
    values = np.zeros((len(texts), sizes.max()), dtype=np.int64)
    values[np.arange(sizes.max()) < sizes[:, None]] = [*map(int, ",".join(texts).split(","))]
    return values


class ColumnTable:
    """The different columns at the sites of a tile, numbered from 0.

    Args:
        most: The most alleles that one of the sites has.
    """

    def __init__(self, most: int) -> None:
        self._pairs = np.array(pairs(most))
        self._most = most
        self._numbers: dict[bytes, int] = {}
        self._fields: dict[int, dict[str, Array]] = {}

    def of_reference(self, states: Array, alleles: Array) -> Array:
        """Return the numbers of the columns of reference sites over alleles that were not observed there.

        A genotype with one reference allele is as likely as the reference with any unobserved allele, and one without
        it as two unobserved alleles.

        Args:
            states: Depth and likelihoods of each: rows of `Packed.reference`.
            alleles: The number of alleles of its site.
        """
        phred = states[:, 1 + (self._pairs > 0).sum(axis=1)]
        depths = np.zeros((len(states), self._most), dtype=np.int64)
        depths[:, 0] = states[:, 0]
        return self._add(phred, states[:, 0], np.full(len(states), NO_BIAS), depths, alleles)

    def of_records(self, bodies: Bodies, which: Array, places: Array, alleles: Array) -> Array:
        """Return the numbers of the columns of records over other alleles, the least of whose likelihoods is 0.

        An allele that the record lacks has the likelihood of its unseen allele. Where it has none, reads of another
        allele are as if they came from one of two copies.

        Args:
            bodies: The values of records.
            which: The number of each record there.
            places: The number of each of the site's alleles in the record: an array of shape (records, most alleles).
            alleles: The number of alleles of its site.
        """
        record = bodies.phred[which]
        unseen, worst = bodies.unseen[which][:, None], record.max(axis=1)[:, None]
        first, second = (places[:, one] for one in self._pairs.T)
        low, high = np.sort([np.where(one == NONE, unseen, one) for one in (first, second)], axis=0)
        phred = np.take_along_axis(record, high * (high + 1) // 2 + low, axis=1)
        known = np.maximum(np.maximum(first, second), 0)
        reads = np.rint(HALF * np.take_along_axis(bodies.depths[which], known, axis=1)).astype(np.int64)
        half = np.minimum(np.take_along_axis(record, known * (known + 3) // 2, axis=1) + reads, worst)
        lacks = ((first == NONE) | (second == NONE)) & (unseen == 0)
        phred = np.where(lacks, np.where((first == NONE) & (second == NONE), worst, half), phred)
        depths = np.where(places == NONE, 0, np.take_along_axis(bodies.depths[which], np.maximum(places, 0), axis=1))
        phred -= np.where(self._is_used(alleles), phred, phred.max()).min(axis=1)[:, None]
        return self._add(phred, bodies.depth[which], bodies.bias[which], depths, alleles)

    def _is_used(self, alleles: Array) -> Array:
        """Return which genotypes are of the alleles of sites."""
        return self._pairs[:, 1] < alleles[:, None]

    def _add(self, phred: Array, depth: Array, bias: Array, depths: Array, alleles: Array) -> Array:
        phred = np.where(self._is_used(alleles), phred, 0)
        depths = np.where(np.arange(self._most) < alleles[:, None], depths, 0)
        rows = np.hstack([phred, depth[:, None], bias[:, None], depths]).astype(np.int32)
        data, size = rows.tobytes(), rows.shape[1] * rows.itemsize
        numbers = self._numbers
        found = [numbers.setdefault(data[place : place + size], len(numbers)) for place in range(0, len(data), size)]
        return np.array(found, dtype=np.int32)

    def fields(self, alleles: int) -> Mapping[str, Array]:
        """Return the FORMAT fields of all columns over a number of alleles, after the last one was added."""
        if alleles not in self._fields:
            values = np.frombuffer(b"".join(self._numbers), dtype=np.int32).reshape(len(self._numbers), -1)
            genotypes = len(self._pairs)
            bias = smallest(values[:, genotypes + 1, None])
            bias = np.where(bias == NO_BIAS, np.iinfo(bias.dtype).min, bias)
            self._fields[alleles] = {
                "PL": np.ascontiguousarray(smallest(values[:, : len(pairs(alleles))])),
                "DP": smallest(values[:, genotypes, None]),
                "SP": bias,
                "AD": np.ascontiguousarray(smallest(values[:, genotypes + 2 : genotypes + 2 + alleles])),
            }
        return self._fields[alleles]

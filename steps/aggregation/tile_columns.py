"""The FORMAT values of the samples of a cohort at the sites of a tile, and the sums over the cohort.

Most values are those of stretches of the reference, which sites of one stretch share. The values of a sample at a site
are its column. Columns are numbered: each different one is computed, and kept, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from bcf import NewRecord, smallest
from column_table import NONE, ColumnTable
from common.arrays import distinct
from gvcf_records import I16, Allele, Site
from likelihoods import MANY
from packed_samples import DENSE, SHARE, Array, Bodies, Packed, different
from tiles import Tile

PL, AD = "PL", "AD"
NUMBER = "COLUMN"  # the FORMAT field with the number of a sample's column within its tile


class SiteRow(NamedTuple):
    """A site of a cohort.

    Attributes:
        record: Its record for `bcftools call`, whose samples have `PL` and the number of their column.
        values: The FORMAT fields that genotypes do not depend on, of each column of the tile, by its number.
    """

    record: NewRecord
    values: Mapping[str, Array]


@lru_cache(MANY)  # groups of a cohort have many of the same
def parse_allele(text: str) -> tuple[bool, Allele]:
    """Return whether an allele is an indel, and the allele, from one of `Packed.allele_texts`."""
    indel, ref, alt = text.split("\t")
    return indel == "1", Allele(ref, alt)


class TileColumns:
    """The columns of a cohort at the sites of a tile.

    Args:
        tile: The tile.
        sites: Its sites, in order, at least one.
        samples: The number of samples.
    """

    def __init__(self, tile: Tile, sites: Sequence[Site], samples: int) -> None:
        self._sites = sites
        self._positions = np.array([site.place.pos - tile.start for site in sites])
        places = np.arange(tile.end - tile.start + 2)
        self._before = np.searchsorted(self._positions, places).astype(np.int32)  # sites before each place
        self._keys = self._positions * 2 + [site.place.indel for site in sites]
        self._alleles = np.array([len(site.alts) + 1 for site in sites])
        self._most = int(self._alleles.max())
        self._places: dict[tuple[bool, Allele], list[tuple[int, int]]] = {}  # site and number there of each allele
        for number, site in enumerate(sites):
            for place, allele in enumerate(site.alleles, 1):
                self._places.setdefault((site.place.indel, allele), []).append((number, place))
        self._columns = np.zeros((len(sites), samples), dtype=np.int32)
        self._tables = {many: ColumnTable(many) for many in distinct(self._alleles).tolist()}
        self._depths = np.zeros(len(sites), dtype=np.int64)
        self._sums = np.zeros((len(sites), I16), dtype=np.int64)
        self._shares = np.zeros((len(sites), self._most), dtype=np.int64)

    def add(self, packed: Packed, places: Sequence[int]) -> None:
        """Add a group of samples.

        Args:
            packed: The group.
            places: The place of each of its samples in the cohort.
        """
        columns, depths = self._of_reference(packed)
        is_reference = depths > 0
        pairs = self._pairs(packed)
        if len(pairs):
            samples, sites = self._add_records(packed, pairs, columns, depths)
            is_reference[samples, sites] = False
        self._columns[:, list(places)] = columns.T
        self._depths += depths.sum(axis=0)
        self._shares[:, 0] += is_reference.sum(axis=0) * round(1 / SHARE)

    def _of_reference(self, packed: Packed) -> tuple[Array, Array]:
        """Return the number of each sample's column at each site by its stretches, and the depths there."""
        samples, sites = len(packed.stretches), len(self._sites)
        firsts, counts = self._before[packed.starts], self._before[1:][packed.ends]
        counts -= firsts
        having = np.flatnonzero(counts > 0)
        counts = counts[having]
        before = np.repeat(np.arange(0, samples * sites, sites), packed.stretches)[having] + firsts[having]
        before -= np.cumsum(counts) - counts
        reference = np.vstack([packed.reference, [0, 0, 0, 0]])  # where nothing is known
        state: Array = np.full(samples * sites, len(reference) - 1, dtype=np.int32)
        state[np.repeat(before, counts) + np.arange(counts.sum())] = np.repeat(packed.states[having], counts)
        state = state.reshape(samples, sites)
        numbers = np.array([table.of_reference(reference) for table in self._tables.values()])
        columns = np.take(numbers, np.searchsorted([*self._tables], self._alleles) * len(reference) + state)
        return columns, np.take(reference[:, 0], state)

    def _pairs(self, packed: Packed) -> Array:
        """Return record and site of each record that has an allele at the place of a site, and its numbers of alleles.

        Returns:
            An array of shape (pairs, 2 + most alleles of a site); `NONE` for alleles that the record lacks.
        """
        alleles = [parse_allele(text) for text in packed.allele_texts]
        indels = np.array([indel for indel, _ in alleles], dtype=np.int64)
        keys = packed.positions * 2 + indels[packed.alleles] if len(alleles) else packed.positions
        sites = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        here = np.flatnonzero(self._keys[sites] == keys)
        records = np.repeat(np.arange(len(packed.bodies)), packed.entry_counts)
        codes = records[here] * len(self._sites) + sites[here]
        pair_of = np.arange(len(codes))
        if (np.diff(codes) <= 0).any():  # as of a record with several alleles at a place
            codes, pair_of = np.unique(codes, return_inverse=True)
        pairs = np.full((len(codes), 2 + self._most), NONE)
        pairs[:, 0], pairs[:, 1] = np.divmod(codes, len(self._sites))
        pairs[:, 2] = 0  # the reference
        wanted = self._wanted(alleles)
        if len(wanted):
            keys = sites[here] * len(alleles) + packed.alleles[here]
            found = np.minimum(np.searchsorted(wanted[:, 0], keys), len(wanted) - 1)
            known = wanted[found, 0] == keys
            pairs[pair_of[known], 2 + wanted[found[known], 1]] = packed.numbers[here][known]
        return pairs

    def _wanted(self, alleles: Sequence[tuple[bool, Allele]]) -> Array:
        """Return a key of each allele of each site that a group has, sorted, and the allele's number at the site."""
        found = [
            (site * len(alleles) + number, place)
            for number, allele in enumerate(alleles)
            for site, place in self._places.get(allele, ())
        ]
        return np.array(sorted(found), dtype=np.int64).reshape(-1, 2)

    def _add_records(self, packed: Packed, pairs: Array, columns: Array, depths: Array) -> tuple[Array, Array]:
        """Set the columns and depths of records, add their sums, and return their samples and sites.

        Of several records of a sample at a site, the one with the most evidence for a variant counts.
        """
        sample_of = np.repeat(np.arange(len(packed.records)), packed.records)
        bodies = packed.values
        evidence = bodies.phred[:, 0].astype(np.int64)
        cells = sample_of[pairs[:, 0]] * len(self._sites) + pairs[:, 1]
        if (np.diff(cells) <= 0).any():
            order = np.lexsort((pairs[:, 0], -evidence[packed.bodies[pairs[:, 0]]], cells))
            pairs = pairs[order[np.diff(cells[order], prepend=NONE) > 0]]
        records, sites, numbers = pairs[:, 0], pairs[:, 1], pairs[:, 2:]
        samples, body = sample_of[records], packed.bodies[records]
        alleles = self._alleles[sites]
        for many, table in self._tables.items():
            here = np.flatnonzero(alleles == many)
            if len(here):
                columns[samples[here], sites[here]] = _record_columns(table, bodies, body[here], numbers[here, :many])
        depths[samples, sites] = bodies.depth[body]
        order = np.argsort(sites, kind="stable")
        firsts = np.flatnonzero(np.diff(sites[order], prepend=NONE) > 0)
        self._sums[sites[order[firsts]]] += np.add.reduceat(packed.sums[records[order]], firsts, dtype=np.int64)
        offsets = (np.cumsum(packed.share_counts) - packed.share_counts)[records]
        for place in range(self._most):
            known = numbers[:, place] != NONE
            shares = packed.shares[offsets[known] + numbers[known, place]]  # whose sums are exact in 53 bits
            self._shares[:, place] += np.bincount(sites[known], shares, len(self._sites)).astype(np.int64)
        return samples, sites

    def rows(self) -> Iterator[SiteRow]:
        """Yield each site, with the columns of all samples."""
        fields = {many: table.fields() for many, table in self._tables.items()}
        values = {many: {name: one for name, one in each.items() if name != PL} for many, each in fields.items()}
        all_columns, sums = smallest(self._columns), self._sums.astype(np.float64).tolist()
        for number, site in enumerate(self._sites):
            alleles = len(site.alts) + 1
            shares = (self._shares[number, :alleles] * SHARE).tolist()
            columns = all_columns[number]
            info: dict[str, bool | int | Sequence[float]] = {
                "DP": int(self._depths[number]),
                "I16": sums[number],
                "QS": _rounded(shares),
            }
            record = NewRecord(
                site.place.contig,
                site.place.pos,
                ".",
                (site.ref, *site.alts),
                {"INDEL": True, **info} if site.place.indel else info,
                {PL: fields[alleles][PL].take(columns, axis=0), NUMBER: columns[:, None]},
            )
            yield SiteRow(record, values[alleles])


def _record_columns(table: ColumnTable, bodies: Bodies, which: Array, numbers: Array) -> Array:
    """Return the numbers of the columns of records.

    Args:
        table: The columns.
        bodies: The values of records.
        which: The number of each record there.
        numbers: The number of each allele of its site in the record: an array of shape (records, alleles).
    """
    codes, base = which.astype(np.int64), int(numbers.max()) + 2
    for place in range(1, numbers.shape[1]):
        if codes.max() >= DENSE * len(codes):
            codes = different(codes)[1]
        codes = codes * base + numbers[:, place] + 1
    firsts, which_of = different(codes)
    return table.of_records(bodies, which[firsts], numbers[firsts])[which_of]


def _rounded(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.10g}") for value in values]

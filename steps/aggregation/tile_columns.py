"""The FORMAT columns of the samples of a cohort at the sites of a tile, and the sums over the cohort.

Most columns are those of stretches of the reference, which sites of one stretch share. Columns are numbered: each
different one is made, and kept, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from gvcf_records import I16, Allele, Site
from likelihoods import of_reference, over_alleles
from packed_samples import SHARE, Array, Packed
from tiles import Tile

MANY_COLUMNS = 1 << 16  # different ones
SAMPLE_BP = 1 << 16  # more than a tile: the places of one sample's stretches behind those of the sample before
NONE = -1  # in place of the number of an allele that a record lacks


def parse_allele(text: str) -> tuple[bool, Allele]:
    """Return whether an allele is an indel, and the allele, from one of `Packed.allele_texts`."""
    indel, ref, alt = text.split("\t")
    return indel == "1", Allele(ref, alt)


@lru_cache(MANY_COLUMNS)
def reference_column(depth: int, phred: tuple[int, int, int], alleles: int) -> str:
    """Return the column of a reference site over alleles that were not observed there.

    >>> reference_column(20, (0, 60, 255), 3)
    '0,60,255,60,255,255:20:.:20,0,0'
    """
    return f"{_joined(of_reference(phred, alleles))}:{depth}:.:{depth}{',0' * (alleles - 1)}"


@lru_cache(MANY_COLUMNS)
def record_column(body: str, places: tuple[int | None, ...]) -> str:
    r"""Return the column of a record's site.

    Args:
        body: The record's likelihoods and depths: see `Packed.body_texts`.
        places: The number of each of the site's alleles in the record; None for one that it lacks.

    >>> record_column("60,0,60,66,66,120\t4\t3\t2,2,0\t2", (0, None, 1))
    '60,66,120,0,66,60:4:3:2,0,2'
    """
    phred, depth, bias, depths, unseen = body.split("\t")
    of_alleles = [int(value) for value in depths.split(",")]
    likelihoods = over_alleles([int(value) for value in phred.split(",")], places, int(unseen) or None, of_alleles)
    chosen = [of_alleles[place] if place is not None else 0 for place in places]
    return f"{_joined(likelihoods)}:{depth}:{bias}:{_joined(chosen)}"


def _joined(values: Iterable[int]) -> str:
    return ",".join(map(str, values))


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
        self._keys = self._positions * 2 + [site.place.indel for site in sites]
        self._alleles = np.array([len(site.alts) + 1 for site in sites])
        self._most = int(self._alleles.max())
        self._columns = np.zeros((len(sites), samples), dtype=np.int32)
        self._texts: dict[str, int] = {}
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

    def _number(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _of_reference(self, packed: Packed) -> tuple[Array, Array]:
        """Return the number of each sample's column at each site by its stretches, and the depths there."""
        samples = np.arange(len(packed.stretches))
        firsts = np.cumsum(packed.stretches) - packed.stretches
        starts = np.repeat(samples, packed.stretches) * SAMPLE_BP + packed.starts
        wanted = samples[:, None] * SAMPLE_BP + self._positions
        found = np.searchsorted(starts, wanted.ravel(), side="right").reshape(wanted.shape) - 1
        reference = np.vstack([packed.reference, [0, 0, 0, 0]])  # where nothing is known
        ends, states = np.append(packed.ends, NONE), np.append(packed.states, NONE)
        is_covered = (found >= firsts[:, None]) & (ends[found] >= self._positions)
        state = np.where(is_covered, states[found], len(reference) - 1)
        codes = state * (self._most + 1) + self._alleles
        used = np.zeros(len(reference) * (self._most + 1), dtype=bool)
        used[codes] = True
        numbers = np.zeros(len(used), dtype=np.int32)
        rows = reference.tolist()
        for code in np.flatnonzero(used).tolist():
            number, alleles = divmod(code, self._most + 1)
            depth, *phred = rows[number]
            numbers[code] = self._number(reference_column(depth, tuple(phred), alleles))
        return numbers[codes], reference[state, 0]

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
        codes, pair_of = np.unique(records[here] * len(self._sites) + sites[here], return_inverse=True)
        pairs = np.full((len(codes), 2 + self._most), NONE)
        pairs[:, 0], pairs[:, 1] = np.divmod(codes, len(self._sites))
        pairs[:, 2] = 0  # the reference
        wanted = self._wanted({allele: number for number, allele in enumerate(alleles)})
        if len(wanted):
            keys = sites[here] * len(alleles) + packed.alleles[here]
            found = np.minimum(np.searchsorted(wanted[:, 0], keys), len(wanted) - 1)
            known = wanted[found, 0] == keys
            pairs[pair_of[known], 2 + wanted[found[known], 1]] = packed.numbers[here][known]
        return pairs

    def _wanted(self, numbers: Mapping[tuple[bool, Allele], int]) -> Array:
        """Return a key of each allele of each site that a group has, sorted, and the allele's number at the site."""
        found = [
            (site * len(numbers) + number, place)
            for site, one in enumerate(self._sites)
            for place, allele in enumerate(one.alleles, 1)
            if (number := numbers.get((one.place.indel, allele))) is not None
        ]
        return np.array(sorted(found), dtype=np.int64).reshape(-1, 2)

    def _add_records(self, packed: Packed, pairs: Array, columns: Array, depths: Array) -> tuple[Array, Array]:
        """Set the columns and depths of records, add their sums, and return their samples and sites.

        Of several records of a sample at a site, the one with the most evidence for a variant counts.
        """
        sample_of = np.repeat(np.arange(len(packed.records)), packed.records)
        bodies = [text.split("\t", 2) for text in packed.body_texts]
        evidence = np.array([int(phred.partition(",")[0]) for phred, *_ in bodies])
        depth_of = np.array([int(depth) for _, depth, _ in bodies])
        cells = sample_of[pairs[:, 0]] * len(self._sites) + pairs[:, 1]
        order = np.lexsort((pairs[:, 0], -evidence[packed.bodies[pairs[:, 0]]], cells))
        pairs = pairs[order[np.unique(cells[order], return_index=True)[1]]]
        records, sites, numbers = pairs[:, 0], pairs[:, 1], pairs[:, 2:]
        samples, body = sample_of[records], packed.bodies[records]
        columns[samples, sites] = self._record_columns(packed.body_texts, body, self._alleles[sites], numbers)
        depths[samples, sites] = depth_of[body]
        np.add.at(self._sums, sites, packed.sums[records])
        offsets = (np.cumsum(packed.share_counts) - packed.share_counts)[records]
        for place in range(self._most):
            known = numbers[:, place] != NONE
            shares = packed.shares[offsets[known] + numbers[known, place]]
            np.add.at(self._shares, (sites[known], place), shares)
        return samples, sites

    def _record_columns(self, texts: Sequence[str], bodies: Array, alleles: Array, numbers: Array) -> Array:
        """Return the numbers of the columns of records.

        Args:
            texts: The texts of bodies.
            bodies: The body of each record.
            alleles: The number of alleles of its site.
            numbers: The number of each allele of the site in the record: an array of shape (records, most alleles).
        """
        codes = bodies * (self._most + 1) + alleles
        for place in range(1, self._most):
            codes = np.unique(codes, return_inverse=True)[1] * (int(numbers.max()) + 2) + numbers[:, place] + 1
        _, firsts, which = np.unique(codes, return_index=True, return_inverse=True)
        made = []
        for first, row in zip(firsts.tolist(), numbers[firsts].tolist(), strict=True):
            places = tuple(None if one == NONE else one for one in row[: alleles[first]])
            made.append(self._number(record_column(texts[bodies[first]], places)))
        return np.array(made, dtype=np.int32)[which]

    def rows(self) -> Iterator[tuple[Site, str]]:
        """Yield each site with its row: a line of a VCF with the columns of all samples."""
        texts = np.array(list(self._texts), dtype=object)
        for number, site in enumerate(self._sites):
            shares = (self._shares[number, : len(site.alts) + 1] * SHARE).tolist()
            values = [f"{value:.10g}" for value in (*self._sums[number].tolist(), *shares)]
            depth = self._depths[number]
            info = f"DP={depth};I16={','.join(values[:I16])};QS={','.join(values[I16:])}"
            if site.place.indel:
                info = f"INDEL;{info}"
            place = f"{site.place.contig}\t{site.place.pos}\t.\t{site.ref}\t{','.join(site.alts)}"
            columns = "\t".join(texts[self._columns[number]].tolist())
            yield site, f"{place}\t0\t.\t{info}\tPL:DP:SP:AD\t{columns}\n"

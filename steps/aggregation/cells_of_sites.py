"""The cells of records of `bcftools call`, found for many records at once: each call of numpy has a cost of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from bcf import Array
from cells import KEYS, Cells, known_cells
from genotyping import CalledSite
from packed_samples import different
from tile_columns import NUMBER

VALUES_AT_ONCE = 1 << 16  # of samples: more are no faster


def batches(sites: Iterable[CalledSite]) -> Iterator[list[CalledSite]]:
    """Yield sites in lists of about `VALUES_AT_ONCE` samples."""
    batch: list[CalledSite] = []
    for site in sites:
        batch.append(site)
        if len(batch) * len(site.record.samples[NUMBER]) >= VALUES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def cells_of(sites: Sequence[CalledSite]) -> list[Cells]:
    """Return the cells of each site, by the samples' own reads where those of the cohort mislead `bcftools call`."""
    kinds: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, site in enumerate(sites):
        sizes = [site.record.samples[key].shape[1] for key in ("GT", "PL")]
        kinds[(*sizes, id(site.values), site.is_indel)].append(place)
    found: dict[int, Cells] = {}
    for places in kinds.values():
        found.update(zip(places, _of_kind([sites[place] for place in places]), strict=True))
    return [found[place] for place in range(len(sites))]


def _of_kind(sites: Sequence[CalledSite]) -> Iterator[Cells]:
    """Yield the cells of sites whose fields have as many values, and come from the same columns."""
    first = sites[0]
    samples = len(first.record.samples[NUMBER])
    fields = {key: np.concatenate([site.record.samples[key] for site in sites]) for key in ("GT", "PL", "GQ", NUMBER)}
    columns = fields[NUMBER][:, 0].astype(np.int64)
    codes = columns + np.repeat(np.arange(len(sites)) * (columns.max() + 1), samples)
    firsts, of_sample = _different(codes)
    chosen = firsts.take(of_sample)
    genotypes, qualities = (_as_one(fields[key]) for key in ("GT", "GQ"))
    if (genotypes.take(chosen) != genotypes).any() or (qualities.take(chosen) != qualities).any():  # ploidies differ
        kinds, of_kind = different(genotypes.astype(np.int64) << 16 | qualities)
        firsts, of_sample = different(codes * len(kinds) + of_kind)
    of_column = columns.take(firsts)
    values = [
        first.values[key].take(of_column, axis=0) if key in first.values else fields[key].take(firsts, axis=0)
        for key in KEYS
    ]
    rows = np.hstack(values).astype(np.int32)
    known = known_cells(tuple([one.shape[1] for one in values]), first.is_indel)
    cells = [*map(known.__getitem__, rows.view(f"V{rows[0].nbytes}")[:, 0].tolist())]
    borders = np.searchsorted(firsts, np.arange(len(sites) + 1) * samples).tolist()
    for number, begin in enumerate(borders[:-1]):
        of_site = of_sample[number * samples : (number + 1) * samples]
        yield Cells(cells[begin : borders[number + 1]], of_site - begin)


def _as_one(values: Array) -> Array:
    """Return one unsigned integer for the values of each sample: genotypes of at most two copies, or qualities."""
    return values.view(f"<u{values.shape[1] * values.itemsize}")[:, 0]


def _different(codes: Array) -> tuple[Array, Array]:
    """Return the place of one code of each kind, in order, and for each code the place of its kind among those."""
    places = np.arange(len(codes))
    of_code = np.empty(codes.max() + 1, dtype=np.int64)
    of_code[codes] = places
    firsts = np.flatnonzero(of_code.take(codes) == places)
    of_code[codes.take(firsts)] = places[: len(firsts)]
    return firsts, of_code.take(codes)

"""A group of samples over a tile, packed into arrays: all of their gVCFs that joint genotyping needs.

Text is parsed once. Sites and columns are then found for all samples of a group at once, and the arrays can be kept, in
little room, for later cohorts with the same samples.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from common.arrays import distinct
from zlib_ng import zlib_ng

Array = Any  # of numpy
DENSE = 16  # times as many possible codes as codes: a table of them is faster than sorting
LEVEL = 6  # of compression
_Error: type[Exception] = zlib_ng.error  # type: ignore[assignment]  # the stub declares an instance
NO_BIAS = -1  # in place of a strand bias that is not known
SHARE = 1e-9  # unit of shares of qualities: sums of integers do not depend on the order of samples
DELTAS = ("starts", "positions")  # which grow, within a sample
KINDS = tuple(np.dtype(name) for name in ("i1", "i2", "i4", "i8"))


class Bodies(NamedTuple):
    """Different likelihoods and depths of records, each value an array with a row for each of them.

    Attributes:
        phred: The likelihoods, 0 behind the last one of those with fewer alleles.
        depth: The depth.
        bias: The strand bias, or `NO_BIAS`.
        depths: The depth of each allele, 0 behind the last one.
        unseen: The number of the unseen allele; 0 without one.
        alleles: The number of alleles.
    """

    phred: Array
    depth: Array
    bias: Array
    depths: Array
    unseen: Array
    alleles: Array


class Packed(NamedTuple):
    """A group of samples over a tile. Places are counted from the first base of the tile, from 0.

    Stretches are blocks of the reference, or records that say how many reads a place has. Records have alleles that
    were observed, each of which has a place in the tile; one has more entries if it has more such alleles.

    Attributes:
        stretches: The number of stretches of each sample.
        starts: The first place of each stretch.
        ends: Its last place.
        states: The row of `reference` that holds for it.
        reference: Depth, and likelihoods of 0/0, 0/<*> and <*>/<*>, of each state: an array of shape (states, 4).
        records: The number of records of each sample.
        bodies: The row of `values` with each record's likelihoods, depths and strand bias.
        sums: mpileup's I16 of each record: an array of shape (records, 16).
        share_counts: The number of alleles of each record.
        shares: The share of each allele in the qualities of its record's reads, in units of `SHARE`.
        entry_counts: The number of entries of each record.
        positions: The place of each entry's allele in normal form.
        alleles: The number of that allele in `allele_texts`.
        numbers: Its number in the record.
        evident: 1 if the most likely genotype has it, of a record that may make a site.
        phred, depth, bias, depths, unseen, body_alleles: See `Bodies`.
        allele_texts: ``1 for an indel;REF;ALT`` of alleles in normal form, tab-separated.
    """

    stretches: Array
    starts: Array
    ends: Array
    states: Array
    reference: Array
    records: Array
    bodies: Array
    sums: Array
    share_counts: Array
    shares: Array
    entry_counts: Array
    positions: Array
    alleles: Array
    numbers: Array
    evident: Array
    phred: Array
    depth: Array
    bias: Array
    depths: Array
    unseen: Array
    body_alleles: Array
    allele_texts: tuple[str, ...]

    @property
    def values(self) -> Bodies:
        """Return the different likelihoods and depths of records."""
        return Bodies(self.phred, self.depth, self.bias, self.depths, self.unseen, self.body_alleles)

    def only(self, samples: Sequence[int]) -> Packed:
        """Return some of the samples, in the order of the group."""
        chosen = np.zeros(len(self.stretches), dtype=bool)
        chosen[list(samples)] = True
        of_stretch, of_record = np.repeat(chosen, self.stretches), np.repeat(chosen, self.records)
        of_entry, of_share = np.repeat(of_record, self.entry_counts), np.repeat(of_record, self.share_counts)
        members = {"stretches": chosen, "records": chosen, "shares": of_share}
        members |= dict.fromkeys(("starts", "ends", "states"), of_stretch)
        members |= dict.fromkeys(("bodies", "sums", "share_counts", "entry_counts"), of_record)
        members |= dict.fromkeys(("positions", "alleles", "numbers", "evident"), of_entry)
        return self._replace(**{name: getattr(self, name)[mask] for name, mask in members.items()})


def different(codes: Array) -> tuple[Array, Array]:
    """Return the place of one code of each kind, and for each code the place of its kind among those."""
    if codes.max(initial=0) < DENSE * len(codes):
        known = np.zeros(int(codes.max(initial=-1)) + 1, dtype=bool)
        known[codes] = True
        number_of: Array = np.cumsum(known) - 1
        kinds, kind_of = np.flatnonzero(known), number_of[codes]
    else:
        kinds = distinct(codes)
        kind_of = np.searchsorted(kinds, codes)
    places = np.empty(len(kinds), dtype=np.int64)
    places[kind_of] = np.arange(len(codes))
    return places, kind_of


def encoded(packed: Packed) -> bytes:
    """Return a packed group compressed: a line of JSON with the kind and shape of each array, then the data."""
    layout: list[list[Any]] = []
    data = []
    for name, value in packed._asdict().items():
        if isinstance(value, tuple):
            piece = "\n".join(value).encode()
            layout.append([len(value), len(piece)])
        else:
            small = _smallest(np.diff(value, prepend=0) if name in DELTAS else value)
            layout.append([small.dtype.str, list(small.shape)])
            piece = small.tobytes()
        data.append(piece)
    return zlib.compress(json.dumps(layout).encode() + b"\n" + b"".join(data), LEVEL)


def _smallest(values: Array) -> Array:
    """Return integers in the smallest kind that holds them."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    return values.astype(next(kind for kind in KINDS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max))


def decompressed(data: bytes) -> bytes:
    """Return the bytes of a packed group that `unpacked` takes, which are compact enough to keep.

    Raises:
        ValueError: if they are damaged.
    """
    try:
        return bytes(zlib_ng.decompress(data))
    except _Error as error:
        raise ValueError(str(error)) from None


def unpacked(raw: bytes) -> Packed:
    """Return the packed group of decompressed bytes, its integers in the kinds that they were encoded in."""
    place = raw.index(b"\n") + 1
    fields: list[Any] = []
    for name, (kind, shape) in zip(Packed._fields, json.loads(raw[: place - 1]), strict=True):
        if isinstance(kind, int):
            text = raw[place : place + shape].decode()
            fields.append(tuple(text.split("\n")) if kind else ())
            place += shape
        else:
            count = prod(shape)
            values = np.frombuffer(raw, kind, count, place).reshape(shape)
            fields.append(np.cumsum(values, dtype=np.int64) if name in DELTAS else values.copy())  # aligned
            place += count * np.dtype(kind).itemsize
    return Packed(*fields)

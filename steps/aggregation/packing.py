"""The packing of gVCFs: lines of text become arrays, one sample after the other."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from gvcf_records import I16, Base, Body, Record, end_of, is_block, parse_body, parse_reference
from likelihoods import evident_alleles
from packed_samples import NO_BIAS, SHARE, Array, Bodies, Packed
from tiles import Tile

STATE = 4  # values: a depth and three likelihoods
OF_BODIES = ("phred", "depth", "bias", "depths", "unseen", "body_alleles")  # the fields of `Packed` with `Bodies`


class Packing:
    """The samples of a group over a tile.

    Args:
        tile: The tile.
    """

    def __init__(self, tile: Tile) -> None:
        self._tile = tile
        self._numbers: dict[str, array[int]] = {
            name: array("q") for name in Packed._fields if name not in ("reference", "allele_texts", *OF_BODIES)
        }
        self._states: dict[tuple[int, ...], int] = {}
        self._bodies: dict[str, int] = {}
        self._values: list[Body] = []
        self._alleles: dict[str, int] = {}

    def add(self, lines: Iterable[str], base: Base) -> None:
        """Add a sample.

        Args:
            lines: The lines of its gVCF that overlap the tile, and those behind it whose indels may begin in it.
            base: Returns the base of a contig at a position, from 1.

        Raises:
            ValueError, KeyError, IndexError: for a line that is damaged.
        """
        first, last = self._tile.start, self._tile.end
        numbers = self._numbers
        start_before = end_before = stretches = records = 0
        for line in lines:
            start = int(line.split("\t", 2)[1])
            of_block = is_block(line)
            if not of_block:
                records += self._add_record(line, base)
                if end_before >= start:
                    continue  # an indel's record after the block, or the record, of the base before it
            elif start_before >= start:
                continue
            start_before, end_before = start, end_of(line) if of_block else start
            if start <= last and end_before >= first:
                stretches += 1
                numbers["starts"].append(max(start, first) - first)
                numbers["ends"].append(min(end_before, last) - first)
                numbers["states"].append(self._state(line, of_block))
        numbers["stretches"].append(stretches)
        numbers["records"].append(records)

    def _state(self, line: str, of_block: bool) -> int:
        _, keys, values = line.rstrip("\n").rsplit("\t", 2)
        phred, depth = parse_reference(keys, values, of_block)
        reference, one, two = phred
        return self._states.setdefault((depth, reference, one, two), len(self._states))

    def _add_record(self, line: str, base: Base) -> bool:
        """Add a record if one of its alleles has a place in the tile, and return whether it has."""
        record, numbers = Record(line, base), self._numbers
        first, last = self._tile.start, self._tile.end
        entries = [(*key, number) for key, number in record.alleles.items() if first <= key[0].pos <= last]
        if not entries:
            return False
        evident = set() if record.is_of_few else evident_alleles(record.phred)
        for place, allele, number in entries:
            text = f"{place.indel:d}\t{allele.ref}\t{allele.alt}"
            numbers["positions"].append(place.pos - first)
            numbers["alleles"].append(self._alleles.setdefault(text, len(self._alleles)))
            numbers["numbers"].append(number)
            numbers["evident"].append(number in evident)
        shares, sums = record.quality_shares, record.sums
        numbers["entry_counts"].append(len(entries))
        numbers["share_counts"].append(len(shares))
        numbers["shares"].extend(round(share / SHARE) for share in shares)
        numbers["sums"].extend(sums)
        numbers["bodies"].append(self._body(record.body))
        return True

    def _body(self, text: str) -> int:
        number = self._bodies.setdefault(text, len(self._bodies))
        if number == len(self._values):
            self._values.append(parse_body(text))
        return number

    def packed(self) -> Packed:
        """Return the samples."""
        arrays: dict[str, Array] = {name: np.array(values, dtype=np.int64) for name, values in self._numbers.items()}
        arrays["sums"] = arrays["sums"].reshape(-1, I16)
        states = np.array(list(chain.from_iterable(self._states)), dtype=np.int64)
        return Packed(
            **arrays,
            reference=states.reshape(-1, STATE),
            **dict(zip(OF_BODIES, bodies_of(self._values), strict=True)),
            allele_texts=tuple(self._alleles),
        )


def bodies_of(values: Sequence[Body]) -> Bodies:
    """Return values of records as arrays."""
    biases = [NO_BIAS if one.bias is None else one.bias for one in values]
    depth, bias, unseen, alleles = (
        np.array(many, dtype=np.int64)
        for many in (
            [one.depth for one in values],
            biases,
            [one.unseen for one in values],
            [len(one.depths) for one in values],
        )
    )
    return Bodies(
        _padded([one.phred for one in values]), depth, bias, _padded([one.depths for one in values]), unseen, alleles
    )


def _padded(rows: Sequence[Sequence[int]]) -> Array:
    """Return rows as one array, with 0 behind the end of shorter ones."""
    sizes = np.array([len(one) for one in rows], dtype=np.int64)
    values = np.zeros((len(rows), sizes.max(initial=0)), dtype=np.int64)
    values[np.arange(values.shape[1]) < sizes[:, None]] = [*chain.from_iterable(rows)]
    return values

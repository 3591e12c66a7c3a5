"""The FORMAT columns of a batch of samples at the sites of a span, and the batch's part of the sums over the cohort.

gVCFs are read one after the other. Most of their columns are those of blocks, which all sites in a block share: these
are found for all sites at once. Only records with observed alleles are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from gvcf_records import I16, NO_READS, Base, Record, Site, end_of, is_block, parse_block


class Part(NamedTuple):
    """The part of a batch of samples in a site's row: its sums, comma-separated, and the samples' columns."""

    sums: str  # depth, 16 values of I16, shares of the qualities
    columns: str


class SampleColumns:
    """The columns of samples at the sites of one span.

    Args:
        sites: The sites, in order.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites
        self._positions = np.array([site.place.pos for site in sites], dtype=np.int64)
        self._numbers = {site.place: number for number, site in enumerate(sites)}
        alleles = np.array([len(site.alts) + 1 for site in sites], dtype=np.int64)
        self._of_alleles = [(int(many), np.flatnonzero(alleles == many)) for many in np.unique(alleles)]
        self._texts: list[Any] = []
        self._depths = np.zeros(len(sites), dtype=np.int64)
        self._i16 = np.zeros((len(sites), I16))
        self._shares = np.zeros((len(sites), max(alleles, default=1)))

    def add(self, lines: Iterable[str], base: Base) -> None:
        """Add a sample.

        Args:
            lines: The lines of its gVCF that overlap the span, in order.
            base: Returns the base of a contig at a position, from 1.
        """
        starts, held, records = self._read(lines, base)
        before = np.searchsorted(np.array(starts, dtype=np.int64), self._positions, side="right") - 1
        used, which = np.unique(before, return_inverse=True)
        blocks = [NO_READS if number < 0 else parse_block(held[number]) for number in used.tolist()]
        is_covered = np.array([block.end for block in blocks], dtype=np.int64)[which] >= self._positions
        blocks.append(NO_READS)
        which = np.where(is_covered, which, len(blocks) - 1)
        depths = np.array([block.depth for block in blocks], dtype=np.int64)[which]
        texts = np.empty(len(self._sites), dtype=object)
        for alleles, sites in self._of_alleles:
            needed, places = np.unique(which[sites], return_inverse=True)
            texts[sites] = np.array([blocks[number].column(alleles) for number in needed.tolist()], dtype=object)[
                places
            ]
        of_reference = depths > 0
        for number, record in records.items():
            column = record.column(self._sites[number])
            texts[number], depths[number], of_reference[number] = column.text, column.depth, False
            self._i16[number] += column.i16
            self._shares[number, : len(column.quality_shares)] += column.quality_shares
        self._texts.append(texts)
        self._depths += depths
        self._shares[:, 0] += of_reference

    def _read(self, lines: Iterable[str], base: Base) -> tuple[list[int], list[str], dict[int, Record]]:
        """Return the starts and lines of blocks, and the records by the numbers of their sites."""
        starts: list[int] = []
        held: list[str] = []
        records: dict[int, Record] = {}
        for line in lines:
            start = int(line.split("\t", 2)[1])
            if not is_block(line):
                record = Record(line, base)
                for number in [self._numbers[place] for place in record.places if place in self._numbers]:
                    other = records.get(number)
                    if other is None or other.phred[0] < record.phred[0]:
                        records[number] = record
                if held and end_of(held[-1]) >= start:
                    continue  # an indel's record after the block, or the record, of the base before it
            elif starts and starts[-1] >= start:
                continue
            starts.append(start)
            held.append(line)
        return starts, held, records

    def parts(self) -> Iterator[Part]:
        """Yield the part of each site, in order."""
        for number, site in enumerate(self._sites):
            shares = self._shares[number, : len(site.alts) + 1]
            sums = [self._depths[number], *self._i16[number], *shares]
            columns = "\t".join([texts[number] for texts in self._texts])
            yield Part(",".join(f"{value:.10g}" for value in sums), columns)

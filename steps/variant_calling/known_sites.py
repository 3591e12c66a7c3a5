"""The counts of reads at the sites from which contamination is estimated, taken from the records of one pileup."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from calling_units import Ownership, Unit
from common.program import BadInput
from common.tabix_file import open_tabix
from contamination import HOMOZYGOUS, SiteCounts, frequency_bin
from gvcf_blocks import REFERENCE_MARGIN, UNSEEN

BASES = frozenset("ACGT")
Writer = Callable[[str], object]


class PanelSite(NamedTuple):
    """A common SNP: its position, counted from 0, its alleles, and the bin of the alternative allele's frequency."""

    position: int
    reference: str
    alternative: str
    frequency_bin: int


class SiteCounter:
    """A counter of reads, which sees all records of a pileup, and once more those that may be variant.

    Attributes:
        counts: The counts so far.
    """

    def __init__(self) -> None:
        self.counts = SiteCounts()

    def counted(self, lines: Iterable[str]) -> Iterable[str]:
        """Return all records, whose reads are counted when they are read."""
        return lines

    def passing(self, write: Writer) -> Writer:
        """Return a writer of records that may be variant, whose reads are counted when they are written."""
        return write


class OwnVariants(SiteCounter):
    """A counter of reads at the sample's own SNPs that are not heterozygous.

    Args:
        own: The unit.
    """

    def __init__(self, own: Ownership) -> None:
        super().__init__()
        self._own = own

    def passing(self, write: Writer) -> Writer:
        """Return a writer of records that may be variant, whose reads are counted when they are written."""

        def count_and_write(line: str) -> None:
            self._add(line)
            write(line)

        return count_and_write

    def _add(self, line: str) -> None:
        """Count the reads of one of mpileup's records, unless the reference or the record says no SNP."""
        contig, pos, _, ref, alts, _, _, info, _, sample = line.rstrip("\n").split("\t")
        if info.startswith("INDEL") or alts == UNSEEN or ref.upper() not in BASES:
            return
        likelihoods, *_, reads = sample.split(":")
        if int(likelihoods.partition(",")[0]) < REFERENCE_MARGIN:
            return
        reference, alternative, *others = map(int, reads.split(","))
        if alternative >= HOMOZYGOUS * (reference + alternative) and self._own.parts(contig, int(pos) - 1, int(pos)):
            self.counts.add(0, reference, alternative, sum(others))


class PanelSites(SiteCounter):
    """A counter of reads at the sites of a panel that a unit owns.

    Args:
        path: A VCF file with its index beside it.
        field: The INFO field with the frequency of the alternative allele.
        unit: The unit.

    Raises:
        BadInput: for a file that cannot be read, or without the field.
    """

    def __init__(self, path: str, field: str, unit: Unit) -> None:
        super().__init__()
        self._sites: dict[str, list[PanelSite]] = {}
        try:
            with open_tabix(path) as panel:
                if not any(line.startswith(f"##INFO=<ID={field},") for line in panel.header):
                    raise BadInput(f"{path}: expected the INFO field {field} with frequencies, found none")
                for span in unit:
                    if span.contig in panel.contigs:
                        lines = panel.fetch(span.contig, span.start, span.end)
                        self._sites.setdefault(span.contig, []).extend(panel_sites(lines, field, span.start))
        except (OSError, ValueError, UnicodeDecodeError):
            raise BadInput(f"{path}: expected a VCF file with its index, found one that cannot be read") from None

    def counted(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield all records, whose reads are counted on the way."""
        contig, sites, place = "", list[PanelSite](), 0
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            start = int(fields[1]) - 1
            if fields[0] != contig:
                contig, sites = fields[0], self._sites.get(fields[0], [])
                place = bisect_left(sites, start, key=lambda site: site.position)
            info = fields[7]
            end = int(info[4 : info.index(";")]) if info.startswith("END=") else start + 1
            while place < len(sites) and sites[place].position < end:
                if sites[place].position >= start:
                    self._add(sites[place], fields)
                place += 1
            yield line

    def _add(self, site: PanelSite, fields: list[str]) -> None:
        """Count the reads of a record over a site."""
        alts, sample = fields[4].upper().split(","), fields[9].split(":")
        if alts == [UNSEEN]:
            self.counts.add(site.frequency_bin, int(sample[1]), 0, 0)
        elif fields[3].upper() == site.reference:
            reference, *reads = map(int, sample[-1].split(","))
            alternative = reads[alts.index(site.alternative)] if site.alternative in alts else 0
            self.counts.add(site.frequency_bin, reference, alternative, sum(reads) - alternative)


def panel_sites(lines: Iterable[str], field: str, start: int) -> Iterator[PanelSite]:
    """Yield the common SNPs with one alternative allele, each position once.

    Args:
        lines: The records of a VCF in a span of a contig.
        field: The INFO field with the frequency of the alternative allele.
        start: The begin of the span, counted from 0.
    """
    value = re.compile(rf"(?:^|;){re.escape(field)}=([^;]+)")
    last = start - 1
    for line in lines:
        _, pos, _, ref, alt, _, _, info = line.split("\t", 8)[:8]
        match, position = value.search(info), int(pos) - 1
        if match is None or ref.upper() not in BASES or alt.upper() not in BASES or position <= last:
            continue
        chosen = frequency_bin(_number(match[1]))
        if chosen is not None:
            last = position
            yield PanelSite(position, ref.upper(), alt.upper(), chosen)


def _number(text: str) -> float:
    """Return a frequency; 0, which no common allele has, for text that is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0

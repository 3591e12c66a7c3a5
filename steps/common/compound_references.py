"""The annotations of csq that depend on variants far before them, made again so that they do not.

csq of bcftools 1.24 (csq.c) treats the variants of a group of overlapping transcripts together. Two things from before
a group change what it writes:

- The consequence of variants that change a protein together stands at one of them, and the others have ``@`` and the
  position of that one, by a pointer to its record. The memory of a record that was written is used again, while records
  behind it wait for the end of an overlapping transcript: these then name the variant that is in that memory
  (`vbuf_flush`, `kput_vcsq`). Which ones depends on the size of the ring of records, which only grows.
- Transcripts that end at the same base follow each other as a heap has them, in which those of the group before still
  are when its last variant comes right before the first one of this group (`hap_flush`).

Groups to which this may happen are annotated once more: after a record that ends all transcripts before, in a ring that
is larger than any of them has variants.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from pathlib import Path

import pysam

from common.bcf_records import BcfRecord, BcfRecords, record_without_allele, write_records
from common.transcript_groups import Extent, Region, Transcripts, reach


class VariantGroup:
    """A group of transcripts with its variants, or one of the variants outside of them.

    Attributes:
        extent: The bases of the group.
        has_transcripts: Whether it has any.
        is_empty: Whether it has no variants.
        references: The position of each variant that refers to another, with that of the other.
    """

    def __init__(self, start: int) -> None:
        self.extent = Extent(start, start)
        self.has_transcripts = False
        self.is_empty = True
        self.references: set[tuple[int, int]] = set()
        self._described: set[tuple[int, int]] = set()

    def add(self, extent: Extent, variant: tuple[int, Sequence[str]] | None) -> None:
        """Add transcripts, or the position of a variant with the values of its INFO/BCSQ."""
        self.extent = Extent(self.extent.start, max(self.extent.end, extent.end))
        if variant is None:
            self.has_transcripts = True
            return
        self.is_empty = False
        pos, values = variant
        for value in values:
            if value.startswith("@"):
                self.references.add((pos, int(value[1:])))
            elif "+" in (changes := value.rpartition("|")[2]):
                self._described.update((other, pos) for other in positions(changes))

    def has_wrong_references(self) -> bool:
        """Return whether some references are wrong, or may be.

        One is wrong if no consequence at its target names the variant that refers to it. Where the memory of a target
        was used again by another target of the same variant, csq writes one reference for both, so that one is missing.
        """
        lacking = {pos for pos, target in self._described - self.references if target < pos}
        behind = {pos for pos, target in self.references if target > pos}
        return bool(self.references - self._described or lacking & behind)


def positions(changes: str) -> Iterator[int]:
    """Yield the positions of the changes that a consequence has.

    >>> list(positions("107G>A+109AC>A")), list(positions("+"))
    ([107, 109], [])
    """
    for change in changes.split("+"):
        digits = change[: len(change) - len(change.lstrip("0123456789"))]
        if digits:
            yield int(digits)


def corrected(annotated: str, annotate: Callable[[str, str], None], genes: str, scratch: Path) -> str:
    """Return the path of an annotated BCF file that depends on no variants far before: the same file if it does not.

    Args:
        annotated: What csq wrote.
        annotate: Runs csq from one BCF file to another.
        genes: The GFF3 file.
        scratch: A folder for temporary files.
    """
    with Path(genes).open(encoding="utf-8") as lines:
        transcripts = Transcripts(lines)
    with pysam.VariantFile(annotated, drop_samples=True) as vcf:
        chosen = ChosenGroups(vcf, dependent_groups(vcf, transcripts))
    if not chosen:
        return annotated
    again, filled, target = f"{scratch}/groups.bcf", f"{scratch}/groups.csq.bcf", f"{scratch}/corrected.bcf"
    before = write_groups(annotated, chosen, again)
    annotate(again, filled)
    replace(annotated, chosen, filled, before, target)
    return target


def dependent_groups(vcf: pysam.VariantFile, transcripts: Transcripts) -> Iterator[tuple[Region, set[int]]]:
    """Yield the groups whose annotations may depend on variants before, with the variants that refer to others.

    Args:
        vcf: What csq wrote.
        transcripts: The transcripts.
    """
    for contig, records in groupby(vcf, lambda record: record.chrom):
        follows = False
        for group in variant_groups(transcripts.extents(contig), records):
            if group.is_empty:
                continue
            may_differ = follows and transcripts.has_shared_end(contig, group.extent)
            if group.has_transcripts and (may_differ or group.has_wrong_references()):
                yield Region(contig, *group.extent), {pos for pos, _ in group.references}
            follows = group.has_transcripts


def variant_groups(extents: Iterable[Extent], records: Iterable[pysam.VariantRecord]) -> Iterator[VariantGroup]:
    """Yield the groups of a contig in order.

    Args:
        extents: The extents of its transcripts, in order.
        records: Its variants.
    """
    variants = ((reach(record.pos, record.stop), (record.pos, record.info.get("BCSQ", ()))) for record in records)
    group: VariantGroup | None = None
    for extent, variant in merge(((one, None) for one in extents), variants, key=lambda one: one[0].start):
        if group is None or extent.start > group.extent.end:
            if group:
                yield group
            group = VariantGroup(extent.start)
        group.add(extent, variant)
    if group:
        yield group


class ChosenGroups:
    """Groups that are annotated once more.

    Args:
        vcf: The file that has them.
        found: The groups, in the file's order, each with the variants that refer to others.

    Attributes:
        samples: The number of samples of the file.
        referring: The contig, group and position of a variant that refers to another; None if none does.
    """

    def __init__(self, vcf: pysam.VariantFile, found: Iterable[tuple[Region, set[int]]]) -> None:
        self.samples = len(vcf.header.samples)
        self.referring: tuple[int, Extent, int] | None = None
        self._by_contig: dict[int, list[Extent]] = {}
        for region, referring in found:
            contig, extent = vcf.get_tid(region.contig), Extent(region.start, region.end)
            self._by_contig.setdefault(contig, []).append(extent)
            if referring and self.referring is None:
                self.referring = contig, extent, max(referring)

    def __bool__(self) -> bool:
        return bool(self._by_contig)

    def of(self, record: BcfRecord) -> Extent | None:
        """Return the group that a record is in, if any."""
        extents = self._by_contig.get(record.contig, ())
        at = bisect_right(extents, record.pos, key=lambda one: one.start) - 1
        return extents[at] if at >= 0 and record.pos <= extents[at].end else None

    def runs(self, records: Iterable[BcfRecord]) -> Iterator[tuple[Extent | None, Iterator[BcfRecord]]]:
        """Yield the records of each group, and of what is between groups, in order."""
        for (_, extent), some in groupby(records, lambda record: (record.contig, self.of(record))):
            yield extent, some


def write_groups(annotated: str, chosen: ChosenGroups, target: str) -> int:
    """Write the variants of groups, and return the number of records before all of them.

    A record before each group ends the transcripts before.

    Args:
        annotated: The BCF file.
        chosen: The groups.
        target: The file to write.
    """
    with BcfRecords(annotated) as records:
        before = ring(records, chosen)
    with BcfRecords(annotated) as records, pysam.BGZFile(target, "wb", index=None) as out:
        out.write(b"".join([records.header, *before]))
        for extent, some in chosen.runs(records):
            for number, record in enumerate(some if extent else ()):
                if not number:
                    out.write(record_without_allele(record.contig, record.pos, chosen.samples))
                out.write(record.data)
    return len(before)


def ring(records: Iterable[BcfRecord], chosen: ChosenGroups) -> list[bytes]:
    """Return records that make the ring larger than any group has variants; none if no variant refers to another.

    Those that wait for the end of their transcript are followed by others without an allele that csq looks at. These
    alternate between two positions, since variants at one position share a place in the ring, and csq finds those that
    wait by theirs. It refuses positions before the first one of a contig only, so that one before all groups begins.

    Args:
        records: The records of the file.
        chosen: The groups.
    """
    if chosen.referring is None:
        return []
    contig, extent, pos = chosen.referring
    low = pos - 2 if pos > 3 else pos + 1
    most, first, waiting = 0, low, list[bytes]()
    for group, some in chosen.runs(records):
        size = 0
        for record in some if group else ():
            if record.contig == contig:
                first = min(first, record.pos)
            if (record.contig, group, record.pos) == (contig, extent, pos):
                waiting.append(record.data)
            size += 1
        most = max(most, size)
    places = [first, *(low + number % 2 for number in range(most)), extent.end + 2]
    fillers = [record_without_allele(contig, one, chosen.samples) for one in places]
    return [fillers[0], *waiting, *fillers[1:]]


def replace(annotated: str, chosen: ChosenGroups, again: str, before: int, target: str) -> None:
    """Write an annotated file with the records of some groups from another, and its index.

    Args:
        annotated: The annotated file.
        chosen: The groups.
        again: The other file.
        before: The number of records in it before those of all groups.
        target: The file to write.

    Raises:
        ValueError: if the headers differ, whose numbers the records have.
    """
    with BcfRecords(annotated) as records, BcfRecords(again) as others:
        if records.header != others.header:
            raise ValueError(f"{again}: expected the header of {annotated}, found another")
        theirs = iter(others)
        for _ in range(before):
            next(theirs)

        def replaced() -> Iterator[BcfRecord]:
            for extent, some in chosen.runs(records):
                if extent:
                    next(theirs)  # what ends the transcripts before
                for record in some:
                    yield next(theirs) if extent else record

        write_records(target, records.header, replaced())

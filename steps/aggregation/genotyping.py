"""The records of a cohort, genotyped by `bcftools call` at the sites at which a sample has evidence for a variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from bcf import Array, BcfReader, BcfWriter, CalledRecord
from cohort_sites import PackedCohort
from gvcf_records import without_common_end
from pipe import Command, WaitingFork
from tile_columns import AD, NUMBER, SiteRow

# `bcftools call` keeps two alternate alleles of a group of samples. With more of them, each sample is a group of its
# own: elsewhere a genotype is judged by the frequencies of its alleles in the whole cohort.
ALTS_OF_A_GROUP = 2
ALONE = ["-G", "-"]

OtherFields = Mapping[str, Array]  # FORMAT fields that genotypes do not depend on, of each column by its number


class CalledSite(NamedTuple):
    """A record of `bcftools call` in normal form, and the other fields over its alleles."""

    record: CalledRecord
    values: OtherFields

    @property
    def is_indel(self) -> bool:
        """Return whether one of its alleles is an indel."""
        return len(set(map(len, self.record.alleles))) > 1


class Called(NamedTuple):
    """The lines of a header, and what was called, in order."""

    header: Sequence[str]
    sites: Iterable[CalledSite]


class Given(NamedTuple):
    """The alleles of a site that was given to `bcftools call`, and the fields that were not."""

    alleles: Sequence[str]
    values: OtherFields


def with_values(records: Iterable[CalledRecord], given: Sequence[Given]) -> Iterator[CalledSite]:
    """Yield records with the fields that were not given to `bcftools call`.

    It leaves out alleles, over one of which the reference was written.

    Args:
        records: The records; the ID of each is the number of its site.
        given: The sites.
    """
    for record in records:
        alleles, values = given[int(record.name)]
        if len(record.alleles) < len(alleles):
            kept = [alleles.index(allele) for allele in record.alleles]
            values = {**values, AD: values[AD].take(kept, axis=1)}
        if len(record.alleles[0]) > 1:
            record = record._replace(alleles=without_common_end(record.alleles))
        yield CalledSite(record, values)


class Calling(NamedTuple):
    """The command that genotypes merged rows, and what it needs.

    Attributes:
        header: The header of the rows.
        command: The command `bcftools call`, whose last argument is the file of rows.
        scratch: A folder for temporary files.
    """

    header: str
    command: Command
    scratch: Path

    @contextmanager
    def sites(self, cohort: PackedCohort) -> Iterator[Called]:
        """Give the sites of a cohort.

        Raises:
            BadInput: for columns of an earlier run that are damaged.
            ForkFailed: if bcftools failed.
        """
        few, many = (self.scratch / name for name in ("few.bcf", "many.bcf"))
        with self._calling(few) as calling, self._calling(many, ALONE) as calling_many, ExitStack() as outputs:
            given, has_many = self._write(cohort.rows(), few, many)
            called = BcfReader(outputs.enter_context(calling.output()))
            records: Iterable[CalledRecord] = called
            if has_many:
                others = BcfReader(outputs.enter_context(calling_many.output()))
                rank = {tile.contig: number for number, tile in enumerate(cohort.cohort.tiles)}
                records = merge(called, others, key=lambda record: (rank[record.contig], record.pos))
            yield Called(called.header, with_values(records, given))
        for path in few, many:
            path.unlink()

    def _write(self, rows: Iterable[SiteRow], few: Path, many: Path) -> tuple[list[Given], bool]:
        """Write rows to the file for their number of alleles, and return their sites, and whether some have many."""
        given: list[Given] = []
        has_many = False
        with few.open("wb") as out_few, many.open("wb") as out_many:
            writers = [BcfWriter(out, self.header) for out in (out_few, out_many)]
            for record, values in rows:
                record = record._replace(name=str(len(given)))
                given.append(Given(record.alleles, values))
                if is_large := len(record.alleles) > ALTS_OF_A_GROUP + 1:
                    depths = values[AD].take(record.samples[NUMBER][:, 0], axis=0)  # by which groups are judged
                    record = record._replace(samples={**record.samples, AD: depths})
                writers[is_large].write(record)
                has_many |= is_large
        return given, has_many

    def _calling(self, rows: Path, options: Sequence[str] = ()) -> WaitingFork:
        """Return a fork that will call rows with further options."""
        name, *arguments = self.command
        return WaitingFork([name, *options, *arguments[:-1], str(rows)])

"""The records of a cohort, genotyped by `bcftools call` at the sites at which a sample has evidence for a variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from heapq import merge
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bcf import BcfReader, BcfWriter, CalledRecord
from cohort_sites import PackedCohort
from gvcf_records import without_common_end
from pipe import Command, pipe

# `bcftools call` keeps two alternate alleles of a group of samples. With more of them, each sample is a group of its
# own: elsewhere a genotype is judged by the frequencies of its alleles in the whole cohort.
ALTS_OF_A_GROUP = 2
ALONE = ["-G", "-"]


class Called(NamedTuple):
    """The lines of a header, and its records, in order."""

    header: Sequence[str]
    records: Iterable[CalledRecord]


def normalised(records: Iterable[CalledRecord]) -> Iterator[CalledRecord]:
    """Yield records in normal form: `bcftools call` leaves out alleles, over one of which the reference was written."""
    for record in records:
        yield record._replace(alleles=without_common_end(record.alleles)) if len(record.alleles[0]) > 1 else record


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
    def records(self, cohort: PackedCohort) -> Iterator[Called]:
        """Give the records of a cohort.

        Raises:
            BadInput: for columns of an earlier run that are damaged.
            ForkFailed: if bcftools failed.
        """
        few, many = (self.scratch / name for name in ("few.bcf", "many.bcf"))
        with few.open("wb") as out_few, many.open("wb") as out_many:
            writers = [BcfWriter(out, self.header) for out in (out_few, out_many)]
            has_many = False
            for row in cohort.rows():
                is_large = len(row.alleles) > ALTS_OF_A_GROUP + 1
                writers[is_large].write(row)
                has_many |= is_large
        with self._called(few) as file:
            called = BcfReader(file)
            if not has_many:
                yield Called(called.header, normalised(called))
            else:
                rank = {tile.contig: number for number, tile in enumerate(cohort.cohort.tiles)}
                with self._called(many, ALONE) as others:
                    both = merge(called, BcfReader(others), key=lambda record: (rank[record.contig], record.pos))
                    yield Called(called.header, normalised(both))
        for path in few, many:
            path.unlink(missing_ok=True)

    def _called(self, rows: Path, options: Sequence[str] = ()) -> AbstractContextManager[BinaryIO]:
        """Give the BCF of rows, called with further options."""
        name, *arguments = self.command
        return pipe([[name, *options, *arguments[:-1], str(rows)]])

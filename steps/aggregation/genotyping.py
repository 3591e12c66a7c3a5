"""The records of a cohort, genotyped by `bcftools call` at the sites at which a sample has evidence for a variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from heapq import merge
from pathlib import Path
from typing import NamedTuple, TextIO

from cohort_sites import PackedCohort
from pipe import Command, pipe

# `bcftools call` keeps two alternate alleles of a group of samples. With more of them, each sample is a group of its
# own: elsewhere a genotype is judged by the frequencies of its alleles in the whole cohort.
ALTS_OF_A_GROUP = 2
ALONE = ["-G", "-"]


class Calling(NamedTuple):
    """The commands that genotype merged rows, and what they need.

    Attributes:
        header: The header of the rows.
        commands: The commands of bcftools, the first of which is `call`; its last argument is the file of rows.
        scratch: A folder for temporary files.
    """

    header: str
    commands: Sequence[Command]
    scratch: Path

    @contextmanager
    def records(self, cohort: PackedCohort) -> Iterator[Iterable[str]]:
        """Give the lines of the VCF of a cohort.

        Raises:
            BadInput: for columns of an earlier run that are damaged.
            ForkFailed: if bcftools failed.
        """
        few, many, others = (self.scratch / name for name in ("few.vcf", "many.vcf", "others.vcf"))
        with few.open("w") as out_few, many.open("w") as out_many:
            out_few.write(self.header)
            out_many.write(self.header)
            has_many = False
            for site, row in cohort.rows():
                is_large = len(site.alts) > ALTS_OF_A_GROUP
                (out_many if is_large else out_few).write(row)
                has_many |= is_large
        with self._called(few) as lines:
            if not has_many:
                yield lines
            else:
                with self._called(many, ALONE) as called, others.open("w") as out:
                    out.writelines(line for line in called if not line.startswith("#"))
                rank = {tile.contig: number for number, tile in enumerate(cohort.cohort.tiles)}
                with others.open() as more:
                    yield merge(lines, more, key=lambda line: _order(line, rank))
        for file in few, many, others:
            file.unlink(missing_ok=True)

    def _called(self, rows: Path, options: Sequence[str] = ()) -> AbstractContextManager[TextIO]:
        """Give the lines of the VCF of rows, called with further options."""
        (name, *arguments), *following = self.commands
        return pipe([[name, *options, *arguments[:-1], str(rows)], *following])


def _order(line: str, rank: Mapping[str, int]) -> tuple[int, int]:
    if line.startswith("#"):
        return (-1, 0)
    contig, pos, _ = line.split("\t", 2)
    return (rank[contig], int(pos))

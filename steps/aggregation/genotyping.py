"""The records of a cohort, genotyped by `bcftools call` at the sites at which a sample has evidence for a variant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import merge
from pathlib import Path
from typing import NamedTuple, TextIO

from cohort_sites import Cohort, find_sites, write_merged
from gvcf_records import Site
from interval import PADDING_BP, Region
from pipe import Command, pipe

# `bcftools call` keeps two alternate alleles of a group of samples. With more of them, each sample is a group of its
# own: elsewhere a genotype is judged by the frequencies of its alleles in the whole cohort.
ALTS_OF_A_GROUP = 2
ALONE = ["-G", "-"]


class Calling(NamedTuple):
    """The commands that genotype merged rows, and what they need.

    Attributes:
        header: The header of the rows.
        commands: The commands of bcftools, the first of which is `call`.
        scratch: A folder for temporary files.
    """

    header: str
    commands: Sequence[Command]
    scratch: Path

    @contextmanager
    def records(self, cohort: Cohort) -> Iterator[Iterable[str]]:
        """Give the lines of the VCF of a cohort.

        Raises:
            BadInput: for a gVCF that cannot be read.
            ForkFailed: if bcftools failed.
        """
        sites = find_sites(cohort)
        few = [site for site in sites if len(site.alts) <= ALTS_OF_A_GROUP]
        many = [site for site in sites if len(site.alts) > ALTS_OF_A_GROUP]
        others = self.scratch / "many-alleles.vcf"
        others.touch()
        if many:
            call, *following = self.commands
            near = cohort._replace(spans=_spans_of(many))
            alone = self._replace(commands=[[call[0], *ALONE, *call[1:]], *following])
            with alone._called(near, many) as lines, others.open("w") as out:
                out.writelines(line for line in lines if not line.startswith("#"))
        rank = {span.contig: number for number, span in enumerate(cohort.spans)}
        with self._called(cohort, few) as lines, others.open() as more:
            yield merge(lines, more, key=lambda line: _order(line, rank))
        others.unlink()

    @contextmanager
    def _called(self, cohort: Cohort, sites: Sequence[Site]) -> Iterator[TextIO]:
        """Give the lines of a VCF of sites."""

        def write(out: TextIO) -> None:
            out.write(self.header)
            write_merged(cohort, sites, self.scratch, out.write)

        with pipe([write, *self.commands]) as lines:
            yield lines


def _spans_of(sites: Sequence[Site]) -> list[Region]:
    """Return the spans that hold sites, and what is read for them."""
    spans: list[Region] = []
    for contig, pos, _ in (site.place for site in sites):
        if spans and spans[-1].contig == contig and pos <= spans[-1].end:
            spans[-1] = spans[-1]._replace(end=pos + PADDING_BP)
        else:
            spans.append(Region(contig, pos, pos + PADDING_BP))
    return spans


def _order(line: str, rank: Mapping[str, int]) -> tuple[int, int]:
    if line.startswith("#"):
        return (-1, 0)
    contig, pos, _ = line.split("\t", 2)
    return (rank[contig], int(pos))

"""The gVCFs of a cohort merged at the sites at which a sample has evidence for a variant, as input of `bcftools call`.

`bcftools merge` would write a row for nearly every base, and takes the likelihood of one reference read against a new
allele for that of two copies of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pysam
from common.gvcf_headers import GvcfHeader
from common.program import BadInput
from evidence import Evidence, Limits, alleles_of_site
from gvcf_records import Allele, Place, Site, has_deletion, site_of
from interval import Ownership
from packed_file import Chunk
from packed_samples import Packed, decompressed, unpacked
from sample_groups import Group, write_chunks
from tile_columns import SiteRow, TileColumns
from tile_evidence import evidence_of_group
from tiles import Tile

HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##INFO=<ID=INDEL,Number=0,Type=Flag,Description="Indicates that the variant is an INDEL.">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Number of high-quality bases, summed over the samples">
##INFO=<ID=I16,Number=16,Type=Float,Description="Auxiliary tag used for calling">
##INFO=<ID=QS,Number=R,Type=Float,Description="Auxiliary tag used for calling">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="List of Phred-scaled genotype likelihoods">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Number of high-quality bases">
##FORMAT=<ID=SP,Number=1,Type=Integer,Description="Phred-scaled strand bias P-value">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths (high-quality bases)">
##FORMAT=<ID=COLUMN,Number=1,Type=Integer,Description="Equal where all other values of two samples are">
"""


class Cohort(NamedTuple):
    """The samples of a cohort over tiles.

    Attributes:
        groups: The groups of samples.
        samples: The number of samples.
        tiles: The tiles, in the reference's order.
        own: The positions whose records are written.
        reference: The FASTA file.
        limits: What is asked of a variant.
    """

    groups: Sequence[Group]
    samples: int
    tiles: Sequence[Tile]
    own: Ownership
    reference: str
    limits: Limits


class PackedCohort(NamedTuple):
    """A cohort whose chunks are written.

    Attributes:
        cohort: The cohort.
        path: The file of the chunks.
        chunks: Where they are.
    """

    cohort: Cohort
    path: Path
    chunks: Sequence[Chunk]

    def rows(self) -> Iterator[SiteRow]:
        """Yield each site of the cohort, in order, with the columns of all samples.

        Raises:
            BadInput: for a chunk of an earlier run that is damaged, or gVCFs of another reference.
        """
        of_tile: dict[int, list[Chunk]] = defaultdict(list)
        for chunk in self.chunks:
            of_tile[chunk.tile].append(chunk)
        with self.path.open("rb") as file, pysam.FastaFile(self.cohort.reference) as fasta:
            for number, tile in enumerate(self.cohort.tiles):
                packed = [self._unpacked(file, chunk) for chunk in of_tile[number]]
                yield from self._tile_rows(tile, packed, fasta)

    def _unpacked(self, file: BinaryIO, chunk: Chunk) -> Packed:
        file.seek(chunk.offset)
        try:
            return unpacked(decompressed(file.read(chunk.size_bytes)))
        except ValueError as error:
            earlier = self.cohort.groups[chunk.group].file
            if earlier is None:
                raise
            raise earlier.damage(str(error)) from None

    def _tile_rows(self, tile: Tile, packed: Sequence[Packed], fasta: pysam.FastaFile) -> Iterator[SiteRow]:
        limits = self.cohort.limits
        found = joined(evidence_of_group(one, tile, limits) for one in packed)
        sites = [one for one in sites_of(found, limits.least_evidence(self.cohort.samples)) if self._matters(one)]
        if sites:
            refuse_other_bases(sites, fasta)
            columns = TileColumns(tile, sites, self.cohort.samples)
            for group, one in zip(self.cohort.groups, packed, strict=True):
                columns.add(one, group.places)
            yield from columns.rows()

    def _matters(self, site: Site) -> bool:
        """Return whether a site's record is written, or may delete bases of one that is."""
        return (site.place.contig, site.place.pos) in self.cohort.own or has_deletion((site.ref, *site.alts))


def refuse_other_bases(sites: Sequence[Site], fasta: pysam.FastaFile) -> None:
    """Refuse sites of a tile whose bases are not those of the reference.

    Raises:
        BadInput: for the first such site.
    """
    contig, start, _ = sites[0].place
    bases = fasta.fetch(contig, start - 1, max(one.place.pos + len(one.ref) for one in sites) - 1).upper()
    for one in sites:
        found = bases[one.place.pos - start : one.place.pos - start + len(one.ref)]
        if found != one.ref:
            where = f"{contig}:{one.place.pos}"
            raise BadInput(f"{where}: expected gVCFs of the reference, which has {found}, found one with {one.ref}")


def packed_cohort(cohort: Cohort, path: Path) -> PackedCohort:
    """Pack the gVCFs of a cohort, and copy what earlier runs have packed.

    Raises:
        BadInput: for a gVCF, or a file of an earlier run, that cannot be read.
    """
    return PackedCohort(cohort, path, write_chunks(cohort.groups, cohort.tiles, cohort.reference, path))


def joined(groups: Iterable[Mapping[tuple[Place, Allele], Evidence]]) -> dict[tuple[Place, Allele], Evidence]:
    """Return the evidence of all groups of a cohort together."""
    found: dict[tuple[Place, Allele], Evidence] = {}
    for group in groups:
        for key, evidence in group.items():
            before = found.get(key)
            found[key] = evidence if before is None else evidence.plus(before)
    return found


def sites_of(found: Mapping[tuple[Place, Allele], Evidence], least: float) -> list[Site]:
    """Return the sites on one contig, in order, each with the alleles of which its cohort has enough evidence.

    Args:
        found: The evidence of the cohort for each allele.
        least: The least evidence for a variant of the cohort: see `Limits.least_evidence`.
    """
    places: dict[Place, dict[Allele, Evidence]] = defaultdict(dict)
    for (place, allele), evidence in found.items():
        places[place][allele] = evidence
    alleles = {place: alleles_of_site(places[place], place.indel, least) for place in sorted(places)}
    return [site_of(place, kept) for place, kept in alleles.items() if kept]


def merged_header(headers: Sequence[GvcfHeader], contigs: Mapping[str, int]) -> str:
    """Return the header of the rows: the contigs and the samples, without patients: see `with_patients`.

    Args:
        headers: The headers of the gVCFs.
        contigs: The length of each contig in bp, by name.
    """
    lines = [f"##contig=<ID={name},length={length}>\n" for name, length in contigs.items()]
    names = [header.sample for header in headers]
    columns = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names])
    return "".join([HEADER, *lines, f"{columns}\n"])


def with_patients(lines: Sequence[str], headers: Iterable[GvcfHeader]) -> list[str]:
    """Return the lines of a header with those of the samples' patients behind the contigs.

    htslib compares each of them with all others whenever it reads a header: `bcftools call` need not know them.
    """
    patients = [line for header in headers for line in header.patients]
    place = 1 + max(number for number, line in enumerate(lines) if line.startswith("##contig="))
    return [*lines[:place], *patients, *lines[place:]]

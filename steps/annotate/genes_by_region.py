"""The genes of a GFF3 file by contig, of which a shard reads those near it.

The consequence of a variant depends on the others in the same transcripts, and csq writes variants together while
transcripts overlap each other. So a shard is annotated with all variants of each group of overlapping transcripts that
its own are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from common.gene_file import contig_lines, renamed_lines
from common.program import BadInput
from common.transcript_groups import Region, Transcripts

ALWAYS = 100  # coding sequences whose transcripts every shard reads


def parse_region(text: str) -> Region:
    """Return the region of a text.

    >>> parse_region("HLA:1:0-200")
    Region(contig='HLA:1', start=0, end=200)
    """
    contig, _, bounds = text.rpartition(":")
    start, _, end = bounds.partition("-")
    return Region(contig, int(start), int(end))


class GenesByRegion:
    """The features of a file on the contigs of a reference, written by contig into a folder.

    Args:
        path: The file, plain or gzip.
        contigs: The length of each contig of the reference, by name.
        folder: The folder, which exists.

    Raises:
        BadInput: for a damaged file, and one without features on these contigs.
    """

    def __init__(self, path: str, contigs: Mapping[str, int], folder: Path) -> None:
        self._contigs = dict(contigs)
        self._folder = folder
        self._name = Path(path).name.removesuffix(".gz")
        self._ranks = {name: rank for rank, name in enumerate(contigs)}
        lines: dict[str, list[str]] = {}
        coding: list[Region] = []
        for line in renamed_lines(path, contigs):
            fields = line.split("\t", 9)
            lines.setdefault(fields[0], []).append(line)
            if fields[2] == "CDS" and len(coding) < ALWAYS:
                coding.append(Region(fields[0], int(fields[3]), int(fields[4])))
        if not lines:
            raise BadInput(f"{path}: expected features on contigs of the reference, found none")
        for contig, text in lines.items():
            self._file(contig).write_text("".join(text))
        self._transcripts = Transcripts(line for text in lines.values() for line in text)
        self._some = self.widened(coding)

    def widened(self, regions: Iterable[Region]) -> list[Region]:
        """Return regions that have whole groups of overlapping transcripts: those that a region overlaps."""
        return [self._widened(region) for region in regions]

    def _widened(self, region: Region) -> Region:
        near = [
            extent
            for extent in self._transcripts.extents(region.contig)
            if extent.start <= region.end and extent.end >= region.start
        ]
        starts, ends = [one.start for one in near], [one.end for one in near]
        return Region(region.contig, min([region.start, *starts]), max([region.end, *ends]))

    def write(self, regions: Sequence[Region], folder: Path) -> str:
        """Write the features that overlap some regions, after a line for each contig, and return the file.

        Some others are among them, since csq refuses a file without any transcript that it can use.

        Args:
            regions: The regions.
            folder: A folder for the file.
        """
        target = folder / self._name
        with target.open("w") as out:
            out.write(contig_lines(self._contigs))
            for contig, near in _by_contig([*regions, *self._some]).items():
                file = self._file(contig)
                for line in file.read_text().splitlines(keepends=True) if file.is_file() else ():
                    fields = line.split("\t", 5)
                    start, end = int(fields[3]), int(fields[4])
                    if any(start <= region.end and end >= region.start for region in near):
                        out.write(line)
        return str(target)

    def _file(self, contig: str) -> Path:
        return self._folder / f"{self._ranks[contig]}.gff3"


def _by_contig(regions: Iterable[Region]) -> dict[str, list[Region]]:
    found: dict[str, list[Region]] = {}
    for one in regions:
        found.setdefault(one.contig, []).append(one)
    return found

"""``samtools stats`` of the alignments that overlap the regions, beside that of all alignments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from common.bed import read_regions
from samtools_chain import Consumer, run_command

FILE = "targets.tsv"  # named without its folder, since the output has the command line


def target_statistics(bed: str, contigs: Mapping[str, int], scratch: str, output: str) -> Consumer:
    """Return the program that writes the statistics.

    Its file of regions is not BED: positions are counted from 1, and the last belongs to the region. Regions that
    overlap or touch are merged, so that their bases count once.

    Args:
        bed: The BED file of the regions.
        contigs: The length of each contig in bp, by name, in the reference's order.
        scratch: A folder for the file of regions.
        output: The file to write.

    Raises:
        BadInput: for a file that is not BED.
    """
    merged: list[tuple[str, int, int]] = []
    for region in read_regions(bed, contigs):
        if merged and merged[-1][0] == region.contig and region.start <= merged[-1][2]:
            merged[-1] = (region.contig, merged[-1][1], max(merged[-1][2], region.end))
        else:
            merged.append((region.contig, region.start, region.end))
    lines = (f"{contig}\t{start + 1}\t{end}\n" for contig, start, end in merged)
    Path(scratch, FILE).write_text("".join(lines))
    return Consumer("samtools stats --target-regions", partial(_write, scratch, output))


def _write(scratch: str, output: str) -> None:
    os.chdir(scratch)
    run_command(["stats", "--target-regions", FILE, "-"], output)

"""Primers of amplicons, clipped from the reads: their bases are those of the primer, not of the sample.

``samtools ampliconclip`` moves positions and leaves positions of mates and template lengths as they were; it deletes MD
and NM (https://www.htslib.org/doc/samtools-ampliconclip.html). So it is the first of the chain, before the reads are
sorted, where mates are still beside each other for fixmate; calmd follows behind sort, where it holds one contig.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from common.bed import read_regions
from samtools_chain import Command

STRANDS = {"+", "-"}


def clip_command(bed: str, contigs: Mapping[str, int], scratch: str) -> Command:
    """Return the command that clips primers softly at both ends: of short amplicons, a read ends in the other primer.

    Where the file says the strand of every primer, it is used: primers then clip the ends of reads that they began.

    Args:
        bed: The BED file of the primers.
        contigs: The length of each contig in bp, by name, in the reference's order.
        scratch: A folder for the file that samtools reads, which knows neither gzip nor lines for browsers.

    Raises:
        BadInput: for a file that is not BED.
    """
    primers = read_regions(bed, contigs)
    stranded = all(primer.strand in STRANDS for primer in primers)
    plain = Path(scratch) / "primers.bed"
    plain.write_text(
        "".join(f"{primer.contig}\t{primer.start}\t{primer.end}\t.\t0\t{primer.strand or '.'}\n" for primer in primers)
    )
    strand = ["--strand"] if stranded else []
    return ["ampliconclip", "--no-PG", "--both-ends", *strand, "-u", "-b", str(plain), "-o", "-", "-"]


def strip_commands(paired: bool) -> list[Command]:
    """Return the command that removes what reads say of mates: fixmate leaves it if both are clipped as a whole.

    Args:
        paired: There are pairs.
    """
    return [["view", "--no-PG", "-u", "-x", "MC", "-x", "MQ", "-"]] if paired else []


def restore_command(fasta: str) -> Command:
    """Return the command that computes MD and NM of sorted reads anew.

    Args:
        fasta: The reference.
    """
    return ["calmd", "--no-PG", "-u", "-Q", "-", fasta]

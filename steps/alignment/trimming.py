"""The trimming of reads before they are aligned: its parameters, and the options of cutadapt that mean the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lanes import Lane

LEAST_LENGTH = 20  # of reads, where something is trimmed and no length is given
# 3' adapters of the first and the second reads: what TruSeq, Nextera and MGI's kits have in common for all samples.
ADAPTERS = {
    "illumina": ("AGATCGGAAGAGC", "AGATCGGAAGAGC"),
    "nextera": ("CTGTCTCTTATA", "CTGTCTCTTATA"),
    "bgi": ("AAGTCGGAGGCCAAGCGGTCTTAGGAAGACAA", "AAGTCGGATCGTAGCCATGTCGTTCTGTGAGCCAAGGAGTTG"),
}


class Trimming(NamedTuple):
    """The trimming of the reads of a sample.

    Attributes:
        adapters: The 3' adapter of first reads, which single reads have too, and that of second reads; empty for none.
        nextseq_trim: The quality below which the 3' end is cut, where G counts as of low quality; 0 for no such cut.
        quality_cutoff: The quality below which the 3' end is cut; 0 for no such cut.
        minimum_length: The bases of the shortest reads that are kept.
    """

    adapters: tuple[str, ...]
    nextseq_trim: int
    quality_cutoff: int
    minimum_length: int

    def options(self, paired: bool, files: int = 1) -> list[str]:
        """Return the options of cutadapt that trim the same.

        Args:
            paired: The reads are pairs.
            files: The number of their files.
        """
        ends = ("-a", "-A") if paired else ("-a",)
        options = [word for pair in zip(ends, self.adapters, strict=False) for word in pair]
        if self.nextseq_trim:
            options += ["--nextseq-trim", str(self.nextseq_trim)]
        if self.quality_cutoff:
            options += ["-q", str(self.quality_cutoff)]
        return [*options, "-m", str(self.minimum_length), *(["--interleaved"] if paired and files == 1 else [])]

    def command(self, lane: Lane) -> list[str]:
        """Return the command that would trim a lane."""
        return ["cutadapt", *self.options(lane.paired, len(lane.files)), *(file.path for file in lane.files)]


def trimming_of(parameters: Mapping[str, Any]) -> Trimming | None:
    """Return the trimming that the parameters of the step ask for; None if there is none.

    >>> given = {"adapters": "nextera", "nextseq_trim": 0, "quality_cutoff": 20, "minimum_length": None}
    >>> trimming_of(given).options(paired=True)
    ['-a', 'CTGTCTCTTATA', '-A', 'CTGTCTCTTATA', '-q', '20', '-m', '20', '--interleaved']
    """
    names = ("adapters", "nextseq_trim", "quality_cutoff", "minimum_length")
    adapters, nextseq_trim, quality_cutoff, minimum_length = (parameters[name] for name in names)
    if not (adapters or nextseq_trim or quality_cutoff or minimum_length):
        return None
    return Trimming(_sequences(adapters), nextseq_trim, quality_cutoff, minimum_length or LEAST_LENGTH)


def _sequences(adapters: str | None) -> tuple[str, ...]:
    if adapters is None:
        return ()
    if adapters in ADAPTERS:
        return ADAPTERS[adapters]
    both: Sequence[str] = adapters.upper().split(",")
    return both[0], both[-1]

"""The arguments of a replay."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.errors import UsageError

_NUMBER = re.compile(r"[1-9][0-9]{0,2}(,?[0-9]{3}){0,3}|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class ReplayRegion:
    """A region of the reference.

    Attributes:
        contig: The contig.
        start: The first base, from 1.
        end: The last base.
    """

    contig: str
    start: int
    end: int

    def __str__(self) -> str:
        """Return the region as an interval has it.

        >>> str(ReplayRegion("chr20", 1, 5_000_000))
        'chr20:1-5000000'
        """
        return f"{self.contig}:{self.start}-{self.end}"

    def overlaps(self, other: ReplayRegion) -> bool:
        """Return whether two regions have a base in common."""
        return self.contig == other.contig and self.start <= other.end and other.start <= self.end

    def is_within(self, other: ReplayRegion) -> bool:
        """Return whether each base of this region is one of another region."""
        return self.contig == other.contig and other.start <= self.start and self.end <= other.end


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A request to replay a task.

    Attributes:
        run: The run: its folder, URI or name.
        item: A sample, an interval by its name or by a region of it, or ``cohort``.
        stage: The stage; None for the one that failed.
        subsample: The share of the sample's reads, as text; None for all.
        region: The region that the task is limited to; None for no limit.
        out: The folder for the replay; None for one beside the run.
        stack: The stack in which a run's name is looked up.
        from_bucket: Whether the run is that of this name in the stack's bucket, although a folder here has it too.
        containers: Whether the task runs in the image that the run used.
    """

    run: str
    item: str
    stage: str | None
    subsample: str | None
    region: ReplayRegion | None
    out: Path | None
    stack: str
    from_bucket: bool = False
    containers: bool = False


def parse_region(text: str) -> ReplayRegion | None:
    """Return a region of the form ``chr20:1-5,000,000``; None for text of another form.

    >>> parse_region("HLA:A:1-10")
    ReplayRegion(contig='HLA:A', start=1, end=10)
    >>> parse_region("sample"), parse_region("chr1:9-1")
    (None, None)
    """
    contig, colon, span = text.rpartition(":")
    first, hyphen, last = span.partition("-")
    if not (contig and colon and hyphen and _NUMBER.fullmatch(first) and _NUMBER.fullmatch(last)):
        return None
    start, end = (int(number.replace(",", "")) for number in (first, last))
    return ReplayRegion(contig, start, end) if start <= end else None


def region_option(text: str | None) -> ReplayRegion | None:
    """Return the region of the option ``--region``; None where it is not given.

    Raises:
        UsageError: for text of another form.
    """
    if text is None:
        return None
    region = parse_region(text)
    if region is None:
        raise UsageError(f"--region {text}: expected a region such as chr20:1-5000000")
    return region

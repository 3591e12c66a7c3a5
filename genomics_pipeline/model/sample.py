"""Samples and their lanes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

AS_ALIGNED = "variant_calling"  # the start of a file that is taken as aligned
READ_COLUMNS = ("fastq_1", "fastq_2", "bam", "cram")  # of a sheet's row, which are members of a lane too

# Names become file names, read groups and VCF columns, so that they contain no "/", no leading dot, nothing to quote.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

NORMAL = 0  # the status of a sample that is no tumour


@dataclass(frozen=True, slots=True)
class Lane:
    """The reads of one lane, in one or two FASTQ files, a BAM or a CRAM file.

    Attributes:
        lane: Its name, unique within the sample.
        fastq_1: Absolute path or URI of the reads, or of the first ones of pairs.
        fastq_2: The mates, of a pair of files; None for single or interleaved reads.
        library: The library that was sequenced; None for the sample's only one, which has its name.
        line: The line of the sheet, for messages.
        bam: The BAM file of the reads, aligned or not.
        cram: The CRAM file of the reads.
        accession: The accession in a public archive that the FASTQ files were, or are still to be, found by.
        start: `AS_ALIGNED` for a BAM or CRAM file that is taken as aligned; None for reads to align.
    """

    lane: str
    fastq_1: str | None = None
    fastq_2: str | None = None
    library: str | None = None
    line: int | None = field(default=None, compare=False)
    bam: str | None = None
    cram: str | None = None
    accession: str | None = None
    start: str | None = None

    @property
    def files(self) -> list[tuple[str, str]]:
        """The column and the absolute path or URI of each of its files."""
        return [(column, uri) for column in READ_COLUMNS if (uri := getattr(self, column)) is not None]

    def to_json(self) -> dict[str, Any]:
        """Return its object in the sample's line, with optional members only if they are: payloads are short."""
        members: dict[str, Any] = {"lane": self.lane, **dict(self.files)}
        if self.fastq_1 is not None:
            members["fastq_2"] = self.fastq_2
        more = {"library": self.library, "accession": self.accession, "start": self.start}
        return {**members, **{name: value for name, value in more.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of a cohort.

    Attributes:
        sample: Its name, unique within the cohort.
        patient: Whose it is.
        sex: ``XX``, ``XY`` or ``NA``.
        status: 0 normal, 1 tumour.
        lanes: Its lanes; none of a sample whose gVCF is given.
        gvcf: Absolute path or URI of its gVCF, which no job of the run makes.
        line: The line of the sheet that names the gVCF, for messages.
    """

    sample: str
    patient: str
    sex: str
    status: int
    lanes: tuple[Lane, ...]
    gvcf: str | None = None
    line: int | None = field(default=None, compare=False)

    @property
    def is_aligned(self) -> bool:
        """True for a sample whose file is taken as aligned."""
        return any(lane.start == AS_ALIGNED for lane in self.lanes)

    def to_json(self) -> dict[str, Any]:
        """Return the object of the sample's line in ``manifest.jsonl``, or in ``gvcfs.jsonl``."""
        return {
            "sample": self.sample,
            "patient": self.patient,
            "sex": self.sex,
            "status": self.status,
            **({"lanes": [lane.to_json() for lane in self.lanes]} if self.gvcf is None else {"gvcf": self.gvcf}),
        }

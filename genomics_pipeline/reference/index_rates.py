"""The time, memory and disk that the building of an index takes, from dated measurements."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

DATA = "index_rates.csv"


@dataclass(frozen=True, slots=True)
class IndexRate:
    """The cost of building an index of one kind.

    Attributes:
        seconds_per_mb: Processor time for a million bytes of FASTA, most of it on one core.
        memory_per_byte: Bytes of memory at the peak for each byte of FASTA.
        files_per_byte: Bytes of the index for each byte of FASTA.
    """

    seconds_per_mb: float
    memory_per_byte: float
    files_per_byte: float

    def seconds(self, fasta_bytes: int) -> float:
        """Return the seconds that the building takes."""
        return self.seconds_per_mb * fasta_bytes / 1e6

    def memory_mib(self, fasta_bytes: int) -> int:
        """Return the memory at the peak in MiB."""
        return math.ceil(self.memory_per_byte * fasta_bytes / (1 << 20))

    def file_bytes(self, fasta_bytes: int) -> int:
        """Return the size of the index."""
        return int(self.files_per_byte * fasta_bytes)


UNMEASURED = IndexRate(0, 0, 0)


@cache
def index_rates() -> dict[str, IndexRate]:
    """Return the rates by the name of the kind."""
    text = (resources.files("genomics_pipeline.reference") / DATA).read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row.pop("kind"): IndexRate(**{name: float(value) for name, value in row.items()}) for row in rows}

"""The lanes of a sample sheet as the records of a run: what a pipeline with the source ``SHEET`` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from genomics_pipeline.model.checked_sheet import CheckedSheet
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.runs.manifests import checked_sheet


@dataclass(frozen=True, slots=True)
class SheetLanes:
    """The lanes with FASTQ files of a sample sheet, of which there may be millions: some are made at a time.

    Attributes:
        sheet: The sheet.
    """

    sheet: CheckedSheet

    def texts(self) -> Iterator[str]:
        """Yield the execution's records, a line of JSON for each lane, in parts."""
        return self.sheet.record_texts()

    def files(self) -> Iterator[str]:
        """Yield the files of the lanes, in order."""
        return self.sheet.fastq_files()

    def digest(self, versions: Iterable[str]) -> str:
        """Return the sha256 of the lanes and of the versions of their files.

        Args:
            versions: The versions of the files.
        """
        digest = sha256()
        for text in self.texts():
            digest.update(text.encode())
        for text in versions:
            digest.update(f"{text}\n".encode())
        return digest.hexdigest()


def read_sheet_lanes(sheet: str) -> SheetLanes:
    """Return the lanes of the sheet at a path or URI.

    Raises:
        UsageError: without a sheet.
        DataError: if it cannot be read; with all problems in it, or if it has no FASTQ files.
    """
    return sheet_lanes(checked_sheet(sheet), sheet)


def sheet_lanes(checked: CheckedSheet, sheet: str) -> SheetLanes:
    """Return the lanes of a sheet, or of some of its samples.

    Args:
        checked: The samples.
        sheet: The path or URI of their sheet, for messages.

    Raises:
        DataError: if they have no FASTQ files.
    """
    lanes = SheetLanes(checked)
    if next(lanes.files(), None) is None:
        message = "expected lanes with FASTQ files (fastq_1), found none"
        raise DataError(Problem(message, without_secrets(sheet)))
    return lanes

"""The port through which commands read a run over records, in a folder or on AWS, beside `runs.backend`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.runs.run_files import LogEnd


@runtime_checkable
class RecordRun(Protocol):
    """A run over records. All that it yields, it reads in bounded memory."""

    def failed_records(self) -> Iterator[FailedRecord]:
        """Yield the records that failed or never started.

        Raises:
            RunError: if AWS cannot be reached, or has not written the result files yet.
        """

    def result_files(self) -> list[tuple[str, int]]:
        """Return path or URI and size in bytes of each file of results."""

    def copy_results(self, target: Path) -> Iterator[tuple[str, int]]:
        """Write the results as JSON Lines into a folder, a file for the stage; yield path and size of each file.

        Args:
            target: The folder.
        """

    def step_logs(self, lines: int) -> Iterator[tuple[str, LogEnd]]:
        """Yield each step with the last lines of its log.

        Args:
            lines: The greatest number of lines.

        Raises:
            UsageError: for a run on AWS, whose functions have log groups.
        """

"""The statistics of ``samtools markdup``, which name the command with its paths."""

from __future__ import annotations

from pathlib import Path


def publish_statistics(statistics: Path, output: str, scratch: str) -> None:
    """Write the statistics without the scratch folder, so that their bytes do not depend on folders.

    Args:
        statistics: The file that samtools wrote.
        output: The file to write.
        scratch: The scratch folder.
    """
    Path(output).write_text(statistics.read_text().replace(f"{scratch}/", ""))

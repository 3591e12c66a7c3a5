"""The text of index files, which users may have got from anywhere: read by lines, within budgets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.sizes import in_units


class OversizedIndex(DataError):
    """The error of an index file that is larger than one of its FASTA file can be."""


def size_problem(name: str, size_bytes: int, fasta_bytes: int) -> str | None:
    """Return what is wrong with the size of an index file; None for one that a FASTA file may have.

    Args:
        name: The name of the file.
        size_bytes: Its size.
        fasta_bytes: The size of the FASTA file.
    """
    most = budgets.INDEX_FIRST_BYTES.value + budgets.INDEX_EXPANSION.value * fasta_bytes
    if size_bytes <= most:
        return None
    expected = (
        f"expected at most {in_units(most, 'B')} of {name}, since its FASTA file has {in_units(fasta_bytes, 'B')}"
    )
    return f"{expected}, found {in_units(size_bytes, 'B')}"


def file_problem(file: Path, fasta_bytes: int) -> str | None:
    """Return why a file that exists cannot be an index, without opening it; None if it may be one."""
    if not file.is_file():
        return f"expected a file, found that {file.name} is a folder, a named pipe, a socket or a device"
    return size_problem(file.name, file.stat().st_size, fasta_bytes)


def index_lines(file: Path) -> Iterator[bytes]:
    """Yield the lines of an index file, without line feeds and without those that are empty.

    Raises:
        OversizedIndex: for a line that is longer than its budget.
    """
    most = budgets.INDEX_LINE.value
    with file.open("rb") as stream:
        while line := stream.readline(most + 1):
            if len(line) > most:
                raise OversizedIndex(
                    f"expected lines of at most {budgets.INDEX_LINE} in {file.name}, found a longer one"
                )
            if text := line.removesuffix(b"\n"):
                yield text

"""Checks of FASTA files, which report each problem with its line."""

from __future__ import annotations

from pathlib import Path

from genomics_pipeline.model.errors import DataError, Problem

CHUNK_BYTES = 1 << 24


def check_first_byte(fasta: Path, uri: str) -> None:
    """Refuse a file that does not begin like a FASTA file.

    Raises:
        DataError: if it is empty or begins with anything but ``>``.
    """
    with fasta.open("rb") as file:
        first = file.read(1)
    if first != b">":
        beginning = repr(first) if first else "an empty file"
        raise DataError(Problem(f"expected FASTA, beginning with '>', found {beginning}", uri))


def count_sequences(fasta: Path) -> int:
    """Count the lines that begin with ``>`` in a file whose first line does."""
    count, last = 1, b""
    with fasta.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            count += (last + chunk).count(b"\n>")
            last = chunk[-1:]
    return count


def find_problem(fasta: Path, uri: str) -> Problem | None:
    """Find the line of what samtools refuses or leaves out; slow, so call this only when something is wrong.

    Returns:
        The first problem, with its line; None if there is none.
    """
    first_lines: dict[bytes, int] = {}
    name, width, ended = b"", 0, False
    with fasta.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            bases = line.rstrip()
            if line.startswith(b">"):
                if first_lines and not width:
                    break
                name = b"" if line[1:2].isspace() else (line[1:].split() or [b""])[0]
                if problem := _name_problem(name, first_lines, uri, number):
                    return problem
                first_lines[name] = number
                width, ended = 0, False
            elif len(bases) > (0 if ended else width or len(bases)):
                rule = "expected lines of one length in a sequence, the last one apart"
                return Problem(f"{rule}, found another; write the file anew with `seqkit seq -w 60`", uri, number)
            else:
                width = width or len(bases)
                ended = len(bases) < width
    if not width:
        shown = name.decode("ascii", "replace")
        return Problem(f"expected bases of the sequence {shown!r}, found none", uri, first_lines.get(name))
    return None


def _name_problem(name: bytes, first_lines: dict[bytes, int], uri: str, number: int) -> Problem | None:
    if not name:
        return Problem("expected '>' and a name, found no name", uri, number)
    if name in first_lines:
        again = f"{name.decode('ascii', 'replace')!r} again (first on line {first_lines[name]})"
        return Problem(f"expected each sequence once, found {again}", uri, number)
    return None

"""Whether an index is of its FASTA file: one of another file gives no error, but no variants, or wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

MOST_HEADER_BYTES = 1 << 20  # between two sequences


def misfit(fasta: Path, name: str, files: list[Path]) -> str | None:
    """What is wrong with an index; None where it fits, as far as can be told without reading all bases.

    Args:
        fasta: The FASTA file, its ``.fai`` beside it.
        name: ``fai``, ``bwa`` or ``dict``.
        files: The files of the index.
    """
    try:
        if name == "fai":
            return _fai_misfit(fasta, files[0])
        expected = [(row[0], int(row[1])) for row in _fai(Path(f"{fasta}.fai"))]
        found = _CONTIGS[name](files)
    except (ValueError, IndexError, UnicodeDecodeError):
        return "expected an index, found none that can be read"
    for (sequence, length), other in zip(expected, found, strict=False):
        if (sequence, length) != other:
            return f"expected {sequence} of {length} bp as in {fasta.name}, found {other[0]} of {other[1]} bp"
    if len(expected) != len(found):
        return f"expected {len(expected)} sequences as in {fasta.name}, found {len(found)}"
    return None


def _fai(file: Path) -> Iterator[list[str]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield line.rstrip("\n").split("\t")


def _fai_misfit(fasta: Path, fai: Path) -> str | None:
    """Between the sequences that the index tells of lie their headers, and after the last one nothing."""
    end = 0
    with fasta.open("rb") as file:
        for sequence, *numbers in _fai(fai):
            length, offset, bases, width = map(int, numbers[:4])
            file.seek(end)
            header = file.read(min(max(0, offset - end), MOST_HEADER_BYTES)).strip()
            if b"\n" in header or header[:1] != b">" or header[1:].split(None, 1)[:1] != [sequence.encode()]:
                return f"expected the index of {fasta.name}, found {sequence!r} where that has none"
            end = offset + (length // bases * width + length % bases if bases else 0)
        file.seek(end)
        if file.read(MOST_HEADER_BYTES).strip():
            return f"expected the index of {fasta.name}, found one of fewer sequences or bases"
    return None


def _ann(files: list[Path]) -> list[tuple[str, int]]:
    """Of bwa's ``.ann``: a first line, then two of each sequence."""
    lines = next(file for file in files if file.suffix == ".ann").read_text().strip().splitlines()[1:]
    return [(head.split()[1], int(numbers.split()[1])) for head, numbers in zip(lines[::2], lines[1::2], strict=True)]


def _dict(files: list[Path]) -> list[tuple[str, int]]:
    rows = (line.split("\t") for line in files[0].read_text().splitlines() if line.startswith("@SQ\t"))
    tags = (dict(field.split(":", 1) for field in row[1:]) for row in rows)
    return [(tag.get("SN", ""), int(tag.get("LN", -1))) for tag in tags]


_CONTIGS: dict[str, Callable[[list[Path]], list[tuple[str, int]]]] = {"bwa": _ann, "dict": _dict}

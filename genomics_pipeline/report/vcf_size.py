"""The size of a VCF file's header and lines, which htslib reads whole into memory, however long they are."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.compression import open_decompressed, reported_damage

_PIECE_BYTES = 1 << 20
_FIRST_RECORD = re.compile(rb"\n[^#\n]")
_BCF = b"BCF"
_BCF_TEXT_SIZE = slice(5, 9)  # where the size of its header is: SAM/BAM specifications, VCF 4.3, "BCF2 header"


def require_bounded_vcf(path: Path, is_whole: bool) -> None:
    """Require that a file, plain or gzip, can be read as VCF in bounded memory.

    Args:
        path: The file.
        is_whole: Look at all records; by default only at the header.

    Raises:
        DataError: for a header or line beyond its budget, and for a damaged file.
    """
    with path.open("rb") as file, reported_damage():
        content = open_decompressed(file)
        line, header, is_header, before = 0, 0, True, b""
        for piece in iter(partial(content.read, _PIECE_BYTES), b""):
            if not before and piece.startswith(_BCF):
                _require_header(int.from_bytes(piece[_BCF_TEXT_SIZE], "little"))
                return
            line = _require_lines(line, piece)
            is_header = is_header and not _FIRST_RECORD.search(before + piece)
            if not is_header and not is_whole:
                return
            header += len(piece) * is_header
            _require_header(header)
            before = piece[-1:]


def _require_header(size: int) -> None:
    if size > budgets.VCF_HEADER.value:
        raise DataError(f"expected a VCF with a header of at most {budgets.VCF_HEADER}, found a longer one")


def _require_lines(before: int, piece: bytes) -> int:
    """Return the bytes of the line that is open at the end of a piece, given those at its beginning."""
    end = piece.find(b"\n")
    if before + (len(piece) if end < 0 else end) > budgets.VCF_LINE.value:
        raise DataError(f"expected a VCF with lines of at most {budgets.VCF_LINE}, found a longer one")
    return before + len(piece) if end < 0 else len(piece) - piece.rfind(b"\n") - 1

"""Sample sheets that are too large: refused early and in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
import zstandard

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.runs.manifests import read_manifest
from genomics_pipeline.runs.sheet_file import bounded_text

MIB = 1 << 20
ROW = b"a,a.fq\n"


class Counted:
    """An endless source that counts the bytes taken from it."""

    def __init__(self, piece: bytes) -> None:
        self._piece = piece
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in repeat(self._piece):
            self.taken += len(piece)
            yield piece


@pytest.mark.parametrize(
    ("piece", "message", "most"),
    [
        (b"a" * 65536, "expected lines of at most 1 MiB, found a longer one", 2 * MIB),
        (bytes(3 * MIB), "expected lines of at most 1 MiB, found a longer one", 3 * MIB),
        (b"\n" * 65536, "expected a sample sheet of at most 2,000,000 lines, found more", 3 * MIB),
        (b"\r\n" * 65536, "expected a sample sheet of at most 2,000,000 lines, found more", 5 * MIB),
        (b"\r" * 65536, "expected a sample sheet of at most 2,000,000 lines, found more", 3 * MIB),
        (ROW * 9999, "expected a sample sheet of at most 2,000,000 lines, found more", 15 * MIB),
        (b"a" * 1_000_000 + b"\n", "expected a sample sheet of at most 256 MiB, decompressed, found more", 257 * MIB),
    ],
)
def test_an_endless_sheet_is_refused(piece: bytes, message: str, most: int) -> None:
    source = Counted(piece)
    with pytest.raises(DataError, match=message):
        bounded_text(source)
    assert source.taken <= most


def test_the_longest_lines_are_read() -> None:
    line = b"a" * budgets.SHEET_LINE.value
    assert bounded_text([line[:9], line[9:], b"\n", line]) == line + b"\n" + line


def test_bombs_of_every_compression_need_little_memory(tmp_path: Path) -> None:
    part, rows = bytes(32 * MIB), b"sample,fastq_1\n" + b"a,a.fq\n" * 3_000_000
    bombs = {
        "a.csv.gz": gzip.compress(part) * 32,
        "a.csv.bz2": bz2.compress(part) * 32,
        "a.csv.xz": lzma.compress(part, preset=0) * 32,
        "a.csv.zst": zstandard.compress(part) * 32,
        "rows.csv.zst": zstandard.compress(rows),
    }
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    program = (
        "import resource, sys\n"
        "from genomics_pipeline.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "for name in sys.argv[1:]:\n"
        "    try: main(['manifest', 'validate', name])\n"
        "    except SystemExit as end: assert end.code == 1, end.code\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, *bombs], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert [line.split(": ")[2] for line in ended.stderr.splitlines()] == [
        *["expected lines of at most 1 MiB, found a longer one"] * 4,
        "expected a sample sheet of at most 2,000,000 lines, found more",
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_encoding_of_spreadsheets_is_named(tmp_path: Path, encoding: str) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes("sample,fastq_1\na,a.fastq\n".encode(encoding))
    with pytest.raises(DataError, match=r"sheet.csv:1: expected UTF-8, found UTF-16; save the sheet as UTF-8"):
        read_manifest(str(sheet))


def test_columns_between_vertical_bars_are_named(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("sample|fastq_1\na|a.fastq\n")
    with pytest.raises(DataError, match=r"sheet.csv:1: expected columns separated by commas, found vertical bars"):
        read_manifest(str(sheet))

"""Regions of a BED file, plain or compressed, whatever its name."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from calling_units import Span, read_bed
from common.program import BadInput

CONTIGS = {"c1": 100, "c2": 50}
TEXT = b"track x\n#c\nc2\t0\t5\r\nc1\t5\t9\tname\nc1\t0\t6\n"


@pytest.mark.parametrize("name", ["a.bed", "a.bed.gz", "a.bgz"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_is_decompressed_by_its_bytes(tmp_path: Path, name: str, compressed: bool) -> None:
    (tmp_path / name).write_bytes(gzip.compress(TEXT) if compressed else TEXT)
    assert read_bed(str(tmp_path / name), CONTIGS) == [Span("c1", 0, 9), Span("c2", 0, 5)]


@pytest.mark.parametrize("data", [gzip.compress(TEXT * 99)[:-9], b"\x1f\x8b", b"\x1f\x8b garbage"])
def test_a_damaged_file_is_bad_input(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.bed").write_bytes(data)
    with pytest.raises(BadInput, match=r"a\.bed: expected a BED file, found none that can be read"):
        read_bed(str(tmp_path / "a.bed"), CONTIGS)

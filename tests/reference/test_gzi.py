"""The index of the blocks of a file that bgzip compressed."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path
from random import Random

import pysam
import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.gzi import HEAD_BYTES, gzi, is_bgzip


@pytest.fixture
def compressed(tmp_path: Path) -> Path:
    """Return a FASTA file of several blocks, which samtools has indexed."""
    plain, target = tmp_path / "x.fa", tmp_path / "x.fa.gz"
    plain.write_text(">chr1\n" + "".join(Random(1).choices("ACGT", k=200_000)) + "\n")
    pysam.tabix_compress(str(plain), str(target))
    pysam.samtools.faidx(str(target))
    return target


def test_it_is_as_samtools_writes_it(compressed: Path) -> None:
    with compressed.open("rb") as file:
        found = gzi(file)
    assert len(found) > 8 + 2 * 16
    assert found == Path(f"{compressed}.gzi").read_bytes()


def test_a_file_of_bgzip_is_known_by_its_first_bytes(compressed: Path) -> None:
    content = compressed.read_bytes()
    assert is_bgzip(content[:HEAD_BYTES])
    assert not is_bgzip(content[: HEAD_BYTES - 1])
    assert not is_bgzip(gzip.compress(b"x" * 100))
    assert not is_bgzip(b">chr1\n" + b"A" * 100)


@pytest.mark.parametrize("end", [-1, -28, 9])
def test_damaged_blocks(compressed: Path, end: int) -> None:
    whole = compressed.read_bytes()
    cut = whole[:end] if end < 0 else whole + b"\0" * end
    if end == -28:  # without the empty block at the end
        assert gzi(BytesIO(cut)) == gzi(BytesIO(whole))
        return
    with pytest.raises(DataError, match="expected blocks of bgzip to the end, found other bytes or none at byte"):
        gzi(BytesIO(cut))

"""Chunks of regions by `.tbi` and `.csi`, against what htslib reads by the same indexes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.bgzf import END, compressed, decompressed, whole_blocks
from genomics_pipeline.reference.tabix_index import TabixIndex
from tests.random_gvcf import CONTIGS, write_gvcf


class Indexed(NamedTuple):
    """A file with its index."""

    path: Path
    parsed: TabixIndex
    text: bytes
    places: dict[int, int]

    def lines(self, contig: str, start: int, end: int) -> Iterator[str]:
        """Yield the lines in the chunks of a region."""
        for chunk in self.parsed.chunks(contig, start, end):
            first, last = (self.places[offset >> 16] + (offset & 0xFFFF) for offset in chunk)
            text = self.text[first:last].decode()
            assert text.endswith("\n")
            yield from text.splitlines()


def write_indexed(path: Path, csi: bool, seed: int = 1, min_shift: int = 14) -> Indexed:
    write_gvcf(path, seed, csi=csi, min_shift=min_shift)
    data = path.read_bytes()
    places, text = {}, b""
    for block in whole_blocks(data, 0):
        places[block.offset] = len(text)
        text += block.text
    index = Path(f"{path}.{'csi' if csi else 'tbi'}").read_bytes()
    return Indexed(path, TabixIndex(index), text, places)


@pytest.fixture(scope="module", params=["tbi", "csi", "csi of small bins"])
def indexed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Indexed:
    path = tmp_path_factory.mktemp("indexed") / "a.g.vcf.gz"
    return write_indexed(path, "csi" in request.param, min_shift=9 if "small" in request.param else 14)


@settings(max_examples=300)
@given(contig=st.sampled_from([*CONTIGS, "other"]), data=st.data())
def test_chunks_have_all_records_of_a_region(indexed: Indexed, contig: str, data: st.DataObject) -> None:
    length = CONTIGS.get(contig, 100)
    start = data.draw(st.integers(0, length + 20_000))
    end = start + data.draw(st.one_of(st.integers(1, 40_000), st.integers(1, length)))
    lines = list(indexed.lines(contig, start, end))
    with pysam.TabixFile(
        str(indexed.path), index=f"{indexed.path}.{'csi' if indexed.parsed.is_csi else 'tbi'}"
    ) as file:
        expected = list(file.fetch(contig, start, end)) if contig in file.contigs else []
    assert set(expected) <= set(lines)
    assert len(set(lines)) == len(lines)
    assert all(line.startswith(f"{contig}\t") for line in lines)
    positions = [int(line.split("\t", 2)[1]) for line in lines]
    assert positions == sorted(positions)


def test_little_more_than_the_region_is_read(indexed: Indexed) -> None:
    """Records are moved by htslib to a larger bin as long as they fill less than 64 KiB, compressed."""
    chunks = indexed.parsed.chunks("chr1", 20_000_000, 21_000_000)
    size = sum((chunk.end >> 16) - (chunk.start >> 16) for chunk in chunks)
    assert size <= indexed.path.stat().st_size / 40 + 3 * (1 << 16)


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    indexed = write_indexed(tmp_path / "a.g.vcf.gz", csi=False)
    data = Path(f"{indexed.path}.tbi").read_bytes()
    with pytest.raises(DataError, match=r"expected a block of bgzip at byte 0, found other bytes"):
        TabixIndex(b"##fileformat=VCFv4.2\n and more text")
    with pytest.raises(
        DataError, match=r"expected a whole index of tabix \(\.tbi or \.csi\), found the first bytes b'##fi"
    ):
        TabixIndex(indexed.path.read_bytes())
    with pytest.raises(DataError, match="found one that is cut off"):
        TabixIndex(data[:-40])
    damaged = bytearray(data)
    damaged[40] ^= 1
    with pytest.raises(DataError, match=r"at byte 0, found one whose content is not that of its checksum \(CRC\)"):
        TabixIndex(bytes(damaged))


@pytest.mark.parametrize("csi", [False, True])
def test_a_cut_index_is_refused_where_it_is_cut(tmp_path: Path, csi: bool) -> None:
    indexed = write_indexed(tmp_path / "a.g.vcf.gz", csi)
    data = Path(f"{indexed.path}.{'csi' if csi else 'tbi'}").read_bytes()
    content = decompressed(data, budgets.TABIX_INDEX.value)
    for size in (6, 20, 60, len(content) // 2, len(content) - 200):
        with pytest.raises(DataError, match=r"expected a whole index of tabix .*, found"):
            TabixIndex(compressed(content[:size]) + END).chunks("HLA:1*01", 0, 1000)
    assert TabixIndex(compressed(content) + END).chunks("HLA:1*01", 0, 1000)


def test_an_index_that_expands_beyond_its_budget_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "TABIX_INDEX", budgets.Budget(1 << 20, "bytes", "an index"))
    with pytest.raises(DataError, match="expected at most 1048576 bytes, decompressed, found more"):
        TabixIndex(compressed(bytes(1 << 21)))

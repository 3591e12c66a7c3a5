"""BAM files and their indexes, compared with samtools' own, and the stream that they are made of."""

from __future__ import annotations

import gzip
import os
import random
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import pack, unpack_from

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bam_file import BamFile
from common.bgzf_parts import BLOCK_BYTES, END
from copied_stream import CopiedStream
from header import bam_header
from qc import batches

CONTIGS = {"short": 20_000, "none": 50_000, "long": 500_000_000, "last": 100_000}
HEADER = pysam.AlignmentHeader.from_references(list(CONTIGS), list(CONTIGS.values()))
CIGARS = ("100M", "5S40M", "20M30000N20M", "10M2I20M", "30M9000D30M", "50M200000N50M", "5M900N" * 20 + "5M")
Bins = dict[int, tuple[int, ...]]


def records(seed: int, unplaced: int) -> Iterator[pysam.AlignedSegment]:
    """Yield sorted records: many in one place, a few far apart, long ones, mates without a place of their own."""
    rng = random.Random(seed)
    places = [(0, rng.randrange(15_000)) for _ in range(300)]
    places += [(2, rng.choice((rng.randrange(400_000), rng.randrange(499_000_000)))) for _ in range(500)]
    places += [(3, 16_383), (3, 16_384), (3, 32_700)]
    for number, (contig, position) in enumerate([*sorted(places), *[(-1, -1)] * unplaced]):
        record = pysam.AlignedSegment(HEADER)
        record.query_name, record.reference_id, record.reference_start = f"read{number}", contig, position
        record.flag = 4 if contig < 0 else rng.choice((0, 16, 73, 133 if contig else 0))
        length = 120 if rng.random() < 0.99 else 90_000  # which takes several blocks
        if not record.is_unmapped:
            record.cigarstring = rng.choice(CIGARS) if length == 120 else f"{length}M"
            length = record.infer_query_length() or length
        record.query_sequence = "".join(rng.choices("ACGT", k=length))
        record.query_qualities = pysam.qualitystring_to_array("".join(rng.choices("!#5FI", k=length)))
        yield record


def write_samtools(path: Path, seed: int, unplaced: int) -> list[str]:
    with pysam.AlignmentFile(str(path), "wb", header=HEADER) as file:
        rows = [record for record in records(seed, unplaced) if file.write(record)]
    return [row.to_string() for row in rows]


def read_index(path: Path) -> tuple[list[tuple[Bins, tuple[int, ...]]], bytes]:
    """Return the bins and the windows of each contig, and the end of the file."""
    data = path.read_bytes()
    assert data[:4] == b"BAI\1"
    place, contigs = 8, []
    for _ in range(*unpack_from("<i", data, 4)):
        bins: Bins = {}
        (count,) = unpack_from("<i", data, place)
        place += 4
        for _ in range(count):
            number, chunks = unpack_from("<Ii", data, place)
            assert number not in bins
            bins[number] = unpack_from(f"<{2 * chunks}Q", data, place + 8)
            place += 8 + 16 * chunks
        (count,) = unpack_from("<i", data, place)
        contigs.append((bins, unpack_from(f"<{count}Q", data, place + 4)))
        place += 4 + 8 * count
    return contigs, data[place:]


def straddling(data: bytes) -> list[int]:
    """Return where blocks begin within a record that one block could hold."""
    content, block, starts = gzip.decompress(data), 0, [0]
    while block < len(data):
        block += unpack_from("<H", data, block + 16)[0] + 1
        starts.append(starts[-1] + unpack_from("<I", data, block - 4)[0])
    record, within = len(bam_header(HEADER)), set()
    while record < len(content):
        end = record + 4 + unpack_from("<i", content, record)[0]
        if end - record <= BLOCK_BYTES:
            within |= set(range(record + 1, end))
        record = end
    return [start for start in starts if start in within]


@pytest.mark.parametrize(
    ("seed", "unplaced", "threads", "read_bytes"), [(1, 5, 1, 1 << 18), (2, 0, 3, 1 << 18), (3, 700, 2, 4000)]
)
def test_the_index_is_that_of_samtools(
    seed: int, unplaced: int, threads: int, read_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "READ_BYTES", read_bytes)
    expected = write_samtools(tmp_path / "theirs.bam", seed, unplaced)
    path = tmp_path / "ours.bam"
    with BamFile(str(path), bam_header(HEADER), len(CONTIGS), threads) as file:
        for batch in file.passing(batches.read_batches(str(tmp_path / "theirs.bam"))):
            assert len(batch.starts)
    pysam.samtools.index("-o", str(tmp_path / "theirs.bai"), str(path))
    assert read_index(tmp_path / "ours.bam.bai") == read_index(tmp_path / "theirs.bai")
    with pysam.AlignmentFile(str(path)) as read:
        assert [record.to_string() for record in read.fetch(until_eof=True)] == expected
        assert "read802" in [record.query_name for record in read.fetch("last", 32_699, 32_800)]
    data = path.read_bytes()
    assert data.endswith(END)
    assert not straddling(data)
    assert gzip.decompress(data) == gzip.decompress((tmp_path / "theirs.bam").read_bytes())


def test_a_file_without_records(tmp_path: Path) -> None:
    path = tmp_path / "a.bam"
    with BamFile(str(path), bam_header(HEADER), len(CONTIGS), 1):
        pass
    pysam.samtools.index("-o", str(tmp_path / "theirs.bai"), str(path))
    assert read_index(tmp_path / "a.bam.bai") == read_index(tmp_path / "theirs.bai")


def test_what_cannot_be_compressed_fits_into_a_block(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(3 * BLOCK_BYTES)
    with BamFile(str(tmp_path / "a.bam"), content, 0, 1):
        pass
    assert gzip.decompress((tmp_path / "a.bam").read_bytes()) == content


def copied(data: bytes, reads: list[int]) -> tuple[list[bytes], bytes]:
    """Return what a stream gives for reads of these sizes, and what it copies."""
    (source, begin), (copy, end) = os.pipe(), os.pipe()
    os.write(begin, data)
    os.close(begin)
    stream = CopiedStream(source, [end])
    contents = [stream.read(size) for size in reads]
    os.close(end)
    with os.fdopen(copy, "rb") as file:
        os.close(source)
        return contents, file.read()


def stream_of(text: bytes, level: int) -> bytes:
    """Return text as samtools writes it into a pipe."""
    packer = zlib.compressobj(level, wbits=-15)
    data = packer.compress(text) + packer.flush()
    return END[:16] + pack("<H", len(data) + 25) + data + pack("<II", zlib.crc32(text), len(text))


@pytest.mark.parametrize("level", [0, 6])
def test_a_stream_is_copied_without_blocks(level: int) -> None:
    content = b"BAM\1" + b"a" * 100 + b"b" * 50
    data = stream_of(content[:104], level) + stream_of(content[104:], level) + END
    assert copied(data, [4, 120, 100, 100]) == ([content[:4], content[4:124], content[124:], b""], content)


def test_a_stream_without_blocks_is_copied_too() -> None:
    data = b"BAM\1" + b"a" * 100
    assert copied(data, [3, 200, 1]) == ([b"BAM", b"\1" + b"a" * 100, b""], data)


def test_an_empty_stream_has_no_header() -> None:
    assert copied(b"", [4]) == ([b""], b"")


@pytest.mark.parametrize("cut", [1, 20, 30])
def test_a_stream_that_is_cut_off_is_an_error(cut: int) -> None:
    with pytest.raises(OSError, match="expected whole blocks, found one that is cut off"):
        copied(stream_of(b"BAM\1" + b"acgt" * 9, 6)[:-cut], [100])


def test_another_stream_is_an_error() -> None:
    with pytest.raises(OSError, match="expected a block of BGZF, found something else"):
        copied(gzip.compress(b"BAM\1" * 20), [100])

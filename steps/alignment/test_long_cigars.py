"""CIGARs of more operations than a record of BAM can count: the tag CG holds them."""

from __future__ import annotations

import ctypes
import sys
from array import array
from pathlib import Path
from struct import pack, pack_into

import numpy as np
import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from alignment_hit import AlignmentHit
from alignments import bam_records
from bwa_layout import ALIGNMENT_BYTES, DATA, DATA_LENGTH, FLAG, LENGTH, NAME_LENGTH, OPERATIONS
from hit_records import ReadBatch, hit_records
from hit_rows import HitRows
from qc.batches import read_batches
from qc.blocks import aligned_blocks
from reference_bases import ReferenceBases

INSERTIONS = 33_000  # one base each, between four that match
MATCHED = 4 * (INSERTIONS + 1)
BASES = MATCHED + INSERTIONS
TEXT = "4M" + "1I4M" * INSERTIONS


def written(folder: Path, *records: bytes) -> Path:
    """Return a BAM file with records, as samtools writes it."""
    raw, path = folder / "raw.bam", folder / "records.bam"
    raw.write_bytes(pack("<4sii", b"BAM\1", 0, 1) + pack("<i5si", 5, b"chr1\0", 10 * BASES) + b"".join(records))
    pysam.samtools.view("--no-PG", "-b", "-o", str(path), str(raw), catch_stdout=False)
    return path


def of_hit(text: str, bases: int, folder: Path) -> bytes:
    """Return the record of a hit of minibwa at place 100, with nine bases before it that are not aligned."""
    fasta = folder / "reference.fa"
    fasta.write_text(f">chr1\n{'A' * (MATCHED + 200)}\n")
    pysam.faidx(str(fasta))
    length = sum(count for operation, count in _numbers(text) if operation != pysam.CINS)
    hit = AlignmentHit(
        contig="chr1",
        ref_start=100,
        ref_end=100 + length,
        query_start=9,
        query_end=9 + bases,
        mapq=60,
        cigar_string=text,
        cigar=[("MIDN"[operation], count) for operation, count in _numbers(text)],
        mlen=0,
    )
    reads = [b"A" * (9 + bases)]
    batch = ReadBatch([b"long"], reads, [b"?" * len(reads[0])], False, [b"RGZr\0"], None)
    records, _ = hit_records(batch, HitRows(ReferenceBases(str(fasta))).make(reads, [[hit]]))
    return records


def of_bwa(text: str, bases: int) -> bytes:
    """Return the record of an alignment of bwa in memory: its fields, name, CIGAR, bases, qualities, tags."""
    operations = array("I", [operation << 4 | length for length, operation in _numbers(text)])
    data = (
        b"long\0\0\0\0"
        + operations.tobytes()
        + b"\x11" * ((bases + 1) // 2)
        + b"\x1e" * bases
        + b"NMi"
        + pack("<i", INSERTIONS)
    )
    kept = ctypes.create_string_buffer(data, len(data))
    alignment = bytearray(ALIGNMENT_BYTES)
    pack_into("<qiHBB", alignment, 0, 100, 0, 4681, 60, 3)  # three of the name's NULs are padding
    pack_into("<HHI", alignment, 8 * FLAG, 0, 8, len(operations))
    pack_into("<iiqq", alignment, 8 * LENGTH, bases, -1, -1, 0)
    pack_into("<q", alignment, 8 * DATA, ctypes.addressof(kept))
    pack_into("<i", alignment, 4 * DATA_LENGTH, len(data))
    assert (NAME_LENGTH, OPERATIONS) == (4 * FLAG + 1, 2 * FLAG + 1)
    placed = ctypes.create_string_buffer(bytes(alignment), ALIGNMENT_BYTES)
    return bam_records([[ctypes.addressof(placed)]])


def _numbers(text: str) -> list[tuple[int, int]]:
    read = pysam.AlignedSegment()
    read.cigarstring = text
    return [(operation, length) for operation, length in read.cigartuples or ()]


@pytest.mark.parametrize(("source", "clip"), [("minibwa", "9S"), ("bwa", "")])
def test_records_hold_them_and_quality_control_counts_them(source: str, clip: str, tmp_path: Path) -> None:
    records = (
        [of_hit(TEXT, BASES, tmp_path), of_hit("50M", 50, tmp_path)]
        if source == "minibwa"
        else [of_bwa(TEXT, BASES), of_bwa("50M", 50)]
    )
    path = written(tmp_path, *records)
    with pysam.AlignmentFile(str(path)) as file:
        long, other = file
    assert [long.cigarstring, other.cigarstring] == [clip + TEXT, clip + "50M"]
    assert (long.reference_end, long.get_tag("NM"), long.has_tag("CG")) == (100 + MATCHED, INSERTIONS, False)
    (batch,) = read_batches(str(path))
    blocks = aligned_blocks(batch)
    assert blocks.ends.tolist() == [100 + MATCHED, 150]
    assert np.bincount(blocks.record, blocks.length).tolist() == [MATCHED, 50]
    assert blocks.qualities == 30 * (MATCHED + 50)


def test_a_soft_clip_and_a_gap_without_the_tag_are_what_they_are(tmp_path: Path) -> None:
    operations = f"{BASES}S5N"
    (batch,) = read_batches(str(written(tmp_path, of_bwa(operations, BASES))))
    blocks = aligned_blocks(batch)
    assert (blocks.ends.tolist(), blocks.length.tolist()) == ([105], [])

"""Indexes of VCFs that are written beside htslib's of the same files."""

from __future__ import annotations

import gzip
import random
import shutil
from pathlib import Path
from struct import unpack_from

import pysam
import pytest

from common.bgzf_parts import BLOCK_BYTES, bgzf_writer, concatenate
from common.tbi import Places, write_tbi

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
CONTIGS = ["a", "no_records", "b"]
Contig = tuple[dict[int, tuple[int, ...]], tuple[int, ...]]  # the chunks of each bin, and the windows


def read_index(path: Path) -> tuple[bytes, list[Contig], bytes]:
    """Return the header, the contigs and the end of an index."""
    data = gzip.decompress(path.read_bytes())
    count, names = unpack_from("<i", data, 4)[0], unpack_from("<i", data, 32)[0]
    place, contigs = 36 + names, []
    for _ in range(count):
        bins = {}
        (many,) = unpack_from("<i", data, place)
        place += 4
        for _ in range(many):
            number, chunks = unpack_from("<Ii", data, place)
            bins[number] = unpack_from(f"<{2 * chunks}Q", data, place + 8)
            place += 8 + 16 * chunks
        (many,) = unpack_from("<i", data, place)
        contigs.append((bins, unpack_from(f"<{many}Q", data, place + 4)))
        place += 4 + 8 * many
    return data[: 36 + names], contigs, data[place:]


def random_records(rng: random.Random, contig: str, count: int, bp: int) -> list[str]:
    """Return records, some of which span many windows, and some of which are larger than a block."""
    made = []
    for pos in sorted(rng.randrange(1, bp) for _ in range(count)):
        ref = "A" * rng.choice([1, 1, 1, 3, 200, 40_000])
        info = f"X={rng.randbytes(rng.choice([5, 300, BLOCK_BYTES // 2 if rng.random() < 0.05 else 50])).hex()}"
        made.append(f"{contig}\t{pos}\t.\t{ref}\tC\t.\t.\t{info}\n")
    return made


@pytest.mark.parametrize(("seed", "count", "bp"), [(1, 0, 9), (2, 1, 9), (3, 150, 40_000), (4, 150, 500_000_000)])
def test_the_index_is_that_of_htslib(seed: int, count: int, bp: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    lines = [line for contig in ("a", "b") for line in random_records(rng, contig, count, bp)]
    cut = rng.randrange(len(lines) + 1)
    path, parts, places = tmp_path / "ours.vcf.gz", [], []
    for number, part in enumerate((lines[:cut], [], lines[cut:])):
        parts.append(tmp_path / f"{number}.gz")
        noted = Places(CONTIGS)
        with bgzf_writer(parts[-1]) as write:
            for line in part:
                noted.adding(write)(line)
        places.append(noted.rows())
    concatenate(HEADER, parts, path)
    write_tbi(path, len(HEADER), places, CONTIGS)
    shutil.copy(path, tmp_path / "theirs.vcf.gz")
    pysam.tabix_index(str(tmp_path / "theirs.vcf.gz"), preset="vcf", force=True)
    assert read_index(tmp_path / "ours.vcf.gz.tbi") == read_index(tmp_path / "theirs.vcf.gz.tbi")
    with pysam.TabixFile(str(path)) as file:
        assert [f"{line}\n" for contig in file.contigs for line in file.fetch(contig)] == lines

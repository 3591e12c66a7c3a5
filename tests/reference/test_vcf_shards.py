"""Shards of a VCF: each record is in one of them, and they have about the size that was asked for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pysam
import pysam.bcftools
import pytest

from genomics_pipeline.reference.tabix_index import TabixIndex
from genomics_pipeline.reference.vcf_shards import LAST, MOST_REGIONS, Region, shard_regions

Records = list[tuple[str, int]]


def write(path: Path, random: Random, contigs: int, records: int) -> Records:
    """Write a VCF of contigs, some without records, and return the records in the file's order."""
    header = "".join(f"##contig=<ID=c:{one}>\n" for one in range(contigs))
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    written: Records = []
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(
            f'##fileformat=VCFv4.2\n{header}##INFO=<ID=N,Number=1,Type=String,Description="N">\n{columns}'.encode()
        )
        for one in random.sample(range(contigs), k=random.randint(1, contigs)):
            places = sorted(random.randint(1, 400_000) for _ in range(random.randint(1, records)))
            for pos in places:
                noise = "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=60))
                out.write(f"c:{one}\t{pos}\t.\tA\tC\t.\t.\tN={noise}\n".encode())
                written.append((f"c:{one}", pos))
                if random.random() < 0.02:
                    out.flush()
    return written


@pytest.mark.parametrize("seed", range(12))
def test_each_record_is_in_one_shard_in_order(tmp_path: Path, seed: int) -> None:
    random, path = Random(seed), tmp_path / "x.vcf.gz"
    records = write(path, random, random.randint(1, 6), random.choice([1, 50, 2000]))
    csi = seed % 2 == 1
    pysam.tabix_index(str(path), preset="vcf", csi=csi, min_shift=random.choice([12, 14]) if csi else 0, force=True)
    index = TabixIndex(Path(f"{path}.{'csi' if csi else 'tbi'}").read_bytes())
    shards = list(shard_regions(index, 1 << random.choice([10, 14, 17]), None))
    found = [
        [one for one in records if any(one[0] == at.contig and at.start <= one[1] <= at.end for at in shard)]
        for shard in shards
    ]
    assert [one for shard in found for one in shard] == records
    assert index.records() == len(records)
    assert index.contigs() == list(dict.fromkeys(contig for contig, _ in records))
    size = path.stat().st_size
    assert index.end() >> 16 in range(size - 65_536 - 28, size)


def test_shards_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    """A shard is larger by a window of the index and a block at most; without records there is one without regions."""
    path = tmp_path / "x.vcf.gz"
    write(path, Random(3), 1, 20_000)
    pysam.tabix_index(str(path), preset="vcf", force=True)
    index = TabixIndex(Path(f"{path}.tbi").read_bytes())
    shards = list(shard_regions(index, 100_000, None))
    size = path.stat().st_size
    assert size / 250_000 < len(shards) <= size / 100_000 + 1
    assert shards[0][0].start == 0
    assert shards[-1][-1].end == LAST
    assert all(before[-1].end + 1 == after[0].start for before, after in pairwise(shards))
    empty = tmp_path / "empty.vcf.gz"
    with pysam.BGZFile(str(empty), "wb", index=None) as out:
        out.write(b"##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    pysam.tabix_index(str(empty), preset="vcf", force=True)
    assert list(shard_regions(TabixIndex(Path(f"{empty}.tbi").read_bytes()), 100_000, None)) == [[]]


def test_a_shard_has_a_bounded_number_of_contigs(tmp_path: Path) -> None:
    """The regions of a shard fit into a child's input."""
    path, contigs = tmp_path / "x.vcf.gz", 2 * MOST_REGIONS + 500
    lines = "".join(f"##contig=<ID=k{one}>\n" for one in range(contigs))
    records = "".join(f"k{one}\t7\t.\tA\tC\t.\t.\t.\n" for one in range(contigs))
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(f"##fileformat=VCFv4.2\n{lines}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n".encode())
        out.flush()
        out.write(records.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    shards = list(shard_regions(TabixIndex(Path(f"{path}.tbi").read_bytes()), 1 << 30, None))
    assert [len(one) for one in shards] == [MOST_REGIONS, MOST_REGIONS, 500]
    assert str(Region("k:1", 0, 9)) == "k:1:0-9"

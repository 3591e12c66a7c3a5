"""The pipeline annotate over real genotypes of 3,202 people: shards give the bytes of the whole."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pysam

from tests.realdata.conftest import SHARED
from tests.small_annotation import small_pipeline

DATA = SHARED / "data/1000g-3sample-chr21-chr22"
FIRST = 16_569_999  # what positions of the panel have more than those of the reference: README.txt of the data
CODING = "biotype=protein_coding"


def lifted(line: str) -> str:
    """Return a line of the panel at the reference's position."""
    if line.startswith("##contig"):
        return line.split(",")[0].rstrip(">\n") + ",length=40001>\n"
    if line.startswith("#"):
        return line
    contig, pos, rest = line.split("\t", 2)
    return f"{contig}\t{int(pos) - FIRST}\t{rest}"


def genes(random: Random) -> Iterator[str]:
    """Yield genes over the real sequence that overlap each other, with introns longer than a shard."""
    for contig in ("21", "22"):
        for number in range(20):
            start, strand, exons = random.randrange(1, 36_000), random.choice("+-"), list[tuple[int, int]]()
            for _ in range(random.randint(2, 4)):
                exons.append((start, start + 3 * random.randint(40, 150) - 1))
                start = exons[-1][1] + random.randint(50, 350)
            ends, name = f"{exons[0][0]}\t{exons[-1][1]}", f"{contig}G{number}"
            yield f"{contig}\te\tgene\t{ends}\t.\t{strand}\t.\tID=gene:{name};Name={name};{CODING}\n"
            yield f"{contig}\te\tmRNA\t{ends}\t.\t{strand}\t.\tID=transcript:{name};Parent=gene:{name};{CODING}\n"
            for first, last in exons:
                yield f"{contig}\te\tCDS\t{first}\t{last}\t.\t{strand}\t0\tID=CDS:{name};Parent=transcript:{name}\n"


def command(folder: Path, *argv: str) -> None:
    """Run a command of the program in a folder."""
    words = [sys.executable, "-m", "genomics_pipeline", *argv]
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_shards_of_a_real_cohort_give_the_bytes_of_the_whole(tmp_path: Path) -> None:
    reference = tmp_path / "reference.fa"
    reference.write_bytes(gzip.decompress((DATA / "reference.fa.gz").read_bytes()))
    pysam.faidx(str(reference))
    vcf = str(tmp_path / "cohort.vcf.gz")
    with gzip.open(DATA / "panel.3202-people.vcf.gz", "rt") as lines, pysam.BGZFile(vcf, "wb", index=None) as out:
        for line in lines:
            out.write(lifted(line).encode())
    pysam.tabix_index(vcf, preset="vcf", force=True, csi=True, min_shift=10)
    (tmp_path / "genes.gff3").write_text("##gff-version 3\n" + "".join(genes(Random(7))))
    pipeline = small_pipeline(tmp_path)
    options = ["--param", "annotate.reference=reference.fa", "--param", "annotate.gff3=genes.gff3"]
    command(tmp_path, "run", "cohort.vcf.gz", "--pipeline", pipeline.name, "--out", "out", *options)
    step = ["--reference", "reference.fa", "--param", "gff3=genes.gff3", "--out", "whole"]
    command(tmp_path, "step", "annotation", "cohort.vcf.gz", *step)
    (joined,), (whole,) = (tmp_path / "out/results").rglob("*.vcf.gz"), (tmp_path / "whole/results").glob("*.vcf.gz")
    text = gzip.decompress(joined.read_bytes())
    assert text == gzip.decompress(whole.read_bytes())
    assert text.count(b"BCSQ=") > 500
    summary = json.loads((tmp_path / "out/results/join.jsonl").read_text())
    assert (summary["shards"] > 10, summary["records"]) == (True, 2166)

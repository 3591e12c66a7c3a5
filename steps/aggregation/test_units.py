"""The units of an interval: neither they nor the number of cores nor batches of samples change a byte."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from interval import UNITS, Region, units_of
from test_aggregation import HEADER, PROGRAM, index, run_step

LENGTH, BORDER = 100_000, 25_000  # of the reference, and the last base of the first unit
I16 = "I16=5,5,5,5,300,9000,300,9000,600,36000,600,36000,250,6250,250,6250"
HET = "200,0,200,230,230,255"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a reference of four units, and gVCFs with SNPs everywhere and deletions over the border of two units."""
    folder = tmp_path_factory.mktemp("cohort")
    rng = random.Random(1)
    bases = "".join(rng.choice("ACGT") for _ in range(LENGTH))
    (folder / "reference.fa").write_text(f">c1\n{bases}\n")
    index(folder / "reference.fa")
    header = HEADER.replace("length=3000", f"length={LENGTH}")
    for sample in range(7):
        snps = dict.fromkeys(rng.sample(range(2, LENGTH), 40), 1) | dict.fromkeys((BORDER, BORDER + 1), 1)
        lines, start = [], 1
        if sample < 2:
            snps = {pos: one for pos, one in snps.items() if not BORDER - 3 <= pos <= BORDER + 3} | {BORDER - 2: 5}
        for pos, length in sorted(snps.items()):
            if start < pos:
                lines.append(block(bases, start, pos - 1))
            ref = bases[pos - 1 : pos - 1 + length]
            lines.append(record(pos, ref, ref[0]) if length > 1 else record(pos, ref, "TGAC"["ACGT".index(ref)]))
            start = pos + 1
        path = folder / f"S{sample}.g.vcf.gz"
        with pysam.BGZFile(str(path), "wb", index=None) as out:
            out.write("".join([header, f"S{sample}\n", *lines, block(bases, start, LENGTH)]).encode())
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return folder


def block(bases: str, start: int, end: int) -> str:
    info = f"END={end};MIN_DP=20;QS=1,0"
    return f"c1\t{start}\t.\t{bases[start - 1]}\t<*>\t.\t.\t{info}\tGT:PL:DP\t0/0:0,60,255:20\n"


def record(pos: int, ref: str, alt: str) -> str:
    place = f"c1\t{pos}\t.\t{ref}\t{alt}"
    if len(ref) > 1:
        return f"{place}\t0\t.\tINDEL;DP=20;{I16};QS=0.5,0.5\tGT:PL:DP:SP:AD\t0/1:200,0,200:20:0:10,10\n"
    return f"{place},<*>\t0\t.\tDP=20;{I16};QS=0.5,0.5,0\tGT:PL:DP:SP:AD\t0/1:{HET}:20:0:10,10,0\n"


def gvcfs(cohort: Path) -> list[str]:
    return sorted(map(str, cohort.glob("*.g.vcf.gz")))


def records(vcf: Path) -> list[str]:
    with pysam.VariantFile(str(vcf)) as file:
        return [str(one) for one in file]


def test_neither_units_nor_cores_nor_batches_change_a_byte(cohort: Path, tmp_path: Path) -> None:
    assert units_of([Region("c1", 1, LENGTH)])[1] == [Region("c1", BORDER + 1, 2 * BORDER)]
    reference = cohort / "reference.fa"
    process = run_step(tmp_path / "whole", reference, gvcfs(cohort), [f"c1:1-{LENGTH}"])
    assert process.returncode == 0, process.stderr
    vcf = tmp_path / "whole/joint.vcf.gz"
    found = records(vcf)
    assert [one.split("\t")[1] for one in found] == sorted((one.split("\t")[1] for one in found), key=int)
    assert len(found) > 200

    task = json.loads((tmp_path / "whole/task.json").read_text())
    for name, cores, batch in (("cores", 3, 200), ("batches", 2, 3)):
        (tmp_path / name).mkdir()
        outputs = {"vcf": str(tmp_path / f"{name}.vcf.gz"), "packed": str(tmp_path / f"{name}.packed")}
        task |= {"vcpus": cores, "scratch": str(tmp_path / name), "outputs": outputs}
        task["parameters"]["batch_size"] = batch
        (tmp_path / "task.json").write_text(json.dumps(task))
        subprocess.run([sys.executable, str(PROGRAM), str(tmp_path / "task.json")], check=True, capture_output=True)
        assert records(tmp_path / f"{name}.vcf.gz") == found
    assert (tmp_path / "cores.vcf.gz").read_bytes() == vcf.read_bytes()

    parts = []
    for number, (start, end) in enumerate([(1, 20_000), (20_001, 30_000), (30_001, 60_000), (60_001, LENGTH)]):
        process = run_step(tmp_path / str(number), reference, gvcfs(cohort), [f"c1:{start}-{end}"])
        assert process.returncode == 0, process.stderr
        parts += records(tmp_path / f"{number}/joint.vcf.gz")
    assert parts == found


def test_a_deletion_over_the_border_of_units_spans_the_variants_behind_it(cohort: Path, tmp_path: Path) -> None:
    run_step(tmp_path / "a", cohort / "reference.fa", gvcfs(cohort), [f"c1:1-{LENGTH}"])
    with pysam.VariantFile(str(tmp_path / "a/joint.vcf.gz")) as vcf:
        near = {one.pos: one.copy() for one in vcf.fetch("c1", BORDER - 1, BORDER + 1)}
    for record in near[BORDER], near[BORDER + 1]:
        alts = record.alts or ()
        assert alts[-1] == "*"
        called = [call["GT"] for call in record.samples.values()]
        assert called == [(0, len(alts)), (0, len(alts)), *[(0, 1)] * 5]


def test_a_damaged_gvcf_fails_the_step_in_every_unit(cohort: Path, tmp_path: Path) -> None:
    files = gvcfs(cohort)
    damaged = tmp_path / "S0.g.vcf.gz"
    content = Path(files[0]).read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    Path(f"{damaged}.tbi").write_bytes(Path(f"{files[0]}.tbi").read_bytes())
    process = run_step(tmp_path / "a", cohort / "reference.fa", [str(damaged), *files[1:]], [f"c1:1-{LENGTH}"])
    assert process.returncode in (1, 65)
    assert f"{damaged}: expected a gVCF" in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "a/joint.vcf.gz").exists()


def test_units_have_about_the_same_size_and_all_bases() -> None:
    rng = random.Random(3)
    for _ in range(50):
        starts = sorted(rng.sample(range(1, 2_000_000), 6))
        regions = [Region("a", start, end - 10) for start, end in pairwise(starts) if end - start > 20]
        units = units_of(regions)
        assert len(units) <= UNITS
        joined: list[Region] = []
        for one in (region for unit in units for region in unit):
            if joined and joined[-1].end == one.start - 1:
                joined[-1] = joined[-1]._replace(end=one.end)
            else:
                joined.append(one)
        assert joined == regions
    assert units_of([]) == []

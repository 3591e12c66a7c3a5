"""The step's program, run as the worker runs it, on small generated VCFs."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pysam
import pytest

PROGRAM = Path(__file__).with_name("gather.py")
HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=LowQual,Description="QUAL below 20">
##contig=<ID=c2,length=3000>
##contig=<ID=c1,length=3000>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	"""
FIRST = [
    "c2 10 A G PASS 0/1 1/1 ./.",  # transition
    "c2 20 A C PASS 0/0 0|1 0/0",  # transversion
    "c2 30 A T LowQual 1/1 1/1 1/1",
]
SECOND = ["c2 1000 AT A PASS 0/0 ./. 1/1"]
THIRD = [
    "c1 5 A G,AT PASS 0/1 1/2 0/2",  # a transition and an insertion
    "c1 9 C T . 0/1 0/0 0/1",  # no filter was applied, so it passes
]


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.fa"
    path.write_text(f">c2\n{'A' * 3000}\n>c1\n{'A' * 3000}\n")
    pysam.faidx(str(path))
    return path


def vcf(path: Path, records: Sequence[str], samples: Sequence[str] = ("Z", "A", "M"), csi: bool = False) -> str:
    """Write a VCF of records that are given as contig, pos, ref, alt, filter and genotypes."""
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write((HEADER + "\t".join(samples) + "\n").encode())
        for record in records:
            contig, pos, ref, alt, filters, *genotypes = record.split()
            fields = [contig, pos, ".", ref, alt, "50", filters, ".", "GT", *genotypes]
            out.write(("\t".join(fields) + "\n").encode())
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi)
    return str(path)


def run_step(folder: Path, reference: Path, vcfs: Sequence[str], **members: object) -> subprocess.CompletedProcess[str]:
    (folder / "scratch").mkdir(parents=True)
    task = {
        "item": {"cohort": "cohort"},
        "inputs": {"vcfs": list(vcfs), "reference": str(reference)},
        "outputs": {
            "vcf": str(folder / "joint.vcf.gz"),
            "metrics": str(folder / "joint.json"),
            "bcftools_stats": str(folder / "stats.txt"),
        },
        "parameters": {},
        "vcpus": 1,
        "scratch": str(folder / "scratch"),
        "versions": str(folder / "versions.json"),
        **members,
    }
    (folder / "task.json").write_text(json.dumps(task))
    argv = [sys.executable, str(PROGRAM), str(folder / "task.json")]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def positions(path: Path) -> list[tuple[str, int]]:
    with pysam.VariantFile(str(path)) as joint:
        return [(record.chrom, record.pos) for record in joint]


ALL = [("c2", 10), ("c2", 20), ("c2", 30), ("c2", 1000), ("c1", 5), ("c1", 9)]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)])
def test_records_are_in_the_references_order(tmp_path: Path, reference: Path, order: Sequence[int]) -> None:
    parts = [vcf(tmp_path / f"{index}.vcf.gz", rows) for index, rows in enumerate([FIRST, SECOND, [], THIRD])]
    process = run_step(tmp_path / "a", reference, [parts[index] for index in order])
    assert process.returncode == 0, process.stderr
    assert positions(tmp_path / "a" / "joint.vcf.gz") == ALL
    with pysam.VariantFile(str(tmp_path / "a" / "joint.vcf.gz")) as joint:
        assert [(record.chrom, record.pos) for record in joint.fetch("c2", 900, 1100)] == [("c2", 1000)]


def test_missing_intervals_are_named_in_the_header(tmp_path: Path, reference: Path) -> None:
    parts = [vcf(tmp_path / f"{index}.vcf.gz", rows) for index, rows in enumerate([FIRST, THIRD])]
    missing = ["00001 (c2:900-2000)", "00002 (c2:2001-3000 c1:1-4)"]
    process = run_step(tmp_path / "a", reference, parts, missing={"vcfs": missing})
    assert process.returncode == 0, process.stderr
    with gzip.open(tmp_path / "a" / "joint.vcf.gz", "rt") as text:
        header = [line for line in text if line.startswith("#")]
    line = "##genomics_pipeline_missing_intervals=2 of 4: 00001 (c2:900-2000),00002 (c2:2001-3000 c1:1-4)\n"
    with gzip.open(parts[0], "rt") as text:
        before = [one for one in text if one.startswith("#")]
    assert header == [*before[:-1], line, before[-1]]
    assert positions(tmp_path / "a" / "joint.vcf.gz") == [one for one in ALL if one != ("c2", 1000)]
    with pysam.VariantFile(str(tmp_path / "a" / "joint.vcf.gz")) as joint:
        assert [record.pos for record in joint.fetch("c1", 0, 100)] == [5, 9]
    run_step(tmp_path / "b", reference, parts, missing={"vcfs": []})
    with gzip.open(tmp_path / "b" / "joint.vcf.gz", "rt") as text:
        assert [one for one in text if one.startswith("#")] == before


def test_statistics_are_exact(tmp_path: Path, reference: Path) -> None:
    parts = [vcf(tmp_path / f"{index}.vcf.gz", rows) for index, rows in enumerate([FIRST, SECOND, THIRD])]
    run_step(tmp_path / "a", reference, parts)
    statistics = json.loads((tmp_path / "a" / "joint.json").read_text())
    samples = statistics.pop("samples")
    assert statistics.pop("sex_conflicts") is None
    assert (statistics.pop("identity_conflicts"), statistics.pop("close_pairs")) == (None, [])
    assert statistics == {"variants": 5, "snps": 4, "indels": 2, "ti_tv": 3.0}
    assert list(samples) == ["Z", "A", "M"]
    rows = {
        "Z": (3, 3, 0, None, None, 0, 0.0),
        "A": (3, 3, 1, 2.0, 2.0, 1, 0.2),
        "M": (3, 1, 2, None, 2.0, 1, 0.2),
    }
    names = ("variants", "snps", "indels", "ti_tv", "het_hom", "missing", "missing_fraction")
    assert samples == {name: dict(zip(names, row, strict=True)) for name, row in rows.items()}


def test_haploid_genotypes(tmp_path: Path, reference: Path) -> None:
    run_step(tmp_path / "a", reference, [vcf(tmp_path / "0.vcf.gz", ["c2 10 A G PASS 1 . 0"])])
    samples = json.loads((tmp_path / "a" / "joint.json").read_text())["samples"]
    assert [(row["variants"], row["missing"], row["het_hom"]) for row in samples.values()] == [
        (1, 0, None),
        (0, 1, None),
        (0, 0, None),
    ]


def add_lines(path: Path, lines: Sequence[str]) -> None:
    """Add lines to the header of a VCF."""
    text = gzip.decompress(path.read_bytes()).decode().replace("#CHROM", "\n".join([*lines, "#CHROM"]))
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)


@pytest.mark.parametrize(
    ("of_reads", "conflicts"),
    [
        ({"Z": "XX", "A": "XY"}, {"value": 0, "verdict": "good"}),
        ({}, None),
        (
            {"Z": "XY", "A": "XY"},
            {
                "value": 1,
                "verdict": "bad",
                "reason": "Z is XX in the sample sheet, and XY by the depths of X and Y",
            },
        ),
    ],
)
def test_sexes_of_sheet_and_reads_are_compared(
    tmp_path: Path, reference: Path, of_reads: dict[str, str], conflicts: object
) -> None:
    part = Path(vcf(tmp_path / "0.vcf.gz", ["c2 10 A G PASS . 1 ."]))
    lines = [f"##SAMPLE=<ID={name},Sex={sex}" for name, sex in (("Z", "XX"), ("A", "XY"), ("M", "XX"))]
    more = (f",SexOfReads={of_reads[name]}>" if name in of_reads else ">" for name in "ZAM")
    add_lines(part, [line + end for line, end in zip(lines, more, strict=True)])
    process = run_step(tmp_path / "a", reference, [str(part)])
    assert process.returncode == 0, process.stderr
    assert json.loads((tmp_path / "a" / "joint.json").read_text())["sex_conflicts"] == conflicts


def test_samples_without_a_copy_of_a_region_miss_no_genotype_there(tmp_path: Path, reference: Path) -> None:
    part = Path(vcf(tmp_path / "0.vcf.gz", ["c2 10 A G PASS . 1 .", "c2 11 A G PASS . 1 .", "c1 10 A G PASS . 1 1"]))
    add_lines(part, ['##SAMPLE=<ID=Z,Patient=p,Sex=XX,Absent="c2:10-10,c1:1-9">'])
    process = run_step(tmp_path / "a", reference, [str(part)])
    assert process.returncode == 0, process.stderr
    samples = json.loads((tmp_path / "a" / "joint.json").read_text())["samples"]
    assert {name: row["missing"] for name, row in samples.items()} == {"Z": 2, "A": 0, "M": 2}


def test_files_without_records(tmp_path: Path, reference: Path) -> None:
    process = run_step(tmp_path / "a", reference, [vcf(tmp_path / f"{index}.vcf.gz", []) for index in range(2)])
    assert process.returncode == 0, process.stderr
    assert positions(tmp_path / "a" / "joint.vcf.gz") == []
    assert (tmp_path / "a" / "joint.vcf.gz.tbi").is_file()
    statistics = json.loads((tmp_path / "a" / "joint.json").read_text())
    assert (statistics["variants"], statistics["ti_tv"], statistics["samples"]["Z"]["missing_fraction"]) == (
        0,
        None,
        0.0,
    )


def test_other_samples_are_refused(tmp_path: Path, reference: Path) -> None:
    one = vcf(tmp_path / "0.vcf.gz", FIRST)
    two = vcf(tmp_path / "1.vcf.gz", SECOND, ("Z", "A", "B"))
    process = run_step(tmp_path / "a", reference, [one, two])
    assert (process.returncode, process.stderr) == (65, f"error: {two}: expected the samples of {one}, found others\n")


def test_overlapping_intervals_are_refused(tmp_path: Path, reference: Path) -> None:
    one, two = vcf(tmp_path / "0.vcf.gz", FIRST + SECOND), vcf(tmp_path / "1.vcf.gz", ["c2 500 A G PASS 0/1 0/0 0/0"])
    process = run_step(tmp_path / "a", reference, [one, two])
    expected = "expected intervals that follow each other, found records out of order"
    assert (process.returncode, process.stderr) == (65, f"error: {one}: {expected}\n")


def test_contigs_beyond_the_limit_of_tbi(tmp_path: Path) -> None:
    """A contig of 2^29 bases or more has a CSI index, from which its last records can be fetched."""
    reference = tmp_path / "reference.fa"
    Path(f"{reference}.fai").write_text("c2\t600000000\t4\t60\t61\nc1\t3000\t700000000\t60\t61\n")
    last = vcf(tmp_path / "1.vcf.gz", ["c2 599999990 A G PASS 0/1 1/1 ./."], csi=True)
    parts = [vcf(tmp_path / "0.vcf.gz", FIRST), last]
    process = run_step(tmp_path / "a", reference, [*parts, vcf(tmp_path / "2.vcf.gz", THIRD)])
    assert process.returncode == 0, process.stderr
    assert sorted(file.name for file in (tmp_path / "a").glob("*.vcf.gz*")) == ["joint.vcf.gz", "joint.vcf.gz.csi"]
    with pysam.VariantFile(str(tmp_path / "a" / "joint.vcf.gz")) as joint:
        assert [record.pos for record in joint.fetch("c2", 599_999_900, 600_000_000)] == [599_999_990]

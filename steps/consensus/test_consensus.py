"""The step's program, run as the worker runs it, on reads with known depths and variants with known filters."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysam
import pytest

PROGRAM = Path(__file__).with_name("consensus.py")
STEP = tomllib.loads(PROGRAM.with_name("step.toml").read_text())
REFERENCE = "ACGTTGCAAC" * 6
HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=LowQual,Description="QUAL below 20">
##contig=<ID=v,length=60>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths of alleles">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	s1
"""


@dataclass(frozen=True)
class Reads:
    """Reads with the same alignment, the reference's bases unless others are given; positions are counted from 0."""

    count: int
    start: int
    cigar: str
    changes: tuple[tuple[int, str], ...] = ()  # positions on the reference, and bases
    flag: int = 0

    def lines(self, reference: str) -> list[str]:
        bases, position, number = "", self.start, ""
        for letter in self.cigar:
            if letter.isdigit():
                number += letter
                continue
            if letter == "M":
                there = dict(self.changes)
                bases += "".join(there.get(at, reference[at]) for at in range(position, position + int(number)))
            position += int(number)
            number = ""
        fields = f"\t{self.flag}\tv\t{self.start + 1}\t60\t{self.cigar}\t*\t0\t0\t{bases}\t{'F' * len(bases)}"
        return [f"{self.start}-{self.cigar}-{number}{fields}" for number in range(self.count)]


DEEP = (Reads(12, 0, "40M"), Reads(4, 20, "40M"))  # 12 reads over 0 to 20, 16 over 20 to 40, 4 from there on


@dataclass(frozen=True)
class Outcome:
    """The files that the step wrote."""

    name: str
    sequence: str
    mask: list[str]
    metrics: dict[str, Any]


Consensus = Callable[..., Outcome]


@pytest.fixture
def consensus(tmp_path: Path) -> Consensus:
    """Return `consensus(*variants)`, which runs the step; a variant is `POS REF ALT FILTER AD`, of genotype 1."""

    def call(
        *variants: str, reads: Sequence[Reads] = DEEP, reference: str = REFERENCE, cram: bool = False, **values: Any
    ) -> Outcome:
        task = write_task(tmp_path, variants, reads, reference, cram)
        task["parameters"] |= values
        ended = run_step(tmp_path, task)
        assert ended.returncode == 0, ended.stderr
        name, *lines = Path(task["outputs"]["fasta"]).read_text().splitlines()
        mask = Path(task["outputs"]["mask"]).read_text().splitlines()
        return Outcome(name, "".join(lines), mask, json.loads(Path(task["outputs"]["metrics"]).read_text()))

    return call


def write_task(
    folder: Path, variants: Sequence[str], reads: Sequence[Reads], reference: str, cram: bool
) -> dict[str, Any]:
    """Write the files of a task, and return it."""
    (folder / "scratch").mkdir()
    fasta, sam, aligned, vcf = (
        str(folder / name) for name in ("r.fa", "a.sam", "a.cram" if cram else "a.bam", "a.vcf.gz")
    )
    Path(fasta).write_text(f">v\n{reference}\n")
    pysam.faidx(fasta)
    lines = [line for one in sorted(reads, key=lambda one: one.start) for line in one.lines(reference)]
    Path(sam).write_text("\n".join(["@HD\tVN:1.6\tSO:coordinate", f"@SQ\tSN:v\tLN:{len(reference)}", *lines, ""]))
    kind = ["-C", "-T", fasta] if cram else ["-b"]
    pysam.samtools.view(*kind, "-o", aligned, sam, catch_stdout=False)
    pysam.index(aligned)
    with pysam.BGZFile(vcf, "wb", index=None) as file:
        rows = [one.split() for one in variants]
        records = [f"v\t{pos}\t.\t{ref}\t{alt}\t50\t{names}\t.\tGT:AD\t1:{ad}\n" for pos, ref, alt, names, ad in rows]
        file.write("".join([HEADER, *records]).encode())
    pysam.tabix_index(vcf, preset="vcf", force=True)
    return {
        "item": {"sample": "s1"},
        "inputs": {"vcf": vcf, "alignment": aligned, "reference": fasta},
        "outputs": {name: str(folder / one["path"].format(sample="s1")) for name, one in STEP["outputs"].items()},
        "parameters": {name: one.get("default") for name, one in STEP["parameters"].items()},
        "scratch": str(folder / "scratch"),
        "versions": str(folder / "versions.json"),
    }


def run_step(folder: Path, task: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (folder / "task.json").write_text(json.dumps(task))
    command = [sys.executable, str(PROGRAM), str(folder / "task.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_variants_are_applied_where_the_depth_is_enough(consensus: Consensus) -> None:
    found = consensus("5 T G PASS 0,12", "11 ACG A PASS 1,11", "25 T TAA PASS 0,16", "50 C G PASS 0,4")
    known = REFERENCE[:4] + "G" + REFERENCE[5:11] + REFERENCE[13:25] + "AA" + REFERENCE[25:40]
    assert (found.name, found.sequence) == (">s1 v", known + "N" * 20)
    assert found.mask == ["v\t40\t60\tlow_depth"]
    assert found.metrics == {"bases": 60, "known_fraction": round(40 / 60, 6), "variants": 3}


def test_a_variant_that_the_reads_do_not_decide_for_is_unknown(consensus: Consensus) -> None:
    """The base before a deletion is known; that before an insertion is not, since bases may follow or not."""
    variants = {
        "2 C G LowQual 0,12": "1\t2\tfiltered",
        "4 T G PASS 6,6": "3\t4\tmixed",
        "6 T G PASS 0,9": "5\t6\tlow_depth",
        "11 ACG A LowQual 0,12": "11\t13\tfiltered",
        "21 ACG A PASS 6,6": "21\t23\tmixed",
        "31 ACG TCC PASS 6,6": "30\t33\tmixed",
        "37 C CCC PASS 6,6": "36\t37\tmixed",
    }
    found = consensus(*variants)
    expected = list(REFERENCE)
    for start, end, _ in (one.split("\t") for one in [*variants.values(), "40\t60\t"]):
        expected[int(start) : int(end)] = "N" * (int(end) - int(start))
    assert found.mask == [f"v\t{one}" for one in [*variants.values(), "40\t60\tlow_depth"]]
    assert found.sequence == "".join(expected)
    assert found.metrics["variants"] == 0


@pytest.mark.parametrize(("least", "unknown"), [(4, 0), (5, 20), (17, 60)])
def test_without_variants_the_mask_holds(consensus: Consensus, least: int, unknown: int) -> None:
    """An earlier bcftools left the mask out without variants: github.com/samtools/bcftools/issues/1592."""
    assert consensus(min_depth=least).sequence == REFERENCE[: 60 - unknown] + "N" * unknown


def test_a_share_below_the_least_is_unknown_although_the_caller_took_the_reference(consensus: Consensus) -> None:
    reads = (Reads(8, 0, "60M"), Reads(4, 0, "30M4D26M", ((5, "A"),)))
    found = consensus(reads=reads)
    assert found.mask == ["v\t5\t6\tmixed", "v\t30\t34\tmixed"]
    assert found.sequence == REFERENCE[:5] + "N" + REFERENCE[6:30] + "NNNN" + REFERENCE[34:]


def test_a_majority_is_enough_by_parameter(consensus: Consensus) -> None:
    reads = (Reads(8, 0, "60M"), Reads(4, 0, "30M4D26M", ((5, "A"),)))
    assert consensus("11 A C PASS 4,8", reads=reads, min_allele_fraction=0.6).mask == []


@pytest.mark.parametrize("counted", [False, True])
def test_reads_without_their_mates_count_by_parameter(consensus: Consensus, counted: bool) -> None:
    reads = [Reads(12, 0, "60M", flag=0x1 | 0x8 | 0x40)]
    assert consensus(reads=reads, count_orphans=counted).metrics["known_fraction"] == counted


def test_deleted_bases_are_known_although_no_read_has_them(consensus: Consensus) -> None:
    found = consensus(f"30 {REFERENCE[29:34]} {REFERENCE[29]} PASS 0,12", reads=[Reads(12, 0, "30M4D26M")])
    assert (found.mask, found.sequence) == ([], REFERENCE[:30] + REFERENCE[34:])


def test_a_deletion_whose_bases_are_low_in_the_pileup_is_judged_by_the_reads_of_the_caller(
    consensus: Consensus,
) -> None:
    """Reads that end near a deletion are clipped by the aligner; the caller aligns them anew."""
    variant = f"40 {REFERENCE[39:45]} {REFERENCE[39]} PASS 0,15"
    found = consensus(variant)
    assert found.mask == ["v\t45\t60\tlow_depth"]
    assert found.sequence == REFERENCE[:40] + "N" * 15


def test_the_reads_of_variants_that_overlap_count_against_each_other(consensus: Consensus) -> None:
    deletion = f"11 {REFERENCE[10:15]} {REFERENCE[10]}"
    inside = f"13 {REFERENCE[12]} A"
    equal = (f"31 {REFERENCE[30:35]} {REFERENCE[30]} PASS 0,12", f"33 {REFERENCE[32]} A PASS 0,11")
    weak = (f"11 {REFERENCE[10]} G LowQual 0,2", f"{inside} LowQual 0,2")
    found = consensus(weak[0], f"{deletion} PASS 0,12", weak[1], *equal)
    assert found.mask == ["v\t31\t35\tmixed", "v\t40\t60\tlow_depth"]
    assert found.sequence[:36] == REFERENCE[:11] + REFERENCE[15:31] + "NNNN" + REFERENCE[35:40]
    assert found.metrics["variants"] == 1


def test_nothing_is_known_outside_the_regions(consensus: Consensus, tmp_path: Path) -> None:
    bed = tmp_path / "regions.bed"
    bed.write_text("v\t20\t30\nv\t5\t10\n")
    found = consensus("7 C T PASS 0,12", regions=str(bed))
    assert found.sequence == "N" * 5 + REFERENCE[5] + "T" + REFERENCE[7:10] + "N" * 10 + REFERENCE[20:30] + "N" * 30
    assert [line.split("\t")[3] for line in found.mask] == ["outside_regions"] * 3


@pytest.mark.parametrize("cram", [False, True])
def test_lower_case_and_ambiguity_codes_of_the_reference(consensus: Consensus, cram: bool) -> None:
    """Of an ambiguity code, the base that variants are called against counts."""
    reference = REFERENCE[:3] + "R" + REFERENCE[4:10].lower() + REFERENCE[10:]
    reads = [Reads(12, 0, "60M", ((3, "A"),))]
    found = consensus("9 A G PASS 0,12", reads=reads, reference=reference, cram=cram)
    assert found.sequence == REFERENCE[:3] + "A" + REFERENCE[4:8] + "G" + REFERENCE[9:]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (HEADER.replace("s1", "s2"), "expected genotypes of sample s1 with FORMAT/AD, found none"),
        (HEADER.replace("ID=AD", "ID=XD"), "expected genotypes of sample s1 with FORMAT/AD, found none"),
        ("nothing\n", "expected a VCF, found one that is cut off or of another kind"),
    ],
)
def test_variants_that_cannot_be_used_are_refused(tmp_path: Path, header: str, found: str) -> None:
    task = write_task(tmp_path, (), DEEP, REFERENCE, cram=False)
    with pysam.BGZFile(task["inputs"]["vcf"], "wb", index=None) as file:
        file.write(header.encode())
    ended = run_step(tmp_path, task)
    assert ended.returncode == 65
    assert ended.stderr.splitlines()[-1] == f"error: {task['inputs']['vcf']}: {found}"


def test_several_contigs_are_named_by_sample_and_contig(tmp_path: Path) -> None:
    task = write_task(tmp_path, ("5 T G PASS 0,12",), DEEP, REFERENCE, cram=False)
    Path(task["inputs"]["reference"]).write_text(f">u\nACGT\n>v\n{REFERENCE}\n")
    pysam.faidx(task["inputs"]["reference"])
    assert run_step(tmp_path, task).returncode == 0
    assert Path(task["outputs"]["fasta"]).read_text().splitlines()[:3] == [">s1.u", "NNNN", ">s1.v"]
    assert Path(task["outputs"]["mask"]).read_text() == "u\t0\t4\tlow_depth\nv\t40\t60\tlow_depth\n"

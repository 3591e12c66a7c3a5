"""The estimate of contamination on mixed reads of two people of 1000 Genomes: what is estimated, and what was mixed.

80,000 bases hold two blocks of common haplotypes only, so that single estimates may be off by twice, and their median
over pairs of people is what tells. On more of a genome they are nearer: steps/variant_calling/test_contamination.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from statistics import median
from typing import Any

import pysam
import pytest

from tests.realdata.mixing import mix

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "1000g-3sample-chr21-chr22"
PEOPLE = ("NA12878", "NA19401", "NA20359")
FIRST = 16_569_999  # the position in GRCh38 before the first of the contigs
LOW = 8 / 31  # of the full depth
# Share of the other person, and part of the reads kept.
CASES = {"full_5": (0.05, 1), "full_20": (0.2, 1), "8x_10": (0.1, LOW)}
# Least and greatest median of the estimates over pairs; at 8x, own variants are too few for most pairs.
RANGES = {
    "panel": {"full_5": (0.035, 0.085), "full_20": (0.17, 0.27), "8x_10": (0.06, 0.2)},
    "own variants": {"full_5": (0.035, 0.12), "full_20": (0.17, 0.43)},
}
Found = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a sample sheet of the people and of mixed reads of each two."""
    folder = tmp_path_factory.mktemp("mixed")
    rows = ["sample,fastq_1,fastq_2"]
    rows += [f"{one},{DATA / one}_R1.fastq.gz,{DATA / one}_R2.fastq.gz" for one in PEOPLE]
    for name, (share, kept) in CASES.items():
        for own, other in permutations(PEOPLE, 2):
            sample = f"{name}_{own}_{other}"
            mix(DATA, own, other, share, kept, folder / sample)
            rows.append(f"{sample},{sample}_R1.fastq.gz,{sample}_R2.fastq.gz")
    path = folder / "cohort.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module", params=["panel", "own variants"])
def found(sheet: Path, request: pytest.FixtureRequest) -> Found:
    """Return the metrics of each sample's variants."""
    argv = [sys.executable, "-m", "genomics_pipeline", "run", str(sheet), "--out", str(sheet.parent / "run"), "--json"]
    argv += ["--reference", str(DATA / "reference.fa.gz")]
    if request.param == "panel":
        argv += ["--param", f"variant_calling.contamination_sites={frequencies(sheet.parent / 'panel.vcf')}"]
    process = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    rows = {row["sample"]: row for row in json.loads(process.stdout)["samples"]}
    measured = {name: row["metrics"]["variant_calling"] for name, row in rows.items()}
    assert {one["contamination_from"] for one in measured.values()} == {request.param}
    verdict = {name: row["verdicts"].get("variant_calling", {}).get("contamination") for name, row in rows.items()}
    return {name: {**one, "verdict": verdict[name]} for name, one in measured.items()}


def frequencies(path: Path) -> Path:
    """Write the frequencies of 3,202 people in the positions of the reference, and return the indexed file."""
    lines = ["##fileformat=VCFv4.2", '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency of the allele">']
    lines += ["##contig=<ID=chr21>", "##contig=<ID=chr22>", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    with pysam.VariantFile(str(DATA / "panel.3202-people.vcf.gz")) as panel:
        for one in panel:
            columns = [one.chrom, one.pos - FIRST, ".", one.ref, ",".join(one.alts or ()), ".", "."]
            lines.append("\t".join(map(str, [*columns, f"AF={one.info['AF'][0]:.6f}"])))
    path.write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path.with_name(f"{path.name}.gz")


def test_unmixed_reads_are_not_contaminated(found: Found) -> None:
    for person in PEOPLE:
        assert found[person]["contamination"] < 0.002
        assert found[person]["verdict"] == "good"


@pytest.mark.parametrize("case", CASES)
def test_mixed_shares_are_found(found: Found, case: str) -> None:
    chosen = {name: one for name, one in found.items() if name.startswith(case)}
    assert len(chosen) == 6
    assert {one["verdict"] for one in chosen.values()} <= {"warn", "bad", None}, chosen
    (method,) = {one["contamination_from"] for one in chosen.values()}
    if case not in RANGES[method]:
        return
    share, (least, greatest) = CASES[case][0], RANGES[method][case]
    estimates = [one["contamination"] for one in chosen.values() if one["contamination"] is not None]
    assert len(estimates) >= 4, chosen
    assert least < median(estimates) < greatest, chosen
    assert share / 3 < min(estimates) <= max(estimates) < 3 * share, chosen

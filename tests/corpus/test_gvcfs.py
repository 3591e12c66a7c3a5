"""Bad gVCFs of a sheet, each of which must be refused before a run with exactly one message: `gvcfs/NAME.expected`."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.model.sample import Sample
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.gvcf_checks import gvcf_problems
from genomics_pipeline.stores.local import LocalStore

EXPECTED = Path(__file__).with_name("gvcfs")
CONTIGS = {"chr1": 1000, "chr2": 500}
HEADER = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=1000>
##contig=<ID=chr2,length=500>
##ALT=<ID=*,Description="other">
##INFO=<ID=I16,Number=16,Type=Float,Description="sums">
##INFO=<ID=QS,Number=R,Type=Float,Description="sums">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="likelihoods">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1
"""
GATK = HEADER.replace("##ALT=<ID=*", "##ALT=<ID=NON_REF").replace("ID=QS", "ID=RAW_MQ").replace("ID=I16", "ID=ED")


def text(header: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(gzip.compress(header.encode(), mtime=0))
        path.with_name(f"{path.name}.tbi").touch()

    return write


def cut(path: Path) -> None:
    text(HEADER)(path)
    path.write_bytes(path.read_bytes()[:150])


def no_index(path: Path) -> None:
    text(HEADER)(path)
    path.with_name(f"{path.name}.tbi").unlink()


CASES: dict[str, Callable[[Path], None]] = {
    "calls_only": text(HEADER.replace("INFO=<ID=QS", "INFO=<ID=AC").replace("INFO=<ID=I16", "INFO=<ID=AN")),
    "cut_off": cut,
    "gatk": text(GATK),
    "header_only_begins": text(HEADER[:200]),
    "missing": lambda path: None,
    "no_index": no_index,
    "no_vcf": text("@r1\nACGT\n+\nFFFF\n"),
    "other_contig": text(HEADER.replace("ID=chr2", "ID=2")),
    "other_length": text(HEADER.replace("length=500", "length=501")),
    "other_sample": text(HEADER.replace("\ts1", "\tS1")),
    "two_samples": text(HEADER.replace("\ts1", "\ts1\ts2")),
}


def problems(path: Path) -> str:
    pipeline, _ = load_pipeline("germline")
    sample = Sample("s1", "s1", "NA", 0, (), str(path), 2)
    found = gvcf_problems([sample], pipeline, "sheet.csv", LocalStore({}), CONTIGS)
    return "".join(f"error: {problem}\n" for problem in found).replace(f"{path.parent}/", "")


@pytest.mark.parametrize("name", CASES)
def test_bad_gvcf(name: str, tmp_path: Path) -> None:
    CASES[name](tmp_path / "s1.g.vcf.gz")
    assert problems(tmp_path / "s1.g.vcf.gz") == (EXPECTED / f"{name}.expected").read_text()


def test_a_good_gvcf_has_no_problem(tmp_path: Path) -> None:
    text(HEADER)(tmp_path / "s1.g.vcf.gz")
    assert problems(tmp_path / "s1.g.vcf.gz") == ""


def test_each_message_has_a_case() -> None:
    assert {file.stem for file in EXPECTED.iterdir()} == set(CASES)

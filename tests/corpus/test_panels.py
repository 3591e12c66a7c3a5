"""Bad reference panels, each of which is refused before a job starts with exactly the messages of its `.expected`."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pysam
import pysam.bcftools
import pytest

from genomics_pipeline.cli.main import main

EXPECTED = Path(__file__).with_name("panels")
REFERENCE = {"chr1": "ACGT" * 1000, "chr2": "A" * 50}
HEADER = """##fileformat=VCFv4.2
##contig=<ID=chr1>
##contig=<ID=chr2>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1\tP2
"""
Panel = Callable[[Path], Sequence[str]]  # writes a panel, and returns further options


def record(pos: int, ref: str = "", genotypes: str = "0|1\t1|0", contig: str = "chr1") -> str:
    return f"{contig}\t{pos}\t.\t{ref or REFERENCE['chr1'][pos - 1]}\tTT\t.\t.\t.\tGT\t{genotypes}\n"


GOOD = HEADER + record(1) + record(5) + record(2, "A", contig="chr2")


def compressed(path: Path, text: str) -> None:
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(text.encode())


def indexed(text: str) -> Panel:
    def write(path: Path) -> Sequence[str]:
        compressed(path, text)
        pysam.tabix_index(str(path), preset="vcf", force=True)
        return ()

    return write


def with_index_of(other: str, text: str) -> Panel:
    """Return the writer of a file, and an index that was made before the file was replaced."""

    def write(path: Path) -> Sequence[str]:
        indexed(other)(path)
        compressed(path, text)
        return ()

    return write


def cut(path: Path) -> Sequence[str]:
    indexed(GOOD)(path)
    path.write_bytes(path.read_bytes()[:120])
    return ()


def not_indexed(path: Path) -> Sequence[str]:
    compressed(path, GOOD)
    return ()


def no_index(path: Path) -> Sequence[str]:
    compressed(path, GOOD)
    path.with_name(f"{path.name}.tbi").write_text("chr1")
    return ()


def no_vcf(path: Path) -> Sequence[str]:
    path.write_text("P1,P2\n")
    path.with_name(f"{path.name}.tbi").touch()
    return ()


def unknown_names(path: Path) -> Sequence[str]:
    indexed(GOOD)(path)
    names = path.with_name("relatives.txt")
    names.write_text("P1\ns1\nP11\nP 2\n")
    return "--param", f"imputation.exclude_panel_samples={names}"


def everyone(*names: str, named: str = "") -> Panel:
    def write(path: Path) -> Sequence[str]:
        indexed(GOOD.replace("P1\tP2", "\t".join(names)))(path)
        relatives = path.with_name("relatives.txt")
        relatives.write_text(f"{named}\n")
        return ("--param", f"imputation.exclude_panel_samples={relatives}") if named else ()

    return write


MANY = "".join(record(pos) for pos in range(1, 1201))
CASES: dict[str, Panel] = {
    "all_are_samples": everyone("s1", "s2"),
    "all_are_samples_or_named": everyone("s1", "P2", named="P2"),
    "beyond_the_contig": indexed(HEADER + record(49, "AAA", contig="chr2")),
    "columns": indexed(GOOD.replace("0|1\t1|0", "0|1", 1)),
    "cut_off": cut,
    "index_of_fewer_records": with_index_of(GOOD, GOOD.replace(record(5), MANY)),
    "late_record": indexed(HEADER + MANY + record(1300, genotypes="0|1\t1/0") + record(1301, "G")),
    "missing": lambda path: (),
    "missing_genotype": indexed(GOOD.replace("1|0", ".|.", 1)),
    "no_index": no_index,
    "no_genotypes": indexed("".join("\t".join(line.split("\t")[:8]) + "\n" for line in GOOD.splitlines())),
    "no_vcf": no_vcf,
    "not_indexed": not_indexed,
    "other_assembly": indexed(HEADER + record(1, "T") + record(2, "G") + record(2, "A", contig="chr2")),
    "other_contigs": indexed(GOOD.replace("chr", "")),
    "several": indexed(HEADER + record(1, "T", "0/1\t1|0") + record(2, "CGG") + record(5, "A", "0|1\t.")),
    "unknown_names": unknown_names,
    "unphased": indexed(GOOD.replace("0|1", "0/1", 1)),
    "unsorted": with_index_of(GOOD, HEADER + record(5) + record(1)),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a reference that is prepared, and a sheet."""
    folder = tmp_path_factory.mktemp("project")
    text = "".join(f">{name}\n{bases}\n" for name, bases in REFERENCE.items())
    (folder / "ref.fa").write_text(text)
    pysam.faidx(str(folder / "ref.fa"))
    rows = []
    for sample in ("s1", "s2"):
        for mate in (1, 2):
            (folder / f"{sample}_{mate}.fastq.gz").write_bytes(gzip.compress(b"@r\nACGT\n+\nFFFF\n"))
        rows.append(f"{sample},{folder}/{sample}_1.fastq.gz,{folder}/{sample}_2.fastq.gz\n")
    (folder / "sheet.csv").write_text("sample,fastq_1,fastq_2\n" + "".join(rows))
    return folder


def messages(project: Path, panel: Path, more: Sequence[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the exit code and the errors of a dry run with a panel."""
    options = ["--reference", f"{project}/ref.fa", "--out", f"{panel.parent}/out", "--pipeline", "germline-lowpass"]
    with pytest.raises(SystemExit) as end:
        main(["run", f"{project}/sheet.csv", *options, "--dry-run", "--param", f"imputation.panel={panel}", *more])
    errors = capfd.readouterr().err.replace(f"{panel.parent}/", "").splitlines(keepends=True)
    assert not (panel.parent / "out").exists()
    return int(end.value.code or 0), "".join(line for line in errors if not line.startswith(("reference:", "warning:")))


@pytest.mark.parametrize("name", CASES)
def test_a_bad_panel_has_its_messages(
    name: str, project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    panel = tmp_path / "panel.vcf.gz"
    code, found = messages(project, panel, CASES[name](panel), capfd)
    if "GENOMICS_PIPELINE_RENEW_GOLDEN" in os.environ:
        (EXPECTED / f"{name}.expected").write_text(found)
    assert (code, found) == (1, (EXPECTED / f"{name}.expected").read_text())


@pytest.mark.parametrize("kind", ["z", "b"])
def test_good_panels_have_no_problem(
    kind: str, project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also with haploid genotypes, other contigs, a sample of the cohort, and that sample among the names."""
    other = GOOD.replace("##contig=<ID=chr2>", "##contig=<ID=chr2>\n##contig=<ID=chr9>").replace("P1\tP2", "s1\tP2")
    indexed(other + record(9, "A", "0\t1|0", "chr2") + record(1, "C", "./.\t0/1", "chr9"))(tmp_path / "plain.vcf.gz")
    panel = tmp_path / {"z": "panel.vcf.gz", "b": "panel.bcf"}[kind]
    pysam.bcftools.view(f"-O{kind}", "-o", str(panel), str(tmp_path / "plain.vcf.gz"), catch_stdout=False)
    pysam.bcftools.index(str(panel), catch_stdout=False)
    (tmp_path / "names").write_text("s1\ns2\n")
    names = ("--param", f"imputation.exclude_panel_samples={tmp_path}/names")
    code, found = messages(project, panel, names, capfd)
    assert (code, found) == (0, "")


def test_the_same_rules_hold_for_one_step(project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    panel = tmp_path / "panel.vcf.gz"
    CASES["late_record"](panel)
    shutil.copy(panel, tmp_path / "joint.vcf.gz")
    options = ["--reference", f"{project}/ref.fa", "--out", f"{tmp_path}/out", "--param", f"panel={panel}"]
    with pytest.raises(SystemExit) as end:
        main(["step", "imputation", "--input", f"gvcfs={panel}", "--input", f"vcf={panel}", *options])
    errors = [line for line in capfd.readouterr().err.splitlines(keepends=True) if line.startswith("error:")]
    expected = (EXPECTED / "late_record.expected").read_text().replace("parameter imputation.panel", "parameter panel")
    assert (end.value.code, "".join(errors).replace(f"{tmp_path}/", "")) == (1, expected)


def test_each_message_has_a_case() -> None:
    assert {file.stem for file in EXPECTED.iterdir()} == set(CASES)

"""The step's program, run as the worker runs it, on a gene whose consequences are known by hand."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam
import pytest

PROGRAM = Path(__file__).with_name("annotation.py")
CODING = "ATGAAAGAATGGCTTCATGGTTAA"  # M K E W L H G *
CONTIGS = {"chr1": 324, "chr2": 150}
GENE = "\n".join(
    f"1\tensembl\t{kind}\t101\t124\t.\t+\t{phase}\t{attributes}"
    for kind, phase, attributes in [
        ("gene", ".", "ID=gene:G1;Name=GENE1;biotype=protein_coding"),
        ("mRNA", ".", "ID=transcript:T1;Parent=gene:G1;biotype=protein_coding"),
        ("exon", ".", "Parent=transcript:T1"),
        ("CDS", "0", "ID=CDS:P1;Parent=transcript:T1"),
    ]
)
RECORDS = [
    "chr1 106 A G PASS 0/1 0/0",  # AAA > AAG
    "chr1 107 G A PASS 0/0 1/1",  # GAA > AAA
    "chr1 111 G A PASS 0/1 0/0",  # TGG > TAG
    "chr1 115 T TA LowQual 0/0 0/1",  # together with the next, a shift of the frame
    "chr1 116 C CA PASS 0/0 0/1",
    "chr1 300 C T PASS 0/1 0/1",  # behind the gene
    "chr2 10 A T PASS 0/1 0/1",  # on a contig without genes
]
NOTHING = dict.fromkeys(("gff3", "dbsnp", "clinvar", "gnomad"))
COLUMNS = {"dbsnp_columns": "ID", "clinvar_columns": "CLNSIG", "gnomad_columns": "gnomad_AF:=AF"}


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.fa"
    bases = {"chr1": "C" * 100 + CODING.lower() + "C" * 200, "chr2": "A" * 149 + "R"}
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in bases.items()))
    pysam.faidx(str(path))
    return path


@pytest.fixture
def genes(tmp_path: Path) -> str:
    path = tmp_path / "genes.gff3.gz"
    path.write_bytes(gzip.compress(f"##gff-version 3\n{GENE}\nMT\tx\tgene\t1\t9\t.\t+\t.\tID=gene:M\n".encode()))
    return str(path)


def vcf(path: Path, header: str, rows: Sequence[str]) -> str:
    lines = "".join("\t".join(row.split()) + "\n" for row in rows)
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(f"##fileformat=VCFv4.2\n{header}\n{lines}".encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return str(path)


@pytest.fixture
def joint(tmp_path: Path) -> str:
    return write_joint(tmp_path / "joint.vcf.gz", RECORDS)


def write_joint(path: Path, records: Sequence[str]) -> str:
    """Write records that are given as contig, pos, ref, alt, filter and genotypes."""
    contigs = "".join(f"##contig=<ID={name},length={length}>\n" for name, length in CONTIGS.items())
    header = f"""##FILTER=<ID=LowQual,Description="QUAL below 20">
{contigs}##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	A	B"""
    rows = []
    for record in records:
        contig, pos, ref, alt, filters, *genotypes = record.split()
        rows.append(" ".join([contig, pos, ".", ref, alt, "50", filters, ".", "GT", *genotypes]))
    return vcf(path, header, rows)


def known(path: Path) -> str:
    header = """##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##INFO=<ID=CLNSIG,Number=.,Type=String,Description="Significance">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO"""
    return vcf(path, header, ["chr1 107 rs1 G T,A . . AF=0.5,0.25;CLNSIG=Pathogenic", "chr1 111 rs2 G C . . AF=0.125"])


def run_step(folder: Path, joint: str, reference: Path, **parameters: Any) -> subprocess.CompletedProcess[str]:
    (folder / "scratch").mkdir(parents=True)
    task = {
        "step": "annotation",
        "version": "1.2.0",
        "inputs": {"vcf": joint, "reference": str(reference)},
        "outputs": {"vcf": str(folder / "out.vcf.gz"), "metrics": str(folder / "out.json")},
        "parameters": {**NOTHING, **COLUMNS, "phase": "a", **parameters},
        "vcpus": 1,
        "scratch": str(folder / "scratch"),
        "versions": str(folder / "versions.json"),
    }
    (folder / "task.json").write_text(json.dumps(task))
    argv = [sys.executable, str(PROGRAM), str(folder / "task.json")]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def column(folder: Path, name: str) -> list[Any]:
    with pysam.VariantFile(str(folder / "out.vcf.gz")) as annotated:
        return [record.info.get(name) for record in annotated]


def metrics(folder: Path) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return counts


def test_consequences_and_their_counts(tmp_path: Path, joint: str, reference: Path, genes: str) -> None:
    """The file calls the contig ``1``, the reference ``chr1``, in lower case and with an ambiguity code elsewhere."""
    process = run_step(tmp_path / "a", joint, reference, gff3=genes)
    assert process.returncode == 0, process.stderr
    assert process.stderr.endswith("$ bcftools csq --fasta-ref reference.fa --gff-annot genes.gff3 --phase a\n")
    of_gene = "GENE1|T1|protein_coding|+"
    assert column(tmp_path / "a", "BCSQ") == [
        (f"synonymous|{of_gene}|2K|106A>G",),
        (f"missense|{of_gene}|3E>3K|107G>A",),
        (f"stop_gained|{of_gene}|4W>4*|111G>A",),
        (f"frameshift|{of_gene}|5LHG*>5LTMV|115T>TA+116C>CA",),
        ("@115",),
        None,
        None,
    ]
    kinds = {"synonymous": 1, "missense": 1, "stop_gained": 1, "frameshift": 1}
    assert metrics(tmp_path / "a") == {
        "variants": 6,
        "with_id": 0,
        "with_consequence": 4,
        **kinds,
        "consequences": dict(sorted(kinds.items())),
    }
    assert (tmp_path / "a" / "out.vcf.gz.tbi").is_file()


def test_variants_described_at_a_later_one_count(tmp_path: Path, reference: Path) -> None:
    """On the reverse strand csq describes what variants change together at the last of them."""
    genes = tmp_path / "genes.gff3"
    genes.write_text(f"##gff-version 3\n{GENE}\n".replace("\t+\t", "\t-\t"))
    records = ["chr1 113 C A PASS 0/1 0/0", "chr1 115 T A PASS 0/1 0/0", "chr1 118 T G LowQual 0/1 0/0"]
    process = run_step(tmp_path / "a", write_joint(tmp_path / "x.vcf.gz", records), reference, gff3=str(genes))
    assert process.returncode == 0, process.stderr
    described = ("missense|GENE1|T1|protein_coding|-|4K>4Y|113C>A+115T>A",)
    assert column(tmp_path / "a", "BCSQ")[:2] == [("@115",), described]
    found = metrics(tmp_path / "a")
    assert (found["with_consequence"], found["missense"], found["consequences"]) == (2, 2, {"missense": 2})


def test_ploidies_of_a_record_may_differ(tmp_path: Path, reference: Path, genes: str) -> None:
    records = [
        "chr1 106 A G PASS 1 0/0",  # of one copy and of two
        "chr1 107 G A PASS . 0/1",  # of none
        "chr1 111 G A PASS 1 .",
        "chr1 115 T TA PASS 1 0/0",  # together with the next
        "chr1 116 C CA PASS 1 0/1",
    ]
    process = run_step(tmp_path / "a", write_joint(tmp_path / "x.vcf.gz", records), reference, gff3=genes)
    assert process.returncode == 0, process.stderr
    of_gene = "GENE1|T1|protein_coding|+"
    found = column(tmp_path / "a", "BCSQ")
    assert found[:2] == [(f"synonymous|{of_gene}|2K|106A>G",), (f"missense|{of_gene}|3E>3K|107G>A",)]
    assert found[2] == (f"stop_gained|{of_gene}|4W>4*|111G>A",)
    assert all(found)
    with pysam.VariantFile(str(tmp_path / "a" / "out.vcf.gz")) as annotated:
        genotypes = [[sample["GT"] for sample in record.samples.values()] for record in annotated]
    assert genotypes[:3] == [[(1,), (0, 0)], [(None,), (0, 1)], [(1,), (None,)]]


def test_columns_of_known_variants(tmp_path: Path, joint: str, reference: Path, genes: str) -> None:
    source = known(tmp_path / "known.vcf.gz")
    process = run_step(tmp_path / "a", joint, reference, gff3=genes, dbsnp=source, clinvar=source, gnomad=source)
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(tmp_path / "a" / "out.vcf.gz")) as annotated:
        (record,) = [one for one in annotated if one.id]
        found = (record.pos, record.id, record.info["CLNSIG"], record.info["gnomad_AF"], "AF" in record.info)
        assert found == (107, "rs1", ("Pathogenic",), (0.25,), False)
        assert [sample["GT"] for sample in record.samples.values()] == [(0, 0), (1, 1)]
    counts = metrics(tmp_path / "a")
    assert (counts["with_id"], counts["missense"]) == (1, 1)
    run_step(tmp_path / "b", joint, reference, gff3=genes, dbsnp=source, clinvar=source, gnomad=source)
    assert (tmp_path / "b/out.vcf.gz").read_bytes() == (tmp_path / "a/out.vcf.gz").read_bytes()


def test_known_variants_alone(tmp_path: Path, joint: str, reference: Path) -> None:
    process = run_step(tmp_path / "a", joint, reference, dbsnp=known(tmp_path / "known.vcf.gz"))
    assert process.returncode == 0, process.stderr
    with pysam.VariantFile(str(tmp_path / "a" / "out.vcf.gz")) as annotated:
        lines = [line for line in str(annotated.header).splitlines() if "ommand=" in line]
    assert [line.partition(" --param")[0] for line in lines] == [
        "##genomics_pipeline_command=genomics-pipeline step annotation joint.vcf.gz --reference reference.fa",
        "##bcftools_annotateCommand=annotate --annotations known.vcf.gz --columns ID",
    ]
    assert metrics(tmp_path / "a") == {"variants": 6, "with_id": 1}


def test_unphased_genotypes_are_refused_with_phase_r(tmp_path: Path, joint: str, reference: Path, genes: str) -> None:
    process = run_step(tmp_path / "a", joint, reference, gff3=genes, phase="r")
    assert process.returncode != 0
    assert "Unphased heterozygous genotype at chr1:106" in process.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(GENE.encode() * 99)[:-20], "expected a whole GFF3 file, found: Compressed file ended"),
        (GENE.replace("1\tens", "7\tens").encode(), "expected features on contigs of the reference, found none"),
    ],
)
def test_bad_gene_files(tmp_path: Path, joint: str, reference: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.gff3"
    path.write_bytes(content)
    process = run_step(tmp_path / "a", joint, reference, gff3=str(path))
    assert process.returncode == 65
    assert process.stderr.startswith(f"error: {path}: {message}")


def test_nothing_to_annotate_with(tmp_path: Path, joint: str, reference: Path) -> None:
    process = run_step(tmp_path / "a", joint, reference)
    expected = "error: parameters: expected a file to annotate with, found none of gff3, dbsnp, clinvar, gnomad\n"
    assert (process.returncode, process.stderr) == (65, expected)

"""The step's program, run as the worker runs it, on generated gVCFs with known likelihoods."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any

import pysam
import pytest

PROGRAM = Path(__file__).with_name("aggregation.py")
HEADER = """##fileformat=VCFv4.2
##contig=<ID=c1,length=3000>
##ALT=<ID=*,Description="Represents allele(s) other than observed.">
##INFO=<ID=INDEL,Number=0,Type=Flag,Description="Indicates that the variant is an INDEL.">
##INFO=<ID=FEW,Number=0,Type=Flag,Description="Indel of few reads">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Raw read depth">
##INFO=<ID=MQ0F,Number=1,Type=Float,Description="Fraction of MQ0 reads (smaller is better)">
##INFO=<ID=I16,Number=16,Type=Float,Description="Auxiliary tag used for calling">
##INFO=<ID=QS,Number=R,Type=Float,Description="Auxiliary tag used for calling">
##INFO=<ID=END,Number=1,Type=Integer,Description="End position of the variant described in this record">
##INFO=<ID=MIN_DP,Number=1,Type=Integer,Description="Minimum per-sample depth in this gVCF block">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="List of Phred-scaled genotype likelihoods">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Number of high-quality bases">
##FORMAT=<ID=SP,Number=1,Type=Integer,Description="Phred-scaled strand bias P-value">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths (high-quality bases)">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	"""
RUN = 1204  # 1-based position of the last of ten A; a deletion is placed at the base before them, one interval earlier
SNPS = {1000: "T", 1001: "C", 1500: "G"}
VARIANT = "DP=20;I16=5,5,5,5,300,9000,300,9000,600,36000,600,36000,250,6250,250,6250;QS=0.5,0.5,0;MQ0F=0"


def index(reference: Path) -> None:
    """Write the index and the dictionary of a reference."""
    pysam.faidx(str(reference))
    pysam.dict("-o", str(reference.with_suffix(".dict")), str(reference))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bases = list("ACGGT" * 600)
    bases[1193:1204] = "G" + "A" * 10
    for pos in SNPS:
        bases[pos - 1] = "A"
    path = tmp_path_factory.mktemp("reference") / "reference.fa"
    path.write_text(f">c1\n{''.join(bases)}\n")
    index(path)
    return path


def gvcf(
    folder: Path,
    reference: Path,
    sample: str,
    snps: Sequence[int],
    deletion: bool = False,
    sp: int = 0,
    ploidy: int | None = None,
) -> str:
    """Write a gVCF of a sample that is heterozygous at these positions and, on request, for a deletion of AA."""
    bases = pysam.FastaFile(str(reference)).fetch("c1")
    lines, position = [], 1
    likelihoods = "200,0,200,230,230,255" if ploidy != 1 else "200,60,0,230,90,255"  # heterozygous, else all alternate
    variants = [(pos, f"c1\t{pos}\t.\tA\t{SNPS[pos]},<*>\t0\t.\t{VARIANT}", likelihoods) for pos in snps]
    if deletion:
        indel = VARIANT.replace("QS=0.5,0.5,0", "QS=0.5,0.5").replace("DP=", "INDEL;DP=")
        variants.append((RUN - 2, f"c1\t{RUN - 2}\t.\tAAA\tA\t0\t.\t{indel}", "200,0,200"))
    for pos, line, likelihoods in sorted(variants):
        if pos > position:
            lines.append(block(bases, position, pos - 1))
        depths = "10,10,0" if "<*>" in line else "10,10"
        lines.append(f"{line}\tPL:DP:SP:AD\t{likelihoods}:20:{sp}:{depths}\n")
        position = pos + 1
    path = folder / f"{sample}.g.vcf.gz"
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        header = HEADER if ploidy is None else HEADER.replace("#CHROM", f"##genomics_pipeline_ploidy={ploidy}\n#CHROM")
        header = header.replace("#CHROM", f"##SAMPLE=<ID={sample},Patient=of-{sample}>\n#CHROM")
        out.write("".join([header, sample, "\n", *lines, block(bases, position, 3000)]).encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return str(path)


def block(bases: str, start: int, end: int) -> str:
    return f"c1\t{start}\t.\t{bases[start - 1]}\t<*>\t.\t.\tEND={end};MIN_DP=20;QS=1,0\tPL:DP\t0,60,255:20\n"


def run_step(
    folder: Path, reference: Path, gvcfs: Sequence[str], interval: Sequence[str], **parameters: Any
) -> subprocess.CompletedProcess[str]:
    (folder / "scratch").mkdir(parents=True)
    defaults = {
        "ploidy": None,
        "regions": None,
        "batch_size": 200,
        "prior": 0.02,
        "carrier_prior": 0.02,
        "min_qual": 20,
        "min_depth": 2,
        "max_strand_bias": 25,
    }
    task = {
        "step": "aggregation",
        "version": "1",
        "item": {"interval": "00000", "regions": list(interval)},
        "inputs": {"gvcfs": list(gvcfs), "reference": str(reference)},
        "outputs": {"vcf": str(folder / "joint.vcf.gz"), "packed": str(folder / "joint.packed")},
        "parameters": defaults | parameters,
        "vcpus": 1,
        "scratch": str(folder / "scratch"),
        "versions": str(folder / "versions.json"),
    }
    (folder / "task.json").write_text(json.dumps(task))
    argv = [sys.executable, str(PROGRAM), str(folder / "task.json")]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def joint(
    folder: Path, reference: Path, gvcfs: Sequence[str], *interval: str, **parameters: Any
) -> list[tuple[int, str, str, list[str]]]:
    """Run the step and return POS, REF, ALT and the genotypes of each record."""
    process = run_step(folder, reference, gvcfs, interval or ["c1:1-3000"], **parameters)
    assert process.returncode == 0, process.stderr
    assert (folder / "joint.vcf.gz.tbi").is_file()
    assert not list((folder / "scratch").glob("*.bcf"))
    with pysam.VariantFile(str(folder / "joint.vcf.gz")) as vcf:
        return [
            (r.pos, str(r.ref), ",".join(r.alts or ()), ["/".join(map(str, s["GT"])) for s in r.samples.values()])
            for r in vcf
        ]


def three_gvcfs(folder: Path, reference: Path) -> list[str]:
    return [
        gvcf(folder, reference, "Z", [1000]),
        gvcf(folder, reference, "A", [1000, 1001], deletion=True),
        gvcf(folder, reference, "M", [1500]),
    ]


EXPECTED = [
    (1000, "A", "T", ["0/1", "0/1", "0/0"]),
    (1001, "A", "C", ["0/0", "0/1", "0/0"]),
    (1194, "GAA", "G", ["0/0", "0/1", "0/0"]),
    (1500, "A", "G", ["0/0", "0/0", "0/1"]),
]


@pytest.mark.parametrize("batch_size", [2, 200])
def test_the_patient_of_each_sample_is_in_the_header(tmp_path: Path, reference: Path, batch_size: int) -> None:
    joint(tmp_path / "a", reference, three_gvcfs(tmp_path, reference), batch_size=batch_size)
    with pysam.VariantFile(str(tmp_path / "a" / "joint.vcf.gz")) as vcf:
        lines = [dict(record) for record in vcf.header.records if record.key == "SAMPLE"]
    assert {line["ID"]: line["Patient"] for line in lines} == {"Z": "of-Z", "A": "of-A", "M": "of-M"}


def test_three_samples_in_the_order_of_the_inputs(tmp_path: Path, reference: Path) -> None:
    assert joint(tmp_path / "a", reference, three_gvcfs(tmp_path, reference)) == EXPECTED
    with pysam.VariantFile(str(tmp_path / "a" / "joint.vcf.gz")) as vcf:
        assert list(vcf.header.samples) == ["Z", "A", "M"]
        assert {"LowQual", "LowDepth", "StrandBias"} <= set(vcf.header.filters)
        assert str(reference) not in str(vcf.header)
        first = next(iter(vcf))
        assert (first.info["AC"], first.info["AN"], list(first.filter)) == ((2,), 6, ["PASS"])
        assert first.info["AF"] == pytest.approx((1 / 3,), abs=1e-5)


def test_one_sample(tmp_path: Path, reference: Path) -> None:
    path = gvcf(tmp_path, reference, "A", [1000, 1001])
    assert joint(tmp_path / "a", reference, [path]) == [(1000, "A", "T", ["0/1"]), (1001, "A", "C", ["0/1"])]


def test_a_record_belongs_to_the_interval_that_it_starts_in(tmp_path: Path, reference: Path) -> None:
    gvcfs = three_gvcfs(tmp_path, reference)
    intervals = ["c1:1-1000", "c1:1001-1194", "c1:1195-1499", "c1:1500-3000"]
    parts = [joint(tmp_path / name, reference, gvcfs, name) for name in intervals]
    assert parts == [EXPECTED[:1], EXPECTED[1:3], [], EXPECTED[3:]]
    assert joint(tmp_path / "two", reference, gvcfs, "c1:1-900", "c1:1001-1100") == EXPECTED[1:2]


def test_filters(tmp_path: Path, reference: Path) -> None:
    paths = [gvcf(tmp_path, reference, "A", [1000], sp=99), gvcf(tmp_path, reference, "B", [1000, 1500], sp=50)]
    joint(tmp_path / "a", reference, paths, max_strand_bias=40, min_depth=21, min_qual=185)
    joint(tmp_path / "b", reference, paths, max_strand_bias=60)
    joint(tmp_path / "c", reference, paths, max_strand_bias=49)
    filters = []
    for name in "abc":
        with pysam.VariantFile(str(tmp_path / name / "joint.vcf.gz")) as vcf:
            filters.append([tuple(record.filter) for record in vcf])
    of_both, of_one = ("LowDepth", "StrandBias"), ("LowQual", "LowDepth", "StrandBias")
    assert filters == [[of_both, of_one], [("PASS",), ("PASS",)], [("StrandBias",), ("StrandBias",)]]


def test_haploid(tmp_path: Path, reference: Path) -> None:
    records = joint(tmp_path / "a", reference, three_gvcfs(tmp_path, reference), ploidy=1)
    assert {genotype for *_, genotypes in records for genotype in genotypes} <= {"0", "1"}


def test_the_cohort_has_the_ploidy_its_samples_were_called_with(tmp_path: Path, reference: Path) -> None:
    gvcfs = [gvcf(tmp_path, reference, name, [1000], ploidy=1) for name in ("A", "B")]
    records = joint(tmp_path / "a", reference, gvcfs)
    assert {genotype for *_, genotypes in records for genotype in genotypes} == {"1"}


def test_samples_called_with_different_ploidies_are_refused_unless_one_is_given(
    tmp_path: Path, reference: Path
) -> None:
    one, two = (gvcf(tmp_path, reference, f"S{ploidy}", [1000], ploidy=ploidy) for ploidy in (1, 2))
    process = run_step(tmp_path / "a", reference, [one, two], ["c1:1-3000"])
    message = (
        f"{two}: expected ploidy 1 as in {one}, found 2; "
        "call all samples with one ploidy, or set aggregation's parameter ploidy"
    )
    assert (process.returncode, process.stderr) == (65, f"error: {message}\n")
    assert joint(tmp_path / "b", reference, [one, two], ploidy=2)


def test_a_sample_given_twice_is_refused(tmp_path: Path, reference: Path) -> None:
    (tmp_path / "x").mkdir()
    one, two = gvcf(tmp_path, reference, "A", []), gvcf(tmp_path / "x", reference, "A", [])
    process = run_step(tmp_path / "a", reference, [one, two], ["c1:1-3000"])
    expected = f"error: {two}: expected a sample that no other file holds, found A, which {one} holds too\n"
    assert (process.returncode, process.stderr) == (65, expected)


OTHER_KIND = "expected a gVCF, found one that is cut off or of another kind"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nothing\n", OTHER_KIND),
        ("", OTHER_KIND),
        (HEADER.partition("#CHROM")[0], OTHER_KIND),
        (HEADER.replace("##fileformat=VCFv4.2\n", "") + "A\n", OTHER_KIND),
        (HEADER + "A\tB\n", "expected a gVCF of one sample, found 2 samples"),
        (HEADER.rstrip("\t") + "\n", "expected a gVCF of one sample, found 0 samples"),
    ],
    ids=["text", "empty", "cut off", "no VCF", "two samples", "no sample"],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, reference: Path, content: str, message: str) -> None:
    path = tmp_path / "x.g.vcf.gz"
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(content.encode())
    process = run_step(tmp_path / "a", reference, [*three_gvcfs(tmp_path, reference), str(path)], ["c1:1-3000"])
    assert (process.returncode, process.stderr) == (65, f"error: {path}: {message}\n")


def test_a_missing_gvcf_is_named(tmp_path: Path, reference: Path) -> None:
    path = tmp_path / "x.g.vcf.gz"
    process = run_step(tmp_path / "a", reference, [*three_gvcfs(tmp_path, reference), str(path)], ["c1:1-3000"])
    assert (process.returncode, process.stderr) == (65, f"error: {path}: expected a gVCF, found no such file\n")


def test_gvcfs_of_another_reference_are_refused(tmp_path: Path, reference: Path) -> None:
    other = tmp_path / "other.fa"
    bases = pysam.FastaFile(str(reference)).fetch("c1")
    other.write_text(f">c1\n{bases[:1499]}C{bases[1500:]}\n")
    index(other)
    process = run_step(tmp_path / "a", other, three_gvcfs(tmp_path, reference), ["c1:1-3000"])
    message = "error: c1:1500: expected gVCFs of the reference, which has C, found one with A\n"
    assert (process.returncode, process.stderr.startswith(message)) == (65, True)


def test_batches_change_no_record(tmp_path: Path, reference: Path) -> None:
    rng = random.Random(5)
    gvcfs = [
        gvcf(tmp_path, reference, f"S{number}", [pos for pos in SNPS if rng.random() < 0.1], rng.random() < 0.1)
        for number in range(450)
    ]
    records = joint(tmp_path / "200", reference, gvcfs)
    assert [row[:3] for row in records] == [row[:3] for row in EXPECTED]
    for size in (7, 450):
        assert joint(tmp_path / str(size), reference, gvcfs, batch_size=size) == records
        assert lines_of_any_run(tmp_path / str(size)) == lines_of_any_run(tmp_path / "200")


def test_a_damaged_gvcf_fails_the_step(tmp_path: Path, reference: Path) -> None:
    gvcfs = three_gvcfs(tmp_path, reference)
    content = Path(gvcfs[1]).read_bytes()
    Path(gvcfs[1]).write_bytes(content[: len(content) // 2])
    process = run_step(tmp_path / "a", reference, gvcfs, ["c1:1-3000"])
    assert process.returncode in (1, 65)
    assert process.stderr.startswith("error: ")
    assert "Traceback" not in process.stderr


CODES = str.maketrans("ACG", "RYK")  # each of which is reduced to the base that it replaces


@pytest.mark.parametrize("write", [lambda bases: bases.translate(CODES), str.lower], ids=["codes", "lower case"])
def test_ambiguity_codes_and_lower_case_change_no_record(
    reference: Path, tmp_path: Path, write: Callable[[str], str]
) -> None:
    gvcfs = three_gvcfs(tmp_path, reference)
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "reference.fa"
    other.write_text(f">c1\n{write(pysam.FastaFile(str(reference)).fetch('c1'))}\n")
    index(other)
    assert joint(tmp_path / "a", reference, gvcfs) == joint(tmp_path / "b", other, gvcfs)
    assert lines_of_any_run(tmp_path / "a") == lines_of_any_run(tmp_path / "b")


def lines_of_any_run(folder: Path) -> list[bytes]:
    """Return the lines of the joint VCF but those with the MD5 of the reference and the parameters."""
    lines = gzip.decompress((folder / "joint.vcf.gz").read_bytes()).splitlines()
    return [line for line in lines if not line.startswith((b"##contig=", b"##genomics_pipeline_command="))]


def test_the_header_says_what_made_the_file_and_not_what_made_each_gvcf(reference: Path, tmp_path: Path) -> None:
    paths = three_gvcfs(tmp_path, reference)
    for path in paths:
        text = gzip.decompress(Path(path).read_bytes()).decode()
        made_by = "##source=genomics-pipeline variant_calling 1\n##bcftools_callCommand=call of one sample\n"
        with pysam.BGZFile(path, "wb", index=None) as out:
            out.write(text.replace("##contig", f"{made_by}##contig", 1).encode())
        pysam.tabix_index(path, preset="vcf", force=True)
    joint(tmp_path / "a", reference, paths)
    header = gzip.decompress((tmp_path / "a/joint.vcf.gz").read_bytes()).decode()
    assert header.splitlines()[1:3] == ["##source=genomics-pipeline aggregation 1", "##reference=reference.fa"]
    assert header.count("##source=") == 1
    assert "of one sample" not in header
    assert "##bcftools_callCommand=call -mv -a GQ -P 0.02 --ploidy 2 -Ou -\n" in header
    digest = md5(pysam.FastaFile(str(reference)).fetch("c1").encode()).hexdigest()
    assert f"##contig=<ID=c1,length=3000,md5={digest}>\n" in header


def test_a_long_contig_needs_a_csi_index(reference: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.fa"
    other.write_bytes(reference.read_bytes())
    fai = Path(f"{reference}.fai").read_text()
    other.with_suffix(".dict").write_bytes(reference.with_suffix(".dict").read_bytes())
    Path(f"{other}.fai").write_text(f"{fai}long\t600000000\t4000\t60\t61\n")  # not called here
    process = run_step(tmp_path / "a", other, three_gvcfs(tmp_path, reference), ["c1:1-3000"])
    assert process.returncode == 0, process.stderr
    assert sorted(file.name for file in (tmp_path / "a").glob("joint.vcf*")) == ["joint.vcf.gz", "joint.vcf.gz.csi"]


def test_gvcfs_may_have_csi_indexes_alone(reference: Path, tmp_path: Path) -> None:
    gvcfs = three_gvcfs(tmp_path, reference)
    for path in gvcfs:
        Path(f"{path}.tbi").unlink()
        pysam.tabix_index(path, preset="vcf", csi=True)
    assert joint(tmp_path / "a", reference, gvcfs) == EXPECTED


def test_only_targets_are_genotyped(reference: Path, tmp_path: Path) -> None:
    gvcfs = three_gvcfs(tmp_path, reference)
    bed = tmp_path / "targets.bed"
    bed.write_text("c1\t1499\t1500\tlast\nc1\t998\t1000\tfirst\nc1\t990\t999\n")
    everywhere = joint(tmp_path / "all", reference, gvcfs)
    assert {1000, 1001, 1500} <= {record[0] for record in everywhere}
    expected = [record for record in everywhere if record[0] in (1000, 1500)]
    assert joint(tmp_path / "targets", reference, gvcfs, regions=str(bed)) == expected
    assert joint(tmp_path / "half", reference, gvcfs, "c1:1-1200", regions=str(bed)) == expected[:1]
    assert joint(tmp_path / "none", reference, gvcfs, "c1:2001-3000", regions=str(bed)) == []

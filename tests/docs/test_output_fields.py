"""The page of outputs explains all that small runs write: fields and lines of VCF headers, files, columns, members."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import pysam
import pytest

from genomics_pipeline.cli.main import main
from genomics_pipeline.runs.catalog import load_pipeline, load_step
from genomics_pipeline.simulation.cohort import simulate
from tests.cli.test_cohort_on_aws import GENES
from tests.cli.test_lowpass import write_panel

PAGE = (Path(__file__).parents[2] / "docs" / "outputs.md").read_text()
SAMPLE, GVCF = "variant_calling/sample1/sample1.vcf.gz", "variant_calling/sample1/sample1.g.vcf.gz"
JOINT = "variant_calling/joint/joint_germline.vcf.gz"
ANNOTATED = "annotation/joint/joint_germline.annotated.vcf.gz"
REPORTS = {
    "alignment": "reports/alignment/sample1.alignment.json",
    "variant_calling": "reports/variant_calling/sample1.variants.json",
    "gather": "reports/joint/joint_germline.statistics.json",
    "annotation": "reports/annotation/joint_germline.annotation.json",
    "consensus": "reports/consensus/sample1.consensus.json",
    "imputation": "reports/imputation/imputed.00000.json",
}
TABLES = (
    "reports/samtools/sample1/sample1.sorted.coverage.txt",
    "reports/mosdepth/sample1/sample1.mosdepth.summary.txt",
    "reports/mosdepth/sample1/sample1.thresholds.bed.gz",
    "pipeline_info/trace.tsv",
)
INDEXES = (".tbi", ".csi", ".bai", ".crai", ".packed.json")


def write_known(truth: Path, known: Path, fields: Sequence[str]) -> None:
    """Write the variants of the truth with INFO fields."""
    with pysam.VariantFile(str(truth)) as vcf:
        lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name}>" for name in vcf.header.contigs)]
        lines += [f'##INFO=<ID={name},Number=.,Type=String,Description="a field">' for name in fields]
        lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
        info = ";".join(f"{name}=x" for name in fields)
        for record in vcf:
            place = [record.chrom, str(record.pos), "rs1", record.ref or "", ",".join(record.alts or ())]
            lines.append("\t".join([*place, ".", ".", info]))
    with pysam.BGZFile(str(known), "wb", index=None) as out:
        out.write(("\n".join(lines) + "\n").encode())
    pysam.tabix_index(str(known), preset="vcf", force=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run the shipped pipelines over samples with what all of their files need; return the results of each."""
    folder = tmp_path_factory.mktemp("outputs")
    cohort = folder / "cohort"
    simulate(cohort, samples=2, length_bp=12_000, depth=10, seed=3)
    write_panel(cohort / "truth.vcf.gz", cohort / "panel.vcf.gz")
    write_known(cohort / "truth.vcf.gz", cohort / "clinvar.vcf.gz", ["CLNSIG", "CLNDN", "CLNREVSTAT"])
    write_known(cohort / "truth.vcf.gz", cohort / "gnomad.vcf.gz", ["AF"])
    (cohort / "genes.gff3").write_text(re.sub("(?m)^1\t", "chr1\t", GENES))
    (cohort / "regions.bed").write_text("chr1\t1000\t6000\n")
    files = {"gff3": "genes.gff3", "dbsnp": "clinvar.vcf.gz", "clinvar": "clinvar.vcf.gz", "gnomad": "gnomad.vcf.gz"}
    of_germline = [f"annotation.{name}={cohort / file}" for name, file in files.items()]
    of_germline += ["alignment.quality_cutoff=20", f"alignment.regions={cohort / 'regions.bed'}"]
    parameters = {
        "germline": of_germline,
        "germline-lowpass": [f"imputation.panel={cohort / 'panel.vcf.gz'}"],
        "amplicon": [],
    }
    found = {}
    for pipeline, given in parameters.items():
        out = folder / pipeline
        options = ["--reference", cohort / "reference.fa", "--out", out, "--pipeline", pipeline]
        options += [word for one in given for word in ("--param", one)]
        with pytest.raises(SystemExit) as end:
            main(list(map(str, ["run", cohort / "cohort.csv", *options])))
        assert not end.value.code
        found[pipeline] = out / "results"
    return found


def header(vcf: Path) -> Iterator[tuple[str, str]]:
    """Yield the key and the value of each line of a header."""
    with gzip.open(vcf, "rt") as file:
        for line in file:
            if not line.startswith("##"):
                return
            key, _, value = line[2:].partition("=")
            yield key, value


def declared(vcf: Path) -> set[str]:
    """Return the fields, filters and symbolic alleles of a VCF, such as ``INFO/DP``."""
    kinds = {"INFO", "FORMAT", "FILTER", "ALT"}
    return {f"{key}/{re.split('[,>]', value[4:])[0]}" for key, value in header(vcf) if key in kinds}


def section(title: str) -> str:
    """Return the text of a section of the page."""
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def explained(title: str, column: int | None = None) -> set[str]:
    """Return the fields that a section's table explains; with a column, those that have something in it."""
    rows = re.findall(r"^\| `((?:INFO|FORMAT|FILTER|ALT)/[^`]+)` \|(.*)\|$", section(title), re.MULTILINE)
    return {name for name, cells in rows if column is None or cells.split("|")[column].strip()}


@pytest.mark.parametrize(("column", "file"), [(0, SAMPLE), (1, GVCF), (2, JOINT)])
def test_each_field_of_a_vcf_is_explained_and_no_other(results: dict[str, Path], column: int, file: str) -> None:
    assert declared(results["germline"] / file) == explained("Fields of the VCFs", column)
    assert declared(results["amplicon"] / file) == explained("Fields of the VCFs", column)
    if file != JOINT:
        assert declared(results["germline-lowpass"] / file) == explained("Fields of the VCFs", column)


def test_fields_of_annotation_and_imputation_are_explained(results: dict[str, Path]) -> None:
    joint = explained("Fields of the VCFs", 2)
    assert declared(results["germline"] / ANNOTATED) - joint == explained("Annotation")
    imputed = declared(results["germline-lowpass"] / JOINT)
    assert imputed - joint <= explained("Imputed genotypes") <= imputed


def test_each_line_of_a_header_is_explained(results: dict[str, Path]) -> None:
    keys = {key for folder in results.values() for vcf in folder.rglob("*.vcf.gz") for key, _ in header(vcf)}
    lines = {re.sub("(?<=^bcftools_).*(?=Version$|Command$)", "…", key) for key in keys}
    lines -= {"fileformat", "INFO", "FORMAT", "FILTER", "ALT"}
    assert {line for line in lines if f"| `##{line}` |" not in PAGE} == set()
    assert {"SAMPLE", "bcftools_…Command", "genomics_pipeline_ploidy"} <= lines


def test_each_file_is_explained(results: dict[str, Path]) -> None:
    for name, folder in results.items():
        pipeline, _ = load_pipeline(name)
        paths = [
            f"{stage.publish[output]}/{spec.path}"
            for stage in pipeline.stages
            for output, spec in stage.step.outputs.items()
        ]
        patterns = [re.sub(r"\{\w+\}", "*", path) for path in paths]
        files = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
        others = [
            one for one in files if not one.endswith(INDEXES) and not any(fnmatch(one, each) for each in patterns)
        ]
        assert others
        assert [one for one in others if f"`{Path(one).name}`" not in section("The run itself")] == []


def test_each_column_and_member_is_explained(results: dict[str, Path]) -> None:
    page = set(re.findall("`([^`]+)`", section("Columns of the tables") + section("The run itself")))
    page |= set(re.findall("`([^`]+)`", section("Checks of samples")))
    for file in TABLES:
        data = (results["germline"] / file).read_bytes()
        first = (gzip.decompress(data) if file.endswith(".gz") else data).decode().split("\n")[0]
        assert set(first.split("\t")) - page == set(), file
    for step, file in REPORTS.items():
        path = next(each / file for each in results.values() if (each / file).exists())
        members = json.loads(path.read_text())
        names = {*members, *inner(members.get("samples", {}).values())}
        assert names - load_step(step).spec.metrics.keys() - page == set(), file


def inner(samples: Iterable[dict[str, object]]) -> set[str]:
    """Return the names of the metrics of samples."""
    return {name for each in samples for name in each}

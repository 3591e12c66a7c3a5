"""MultiQC itself, on the results of a small run: it finds each report of each sample, and its numbers are ours.

MultiQC is a program in an environment of its own, never an import. Without it the tests are skipped; in continuous
integration they fail.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysam
import pytest

from tests.patience import PATIENCE_S

pytestmark = pytest.mark.multiqc

PROGRAM = Path(os.environ.get("MULTIQC", "multiqc"))
SAMPLES = ("sample1", "sample2")
# The reports of each sample, as MultiQC names its sections; those of the cohort are `bcftools stats` only.
SECTIONS = {
    "Samtools": ("stats", "flagstat", "idxstats", "coverage", "markdup"),
    "Mosdepth": ("summary", "genome_results"),
    "Bcftools": ("stats",),
}
TARGETS = tuple(f"{sample}.targets" for sample in SAMPLES)  # rows of the statistics of targets
TABLE = "multiqc_genomics_pipeline_metrics_table"
PLOTS = ("multiqc_base_quality_plot", "multiqc_gc_content_plot")


@dataclass(frozen=True)
class Report:
    """A run, as `run --json` prints it, and what MultiQC made of its results.

    Attributes:
        results: The folder of the results.
        metrics: The metrics of each sample, by stage.
        cohort: The metrics of the cohort.
        found: MultiQC's ``multiqc_data.json``.
    """

    results: Path
    metrics: Mapping[str, Mapping[str, Any]]
    cohort: Mapping[str, Any]
    found: Mapping[str, Any]

    @property
    def has_regions(self) -> bool:
        """Tell whether the run had regions."""
        return any((self.results / "reports").rglob("*.region.dist.txt"))

    def raw(self, name: str) -> Mapping[str, Any]:
        """Return the numbers that MultiQC read from the reports of one kind, by sample."""
        values: Mapping[str, Any] = self.found["report_saved_raw_data"][name]
        return values

    def general(self, name: str, sample: str) -> float:
        """Return a number of MultiQC's table."""
        return float(self.raw("multiqc_general_stats")[sample][name])


@pytest.fixture(scope="module", params=["whole", "regions", "trimmed"])
def report(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], None]
) -> Report:
    """Return a run without and with regions, and one of reads that are trimmed."""
    if not PROGRAM.is_file():
        missing(f"no {PROGRAM} (make test-multiqc installs it)")
    folder = tmp_path_factory.mktemp("multiqc")
    ours(folder, "simulate", "--out", "cohort", "--samples", "2", "--length", "20000", "--depth", "15")
    (folder / "panel.bed").write_text("chr1\t1000\t4000\tgene\nchr2\t500\t3000\n")
    regions = ["--param", f"alignment.regions={folder / 'panel.bed'}"] if request.param == "regions" else []
    trimming = ("adapters=illumina", "quality_cutoff=30")
    trimmed = (
        [word for one in trimming for word in ("--param", f"alignment.{one}")] if request.param == "trimmed" else []
    )
    bounds = ["--bound", "alignment.mean_depth.good.min=1000", "--bound", "alignment.mean_depth.bad.below=500"]
    run = ["run", "cohort/cohort.csv", "--reference", "cohort/reference.fa", "--out", "run", "--json"]
    run += [*regions, *trimmed, *bounds]
    summary = json.loads(ours(folder, *run))
    results = folder / "run" / "results"
    argv = [str(PROGRAM), "--no-ansi", "--quiet", "--outdir", str(folder / "multiqc"), str(results)]
    environment = {**os.environ, "MPLCONFIGDIR": str(folder), "NO_COLOR": "1"}
    process = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment)
    assert process.returncode == 0, process.stderr
    return Report(
        results=results,
        metrics={one["sample"]: one["metrics"] for one in summary["samples"]},
        cohort=summary["cohort"]["metrics"]["gather"],
        found=json.loads((folder / "multiqc" / "multiqc_data" / "multiqc_data.json").read_text()),
    )


def ours(folder: Path, *arguments: str) -> str:
    """Run our command in a folder, and return what it printed."""
    argv = [sys.executable, "-m", "genomics_pipeline", *arguments]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout


def test_every_sample_is_in_every_section(report: Report) -> None:
    found = report.found["report_data_sources"]
    for module, sections in SECTIONS.items():
        for section in sections:
            expected = {*SAMPLES, "joint_germline"} if module == "Bcftools" else set(SAMPLES)
            if (module, section) == ("Samtools", "stats") and report.has_regions:
                expected |= set(TARGETS)
            assert set(found[module][section]) == expected, (module, section)
    for plot in PLOTS:
        assert set(report.raw(plot)) == {f"{sample} R{number}" for sample in SAMPLES for number in (1, 2)}


def test_every_report_is_found(report: Report) -> None:
    """Compare the files that MultiQC read with those that there are, except for the tables of regions."""
    sections = report.found["report_data_sources"].values()
    read = {Path(file).name for module in sections for section in module.values() for file in section.values()}
    reports = {file.name for file in (report.results / "reports").rglob("*.*") if file.is_file()}
    unread = {name for name in reports - read if not name.endswith("_mqc.json")}
    own = ("report.html", "alignment.json", "variants.json", "statistics.json", "bed.gz", "bed.gz.csi")
    replaced = {f"{sample}.mosdepth.global.dist.txt" for sample in SAMPLES} if report.has_regions else set()
    assert {name for name in unread if not name.endswith(own)} <= replaced


@pytest.mark.parametrize("sample", SAMPLES)
def test_numbers_of_alignments_are_ours(report: Report, sample: str) -> None:
    own = report.metrics[sample]["alignment"]
    stats, flagstat = report.raw("multiqc_samtools_stats")[sample], report.raw("multiqc_samtools_flagstat")[sample]
    assert stats["raw_total_sequences"] == own["reads"] == flagstat["paired in sequencing_passed"]
    assert stats["reads_mapped"] == own["mapped"]
    assert stats["reads_properly_paired"] == own["properly_paired"] == flagstat["properly paired_passed"]
    assert stats["reads_duplicated"] == own["duplicates"]
    assert report.raw("multiqc_samtools_markdup")[sample]["duplicate_primary_total"] == own["duplicates"]
    assert report.general("samtools_stats-reads_mapped_percent", sample) / 100 == near(own["mapped_fraction"])
    bam = report.results / "preprocessing" / sample / f"{sample}.md.bam"
    with pysam.AlignmentFile(str(bam)) as file:
        counts = {one.contig: one.mapped for one in file.get_index_statistics()}
    idxstats = report.raw("multiqc_samtools_idxstats")[sample]
    assert {contig: mapped for contig, (mapped, _) in idxstats.items() if contig != "*"} == counts


@pytest.mark.parametrize("sample", SAMPLES)
def test_reads_on_target_are_beside_all_reads(report: Report, sample: str) -> None:
    if not report.has_regions:
        assert set(report.raw("multiqc_samtools_stats")) == set(SAMPLES)
        return
    on_target = report.raw("multiqc_samtools_stats")[f"{sample}.targets"]
    assert 0 < on_target["reads_mapped"] < report.metrics[sample]["alignment"]["mapped"]
    assert on_target["bases_inside_the_target"] == 5500


def test_the_table_of_metrics_has_the_bounds_of_the_run(report: Report) -> None:
    table = report.raw(TABLE)
    for sample in SAMPLES:
        own = report.metrics[sample]["alignment"]
        assert table[sample]["alignment.mean_depth"] == own["mean_depth"]
        assert table[sample]["alignment.mapped_fraction"] == own["mapped_fraction"]
    html = (report.results.parents[1] / "multiqc" / "multiqc_report.html").read_text()
    assert f"{report.metrics['sample1']['alignment']['mean_depth']:.1f}" in html
    assert re.search(r'<span class="badge" style="background-color:[^"]*">\d+\.\d', html), "a bad depth is coloured"


@pytest.mark.parametrize("sample", SAMPLES)
def test_numbers_of_trimming_are_ours(report: Report, sample: str) -> None:
    own = report.metrics[sample]["alignment"]
    if "adapter_fraction" not in own:
        assert "Cutadapt" not in report.found["report_data_sources"]
        return
    assert set(report.raw("multiqc_cutadapt")) == set(SAMPLES)
    cutadapt = report.raw("multiqc_cutadapt")[sample]
    assert 2 * cutadapt["r_processed"] == own["reads_before_trimming"]
    assert 2 * cutadapt["r_written"] == own["reads"]
    assert cutadapt["percent_trimmed"] / 100 == near(own["trimmed_base_fraction"])
    assert cutadapt["bp_written"] < cutadapt["bp_processed"]


@pytest.mark.parametrize("sample", SAMPLES)
def test_depths_are_ours(report: Report, sample: str) -> None:
    own = report.metrics[sample]["alignment"]
    assert report.general("mosdepth-mean_coverage", sample) == near(own["mean_depth"])
    for depth in (10, 30):
        share = report.general(f"mosdepth-{depth}_x_pc", sample) / 100
        assert share == near(own[f"coverage_{depth}x_fraction"])


@pytest.mark.parametrize("sample", SAMPLES)
def test_numbers_of_variants_are_ours(report: Report, sample: str) -> None:
    check_variants(report.raw("multiqc_bcftools_stats")[sample], report.metrics[sample]["variant_calling"])


def test_numbers_of_the_cohort_are_ours(report: Report) -> None:
    check_variants(report.raw("multiqc_bcftools_stats")["joint_germline"], report.cohort)


def check_variants(found: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    assert (found["number_of_records"], found["number_of_SNPs"]) == (own["variants"], own["snps"])
    assert found["number_of_indels"] == own["indels"]
    assert found["tstv"] == pytest.approx(own["ti_tv"], abs=0.005)  # bcftools prints two decimals


def near(value: float) -> Any:
    """Return a number of ours for comparison with a text of five decimals or fewer digits."""
    return pytest.approx(value, abs=6e-4)

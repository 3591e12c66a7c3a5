"""`genomics-pipeline run`: results, reuse of finished steps, and bad samples."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pytest
from pysam.version import __bcftools_version__

Run = Callable[..., dict[str, Any]]
SAMPLES = 4
SAMPLE_STAGES = 2


def sheet_of(cohort: Path, to: Path, keep: Callable[[str], bool]) -> Path:
    """Write the cohort's sheet with absolute paths and only some rows."""
    header, *rows = (cohort / "cohort.csv").read_text().splitlines()
    kept = [row.replace("fastq/", f"{cohort}/fastq/") for row in rows if keep(row)]
    to.write_text("\n".join([header, *kept]) + "\n")
    return to


def sample_names(cohort: Path) -> list[str]:
    header, *rows = (cohort / "cohort.csv").read_text().splitlines()
    column = header.split(",").index("sample")
    return sorted({row.split(",")[column] for row in rows})


@pytest.fixture(scope="module")
def first(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(tmp_path_factory.mktemp("first") / "run")


def test_a_run_is_a_folder_in_sareks_order(first: dict[str, Any], cohort: Path) -> None:
    folder = Path(first["run"])
    for sample in sample_names(cohort):
        for file in (
            f"preprocessing/{sample}/{sample}.md.bam",
            f"preprocessing/{sample}/{sample}.md.bam.bai",
            f"variant_calling/{sample}/{sample}.vcf.gz",
            f"variant_calling/{sample}/{sample}.vcf.gz.tbi",
            f"variant_calling/{sample}/{sample}.g.vcf.gz",
            f"reports/alignment/{sample}.alignment.json",
        ):
            assert (folder / "results" / file).is_file(), file
    for file in ("run.json", "manifest.jsonl", "intervals.jsonl", "definition.json", "input.json"):
        assert (folder / file).is_file(), file
    assert (folder / "results/variant_calling/joint/joint_germline.vcf.gz").is_file()
    parameters = json.loads((folder / "results/pipeline_info/parameters.json").read_text())
    assert parameters["variant_calling"]["prior"] == 0.02
    versions = (folder / "results/pipeline_info/genomics_pipeline_software_mqc_versions.yml").read_text().splitlines()
    calling = versions.index('"variant_calling":')
    assert versions[calling + 1].startswith('    "variant_calling": "')
    assert f'    "bcftools": "{__bcftools_version__}"' in versions[calling:]
    log = (folder / f"steps/variant_calling/{sample_names(cohort)[0]}/log.txt").read_text().splitlines()
    assert log[0].startswith("$ ")
    assert [line for line in log if line.startswith("$ bcftools call -mv ")]
    assert list(folder.glob("map-runs/Sample/*/manifest.json"))
    assert list(folder.glob("map-runs/Interval/*/manifest.json"))
    assert not list((folder / ".scratch").glob("*"))


def test_json_has_what_a_program_needs(first: dict[str, Any], cohort: Path) -> None:
    assert first["status"] == "SUCCEEDED"
    assert [row["sample"] for row in first["samples"]] == sample_names(cohort)
    for row in first["samples"]:
        assert row["state"] == "SUCCEEDED"
        assert row["metrics"]["alignment"]["reads"] > 0
        assert row["metrics"]["variant_calling"]["variants"] > 0
        assert all(Path(path).is_file() for path in row["files"].values())
    with pysam.VariantFile(first["cohort"]["files"]["gather.vcf"]) as joint:
        assert sorted(joint.header.samples) == sample_names(cohort)


def test_the_same_manifest_twice_does_no_step_twice(first: dict[str, Any], run: Run) -> None:
    steps = first["steps"]["run"]
    assert steps > SAMPLES * SAMPLE_STAGES
    again = run(Path(first["run"]))
    assert again["steps"] == {"run": 0, "reused": steps}
    assert all(row["reused"] for row in again["samples"])


def test_one_more_sample_runs_only_itself_and_the_cohort(cohort: Path, run: Run, tmp_path: Path) -> None:
    last = sample_names(cohort)[-1]
    fewer = sheet_of(cohort, tmp_path / "fewer.csv", lambda row: last not in row)
    before = run(tmp_path / "run", sheet=fewer)
    cohort_steps = before["steps"]["run"] - (SAMPLES - 1) * SAMPLE_STAGES
    after = run(tmp_path / "run")
    assert after["steps"] == {"run": SAMPLE_STAGES + cohort_steps, "reused": (SAMPLES - 1) * SAMPLE_STAGES}
    assert [row["sample"] for row in after["samples"] if not row["reused"]] == [last]
    with pysam.VariantFile(after["cohort"]["files"]["gather.vcf"]) as joint:
        assert sorted(joint.header.samples) == sample_names(cohort)


def test_a_bad_sample_costs_only_itself(cohort: Path, run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad_R1.fastq.gz"
    bad.write_bytes(gzip.compress(b"@r1\nACGT\n+\nIIII\n")[:-9])
    sheet = sheet_of(cohort, tmp_path / "sheet.csv", lambda row: True)
    columns = sheet.read_text().splitlines()[0].split(",")
    row = {"sample": "broken", "lane": "L001", "fastq_1": str(bad), "patient": "broken"}
    with sheet.open("a") as out:
        out.write(",".join(row.get(column, "") for column in columns) + "\n")
    summary = run(tmp_path / "run", sheet=sheet)
    states = {row["sample"]: row["state"] for row in summary["samples"]}
    assert states == dict.fromkeys(sample_names(cohort), "SUCCEEDED") | {"broken": "FAILED"}
    error = next(row["error"] for row in summary["samples"] if row["sample"] == "broken")
    assert error.startswith("alignment: ")
    assert str(bad) in error
    with pysam.VariantFile(summary["cohort"]["files"]["gather.vcf"]) as joint:
        assert sorted(joint.header.samples) == sample_names(cohort)


def test_a_changed_parameter_runs_only_what_it_touches(first: dict[str, Any], run: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = run(out)
    after = run(out, "--param", "variant_calling.min_mapq=30")
    cohort_steps = before["steps"]["run"] - SAMPLES * SAMPLE_STAGES
    assert after["steps"]["run"] <= SAMPLES + cohort_steps
    assert after["steps"]["reused"] >= SAMPLES

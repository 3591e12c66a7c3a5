"""The walkthrough "Adding a step": its files are written and its commands run, in order."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-step.md"
FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def command(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(line)
    assert program == "genomics-pipeline"
    argv = [sys.executable, "-m", "genomics_pipeline", *arguments]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the page's files are written and its commands have run."""
    folder = tmp_path_factory.mktemp("reader")
    page = PAGE.read_text()
    files = FILE.findall(page)
    assert [name for name, _ in files] == ["contig_reads/step.toml", "contig_reads/contig_reads.py", "counted.toml"]
    for name, text in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    lines = [line for block in COMMANDS.findall(page) for line in block.splitlines()]
    assert len(lines) == 5
    for line in lines:
        process = command(line, folder)
        assert process.returncode == 0, f"{line}\n{process.stderr}"
    return folder


def test_the_step_counts_every_sample(reader: Path) -> None:
    for sample in ("sample1", "sample2"):
        metrics = json.loads((reader / f"counted/results/reports/contig_reads/{sample}.contig_reads.json").read_text())
        assert set(metrics["contigs"]) == {"chr1", "chr2"}
        assert metrics["mapped_reads"] == sum(metrics["contigs"].values()) > 300


def test_its_metric_is_in_the_table_and_the_json_with_a_verdict(reader: Path) -> None:
    argv = (
        "genomics-pipeline run cohort/cohort.csv --reference cohort/reference.fa --out shown --pipeline ./counted.toml"
    )
    head, row = command(argv, reader).stdout.splitlines()[:2]
    answer = json.loads(command(f"{argv} --json", reader).stdout)
    first = answer["samples"][0]
    assert re.search(r"Depth \(x\) +On contigs +Seconds$", head)
    assert f"{first['metrics']['contig_reads']['mapped_reads']:,}" in row.split()
    assert "bad" in row  # the depth of the example is 5
    assert first["verdicts"]["contig_reads"] == {"mapped_reads": "good"}
    declared = answer["metrics"]["sample"]["contig_reads"]["mapped_reads"]
    assert (declared["title"], declared["good"], declared["bad"]) == ("On contigs", {"min": 100}, {"below": 10})


def test_the_step_alone_gives_the_same_output(reader: Path) -> None:
    alone, in_pipeline = (
        (reader / folder / "sample1.contig_reads.json").read_bytes()
        for folder in ("alone/results", "counted/results/reports/contig_reads")
    )
    assert alone == in_pipeline


def test_the_second_run_repeats_only_the_step_of_the_changed_parameter(reader: Path) -> None:
    summary = json.loads((reader / "counted/run.json").read_text())["summary"]
    assert summary["steps"] == {"run": 2, "reused": 2}


def test_a_sample_that_the_step_refuses_is_reported_with_its_message(reader: Path) -> None:
    process = command(
        "genomics-pipeline run cohort/cohort.csv --reference cohort/reference.fa --out strict --json "
        "--pipeline ./counted.toml --param contig_reads.min_reads=1000000",
        reader,
    )
    assert process.returncode == 1
    rows = json.loads(process.stdout)["samples"]
    assert {row["state"] for row in rows} == {"FAILED"}
    assert "expected at least 1000000 mapped reads, found" in rows[0]["error"]
    assert rows[0]["error"].startswith("contig_reads: ")

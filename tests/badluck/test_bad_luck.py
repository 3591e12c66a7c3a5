"""A day of bad luck: a cohort with a fault in every third task or more, of every class, and with broken files.

Of hundreds of samples with random faults, those are run whose faults differ, and a few of each kind: the others would
show nothing else, and take minutes.
Failures that retries can fix are fixed, the others are listed with their class, and nothing that is done runs again.
Once the inputs are fixed, `rerun` completes the cohort: its joint VCF is that of a run without faults.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model.faults import parse_faults

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("alignment", "variant_calling")  # over samples
ALIKE = 3  # samples with the same faults
RETRIED = {"host_lost", "image", "throttled", "out_of_memory", "timeout", "engine_killed"}
FAULTS = """\
seed = 20261124

[[faults]]
class = "engine_killed"
stage = "variant_calling"
share = 0.1

[[faults]]
class = "host_lost"  # Batch's own attempts are enough
share = 0.08
times = 2

[[faults]]
class = "host_lost"  # Batch's attempts are not enough: On-Demand
share = 0.03
times = 6

[[faults]]
class = "image"
share = 0.04

[[faults]]
class = "throttled"
share = 0.05

[[faults]]
class = "out_of_memory"
stage = "alignment"
share = 0.12
below_mib = 32768

[[faults]]
class = "timeout"
share = 0.05

[[faults]]
class = "out_of_disk"
stage = "alignment"
share = 0.02

[[faults]]
class = "tool_error"
stage = "variant_calling"
share = 0.02

[[faults]]
class = "bad_input"
stage = "alignment"
share = 0.03
always = true
"""


def command(*arguments: str | Path, code: int = 0) -> str:
    """Return the output of `genomics-pipeline ARGUMENTS`, which must end with the exit code."""
    argv = [sys.executable, "-m", "tests.cached_command", *map(str, arguments)]
    process = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stderr[-3000:]
    return process.stdout


def faults_of(sample: str) -> tuple[str, ...]:
    """Return the stages and numbers of the faults that strike a sample."""
    stages = dict.fromkeys(STAGES, "sample")
    faults = parse_faults(FAULTS, file="faults.toml", stages=stages, samples=())
    return tuple(f"{stage} {fault.number}" for stage in STAGES for fault in faults.of(stage, "sample", sample))


def differing_samples(number: int) -> list[str]:
    """Return those of so many samples whose faults differ, and at most `ALIKE` with the same."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name in (f"sample{one}" for one in range(1, number + 1)):
        alike.setdefault(faults_of(name), []).append(name)
    return [name for names in alike.values() for name in names[:ALIKE]]


@pytest.fixture(params=[24, pytest.param(500, marks=pytest.mark.badluck)])
def cohort(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a simulated cohort of small samples, under the names of those whose faults differ."""
    folder, names = tmp_path / "cohort", differing_samples(request.param)
    command("simulate", "--out", folder, "--samples", str(len(names)), "--length", "5000", "--depth", "6")
    named = {f"sample{number}": name for number, name in enumerate(names, 1)}
    rows = [row.split(",") for row in (folder / "cohort.csv").read_text().splitlines()]
    (folder / "cohort.csv").write_text("".join(",".join(named.get(one, one) for one in row) + "\n" for row in rows))
    return folder


def run(cohort: Path, out: Path, *options: str | Path, code: int = 0) -> str:
    arguments = ("--reference", cohort / "reference.fa", "--out", out, "--json")
    return command("run", cohort / "cohort.csv", *arguments, *options, code=code)


def joint_vcf(out: Path) -> bytes:
    (file,) = (out / "results" / "variant_calling" / "joint").glob("*.vcf.gz")
    return gzip.decompress(file.read_bytes())


def completion_records(out: Path) -> dict[Path, int]:
    """Return the completion records of the samples, with their modification times."""
    return {file: file.stat().st_mtime_ns for stage in STAGES for file in records(out, stage)}


def records(out: Path, stage: str) -> Iterator[Path]:
    return (out / "steps" / stage).glob("*/step.json")


def break_file(fastq: Path) -> None:
    """Truncate a file to half its size."""
    shutil.copy(fastq, f"{fastq}.whole")
    fastq.write_bytes(fastq.read_bytes()[: fastq.stat().st_size // 2])


def injected_classes(out: Path) -> dict[tuple[str, str], list[str]]:
    """Return the classes of the faults of each (stage, item), in order."""
    classes: dict[tuple[str, str], list[str]] = {}
    for line in (out / ".engine" / "faults.jsonl").read_text().splitlines():
        fault, stage, item = json.loads(line)
        classes.setdefault((stage, item), []).append(fault.partition(". ")[2].partition(":")[0])
    return classes


def expected_failures(out: Path, broken: str) -> dict[str, str]:
    """Return the failure class of each sample that fails, which is that of its first lasting fault."""
    failures = {broken: "bad_input"}
    for (_, item), classes in injected_classes(out).items():
        for name in classes:
            if name not in RETRIED and item != "cohort" and not item.isdigit():
                failures.setdefault(item, name)
    return failures


def test_a_day_of_bad_luck(cohort: Path, tmp_path: Path) -> None:
    out, faults = tmp_path / "bad", tmp_path / "faults.toml"
    faults.write_text(FAULTS)
    names = [row["sample"] for row in json.loads(run(cohort, tmp_path / "calm"))["samples"]]
    broken = next(name for name in names if not faults_of(name))
    rows = csv.DictReader((cohort / "cohort.csv").read_text().splitlines())
    fastq = cohort / next(row["fastq_1"] for row in rows if row["sample"] == broken)
    break_file(fastq)

    options: tuple[str | Path, ...] = ("--inject", faults, "--tolerate", "90%")
    run(cohort, out, *options, code=-signal.SIGKILL)
    before = completion_records(out)
    summary: dict[str, Any] = json.loads(run(cohort, out, *options, "--resume"))
    after = completion_records(out)
    assert {file: after[file] for file in before} == before  # nothing that was done ran again

    bad = expected_failures(out, broken)
    tasks = len(STAGES) * len(names)
    hit = sum(1 for stage, _ in injected_classes(out) if stage in STAGES)
    assert hit >= 0.25 * tasks, f"{hit} of {tasks}"
    assert {row["sample"] for row in summary["samples"] if row["state"] == "FAILED"} == bad.keys()
    ledger = [json.loads(line) for line in command("results", out, "--failed", "--json").splitlines()]
    assert {row["sample"]: row["class"] for row in ledger} == bad

    shutil.move(f"{fastq}.whole", fastq)
    again = json.loads(command("rerun", out, "--json"))
    assert [row["state"] for row in again["samples"]] == ["SUCCEEDED"] * len(names)
    last = completion_records(out)
    assert {file: last[file] for file in after} == after
    assert joint_vcf(out) == joint_vcf(tmp_path / "calm")

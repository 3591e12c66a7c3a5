"""The command with --containers: the same files as without."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from genomics_pipeline.runs.container_engine import ContainerEngine
from tests.containers.conftest import SHARED

DATA = SHARED / "data" / "1000g-3sample-chr21-chr22"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "genomics_pipeline", "run", *map(str, arguments), "--json"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def digests(run_folder: Path) -> dict[str, str]:
    """sha256 by output, as the completion records say."""
    return {
        f"{record['stage']}/{record['item']}/{name}": output["sha256"]
        for file in sorted(run_folder.glob("steps/*/*/step.json"))
        for record in [json.loads(file.read_bytes())]
        for name, output in record["outputs"].items()
    }


def test_real_reads_give_the_same_bytes_in_containers(
    images: dict[str, str], missing: Callable[[str], None], tmp_path: Path
) -> None:
    if not DATA.is_dir():
        missing(f"no real sequencing data in {DATA}")
    rows = [f"{name},{DATA}/{name}_R1.fastq.gz,{DATA}/{name}_R2.fastq.gz" for name in ("NA12878", "NA19401", "NA20359")]
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
    common = (sheet, "--reference", DATA / "reference.fa.gz")
    here = run(*common, "--out", tmp_path / "here")
    there = run(*common, "--out", tmp_path / "there", "--containers")
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    assert {place.partition("/")[0] for place in digests(tmp_path / "here")} == set(images)
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
    again = run(*common, "--out", tmp_path / "there", "--containers")
    assert json.loads(again.stdout)["steps"]["run"] == 0


def test_a_task_that_needs_more_memory_than_it_has_is_named_so(
    own_step: Callable[..., Path], engine: ContainerEngine, tmp_path: Path
) -> None:
    own_step("hungry", "x = bytearray(400 << 20)\n", memory_mib=128)
    pipeline = tmp_path / "hungry.toml"
    pipeline.write_text(
        'name = "hungry"\nsummary = "Eats"\n[[stages]]\nname = "eat"\nstep = "./steps/hungry"\nscope = "sample"\n'
        'inputs = { reads = "sample.reads" }\npublish = "out"\n'
    )
    (tmp_path / "a.fq").write_text("@a\nA\n+\nF\n")
    (tmp_path / "ref.fa").write_text(">c\nACGT\n")
    (tmp_path / "sheet.csv").write_text("sample,fastq_1\na,a.fq\n")
    ended = run(
        tmp_path / "sheet.csv",
        *("--reference", tmp_path / "ref.fa", "--out", tmp_path / "run", "--pipeline", pipeline, "--containers"),
    )
    assert ended.returncode == 1, ended.stderr
    (sample,) = json.loads(ended.stdout)["samples"]
    assert sample["state"] == "FAILED"
    assert "out of memory" in sample["error"].lower() or "OutOfMemory" in sample["error"]

"""A container that the kernel kills at its memory's limit: the step climbs a rung of its ladder, and finishes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from genomics_pipeline.runs.containers.container_engine import ContainerEngine

# What it writes to `tries` lies outside of its scratch folder, and so outlives a container that is killed.
PROGRAM = """
import json, sys
task = json.load(open(sys.argv[1]))
root = task["outputs"]["out"].partition("/.scratch/")[0]
def tell(what):
    with open(f"{root}/tries", "a") as tries:
        print(task["item"]["sample"], task["memory_mib"], what, file=tries)
tell("began")
if task["item"]["sample"] == "large":
    bytearray(300 << 20)
tell("ended")
open(task["outputs"]["out"], "w").write("done")
"""

PIPELINE = """
name = "hungry"
summary = "Of a test"

[[stages]]
name = "hungry"
step = "./steps/hungry"
scope = "sample"
inputs = { reads = "sample.reads" }
publish = "out"
"""


def test_it_climbs_a_rung_and_finishes(own_step: Callable[..., Path], engine: ContainerEngine, tmp_path: Path) -> None:
    own_step("hungry", PROGRAM, [160, 640])
    (tmp_path / "hungry.toml").write_text(PIPELINE)
    (tmp_path / "reference.fa").write_text(">c\nACGT\n")
    for name in ("small", "large"):
        (tmp_path / f"{name}.fq").write_text("@a\nA\n+\nF\n")
    (tmp_path / "sheet.csv").write_text("sample,fastq_1\nsmall,small.fq\nlarge,large.fq\n")
    out = tmp_path / "run"
    argv = [sys.executable, "-m", "genomics_pipeline", "run", tmp_path / "sheet.csv", "--containers", "--json"]
    argv += ["--reference", tmp_path / "reference.fa", "--pipeline", tmp_path / "hungry.toml", "--out", out]
    ended = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert sorted((out / "tries").read_text().splitlines()) == [
        "large 160 began",  # and never ended: nobody but the kernel ends it there
        "large 640 began",
        "large 640 ended",
        "small 160 began",
        "small 160 ended",
    ]
    records = {file.parent.name: json.loads(file.read_bytes()) for file in out.glob("steps/hungry/*/step.json")}
    assert {name: record["memory_mib"] for name, record in records.items()} == {"small": 160, "large": 640}

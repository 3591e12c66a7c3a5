"""A container that the kernel kills at its memory limit: the step gets the next rung of its ladder, and finishes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from tests.small_project import READS, SmallProject, stage_toml

# The file `starts` is outside of the scratch folder, so that it outlives a killed container.
PROGRAM = """
import json, sys
task = json.load(open(sys.argv[1]))
root = task["outputs"]["out"].partition("/.scratch/")[0]
def log(event):
    with open(f"{root}/starts", "a") as starts:
        print(task["item"]["sample"], task["memory_mib"], event, file=starts)
log("began")
if task["item"]["sample"] == "large":
    bytearray(300 << 20)
log("ended")
open(task["outputs"]["out"], "w").write("done")
"""


def test_a_step_gets_the_next_rung_and_finishes(
    own_step: Callable[..., Path], engine: ContainerEngine, project: SmallProject
) -> None:
    own_step("hungry", PROGRAM, [160, 640])
    project.pipeline(stage_toml("hungry", "./steps/hungry", "out", {"reads": "sample.reads"}))
    project.samples({"small": READS, "large": READS})
    out = project.run
    argv = [sys.executable, "-m", "genomics_pipeline", *project.arguments("--containers", "--json")]
    process = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert sorted((out / "starts").read_text().splitlines()) == [
        "large 160 began",  # killed by the kernel, so it has no end
        "large 640 began",
        "large 640 ended",
        "small 160 began",
        "small 160 ended",
    ]
    records = {file.parent.name: json.loads(file.read_bytes()) for file in out.glob("steps/hungry/*/step.json")}
    assert {name: record["memory_mib"] for name, record in records.items()} == {"small": 160, "large": 640}

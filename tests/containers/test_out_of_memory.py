"""A container that the kernel kills at its memory limit: the step gets the next rung of its ladder, and finishes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from tests.small_project import READS, SmallProject, stage_toml

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


def test_it_climbs_a_rung_and_finishes(
    own_step: Callable[..., Path], engine: ContainerEngine, project: SmallProject
) -> None:
    own_step("hungry", PROGRAM, [160, 640])
    project.pipeline(stage_toml("hungry", "./steps/hungry", "out", {"reads": "sample.reads"}))
    project.samples({"small": READS, "large": READS})
    out = project.run
    argv = [sys.executable, "-m", "genomics_pipeline", *project.arguments("--containers", "--json")]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
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

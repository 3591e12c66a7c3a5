"""A step that runs out of memory: it gets the next rung of its memory ladder, and succeeds or fails at the last.

The memory is a limit that the kernel holds the program to; as in a container, what goes beyond it is refused.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.small_project import SmallProject, stage_toml

Command = Callable[..., subprocess.CompletedProcess[str]]
LADDER = [256, 512, 1024]

DECLARATIONS = f"""
[inputs.reads]
type = "reads"

[outputs.eaten]
path = "{{sample}}.txt"

[resources]
vcpus = 1
memory_mib = {LADDER}
"""

PROGRAM = """
import json, sys
task = json.load(open(sys.argv[1]))
file = task["inputs"]["reads"][0]["fastq_1"]
needed = int(open(file).readline().removeprefix("@"))
with open(file + ".tries", "a") as tries:
    print(task["memory_mib"], file=tries)
bytes(needed << 20)
open(task["outputs"]["eaten"], "w").write("done")
"""

# Sample -> MiB it needs, beside what the interpreter takes.
NEEDED = {"small": 16, "middle": 400, "large": 800, "huge": 2000}


@pytest.fixture(scope="module")
def folder(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run of all samples that has ended."""
    project = SmallProject(tmp_path_factory.mktemp("hungry"))
    project.step("eat", PROGRAM, DECLARATIONS)
    project.pipeline(
        stage_toml("eating", "./eat", "eaten", {"reads": "sample.reads"}), settings="tolerated_failure_percentage = 50"
    )
    project.samples({name: f"@{needed}\nA\n+\nI\n" for name, needed in NEEDED.items()})
    ended = command(*project.arguments("--json"))
    assert ended.returncode == 1, ended.stderr
    (project.folder / "summary.json").write_text(ended.stdout)
    return project.folder


def samples(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["sample"]: row for row in json.loads((folder / "summary.json").read_text())["samples"]}


def test_each_climbs_as_far_as_it_must(folder: Path) -> None:
    tries = {name: list(map(int, (folder / f"{name}.fastq.tries").read_text().split())) for name in NEEDED}
    assert tries == {"small": LADDER[:1], "middle": LADDER[:2], "large": LADDER, "huge": LADDER}


def test_completion_records_hold_the_memory_of_the_last_rung(folder: Path) -> None:
    states = {name: row["state"] for name, row in samples(folder).items()}
    assert states == {"small": "SUCCEEDED", "middle": "SUCCEEDED", "large": "SUCCEEDED", "huge": "FAILED"}
    records = {file.parent.name: json.loads(file.read_bytes()) for file in folder.glob("run/steps/eating/*/step.json")}
    assert {name: record["memory_mib"] for name, record in records.items()} == {
        "small": 256,
        "middle": 512,
        "large": 1024,
    }
    before = {name: (one["name"], one["before"]) for name, record in records.items() for one in record["because"]}
    assert before == {
        "small": ("", None),
        "middle": ("attempt 1", "out_of_memory"),
        "large": ("attempt 2", "out_of_memory"),
    }
    assert [file.parent.name for file in folder.glob("run/steps/eating/*/failure.json")] == ["huge"]


def test_a_sample_that_needs_more_than_the_last_rung_fails(folder: Path) -> None:
    failure = json.loads((folder / "run/steps/eating/huge/failure.json").read_bytes())
    message = "MemoryError\nout of memory (it had 1024 MiB)"
    assert (failure["class"], failure["message"]) == ("out_of_memory", message)
    assert samples(folder)["huge"]["error"] == f"eating: {message}"

"""A step's program gets no credentials, by its environment or from the process of the worker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.small_project import READS, SmallProject, single_lane, stage_toml, task_json, write_step

SECRETS = {
    "AWS_ACCESS_KEY_ID": "hidden-1",
    "AWS_SECRET_ACCESS_KEY": "hidden-2",
    "AWS_SESSION_TOKEN": "hidden-3",
    "AWS_PROFILE": "hidden-4",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/hidden-5",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/hidden-6",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/hidden-7",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hidden-8",
    "AWS_ENDPOINT_URL_S3": "http://user:hidden-9@localhost",
    "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/hidden-10",
}
KEPT = {"AWS_REGION": "eu-central-1", "AWS_BATCH_JOB_ID": "job-1", "MINE": "kept"}

# Prints its variables, and those that it reads of all its ancestors.
PRINTS = """
import json, os, sys
found, pid = {"own": dict(os.environ), "others": {}}, os.getppid()
while pid > 1:
    try:
        found["others"][pid] = open(f"/proc/{pid}/environ").read()
    except OSError as error:
        found["others"][pid] = error.strerror
    pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
open(json.load(open(sys.argv[1]))["outputs"]["copy"], "w").write(json.dumps(found))
"""
DECLARATIONS = '[inputs.reads]\ntype = "reads"\n[outputs.copy]\npath = "{sample}.txt"\n'


def unprivileged() -> list[str]:
    """Return the beginning of a command without root's capabilities, as in a container."""
    return ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.getuid() == 0 else []


@pytest.mark.skipif(sys.platform != "linux", reason="processes are hidden on Linux")
@pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="SKIPPED: root without setpriv(1)")
def test_a_program_in_a_container_finds_no_credentials(tmp_path: Path) -> None:
    write_step(tmp_path, "prints", PRINTS, DECLARATIONS)
    (tmp_path / "a.fq").write_text(READS)
    links: dict[str, Any] = {"inputs": {"reads": "sample.reads"}, "publish": {"copy": "copies"}}
    payload = task_json("prints", [single_lane("a", tmp_path / "a.fq")], **links)
    (tmp_path / "run").mkdir()
    settings = {"TASK": json.dumps(payload), "STEP": str(tmp_path / "prints"), "SCRATCH": str(tmp_path / "scratch")}
    settings |= {"BUCKETS": json.dumps({"RUN": str(tmp_path / "run")})}
    variables = {f"GENOMICS_PIPELINE_{name}": value for name, value in settings.items()} | SECRETS | KEPT
    argv = [*unprivileged(), sys.executable, "-m", "genomics_pipeline.worker"]
    process = subprocess.run(
        argv, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    found = json.loads((tmp_path / "run/results/copies/a.txt").read_text())
    assert {name: found["own"].get(name) for name in KEPT} == KEPT
    assert [name for name in found["own"] if name in SECRETS] == []
    worker = next(iter(found["others"].values()))
    assert worker == "Permission denied"
    assert "hidden" not in json.dumps(found)


def test_a_program_of_a_run_on_this_machine_gets_no_credentials(project: SmallProject) -> None:
    project.samples({"a": READS})
    project.step("prints", PRINTS, DECLARATIONS)
    project.pipeline(stage_toml("copies", "./prints", "copies", {"reads": "sample.reads"}))
    argv = [sys.executable, "-m", "genomics_pipeline", *project.arguments()]
    process = subprocess.run(argv, env={**os.environ, **SECRETS, **KEPT}, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    found = json.loads((project.run / "results/copies/a.txt").read_text())["own"]
    assert {name: found.get(name) for name in KEPT} == KEPT
    assert [name for name in found if name in SECRETS] == []

"""The five commands of the page on Slurm, run as they are printed on a stand-in for Slurm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.fakes.slurm import FakeSlurm

PAGE = Path(__file__).resolve().parents[2] / "docs/slurm.md"


def test_from_a_login_node_to_a_finished_cohort(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    install, *commands = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0].splitlines()
    assert install == "python3 -m venv env && env/bin/pip install genomics-pipeline"
    assert len(commands) == 4
    (tmp_path / "profiles").mkdir()
    profile = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "profiles/hpc.toml").write_text(profile)
    (tmp_path / "env").mkdir()
    (tmp_path / "env/bin").symlink_to(Path(sys.executable).parent)
    slurm = FakeSlurm(tmp_path / "slurm")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GENOMICS_PIPELINE_", "SLURM_"))}
    environment = {**kept, "HOME": str(tmp_path), "PATH": f"{slurm.path}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("XDG_CACHE_HOME", None)

    def run(command: str) -> str:
        ended = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    run("env/bin/genomics-pipeline simulate --out cohort --samples 1 --length 5000")
    run("mv cohort/fastq reads && gzip -c cohort/reference.fa > hg38.fa.gz")
    shown = [run(command) for command in commands]
    assert "its head is job 1 of Slurm" in shown[2]
    assert "my-run  SUCCEEDED" in shown[3]
    given = [json.loads(file.read_text()) for file in slurm.folder.glob("array.*")]
    assert {one["partition"] for one in given} == {"main"}
    assert {one["job-name"] for one in given} >= {"genomics-pipeline-head", "genomics-pipeline-check"}

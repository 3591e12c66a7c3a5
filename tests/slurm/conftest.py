"""A Slurm cluster of three simulated nodes on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.small_project import READS, SmallProject, stage_toml, write_step

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCRIPT = SHARED / "tools" / "slurm" / "engine.sh"
PATIENCE_S = 150

# Its samples are named after what happens to them. Each start is a line with the job and the node.
PROGRAM = """
import json, mmap, os, pathlib, sys, time
task = json.load(open(sys.argv[1]))
sample, here = task["item"]["sample"], pathlib.Path(__file__).parent
with (here / f"{sample}.starts").open("a") as starts:
    job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    starts.write(f"{job} {os.environ['SLURMD_NODENAME']}" + chr(10))
if sample == "bad":
    sys.exit(print("error: bad: expected food", file=sys.stderr) or 65)
if sample == "memory":
    memory = mmap.mmap(-1, 1 << 30)
    for _ in range(1 << 10):
        memory.write(bytes(1 << 20))
while sample.startswith(("memory", "wait", "late")) and not (here / "go").exists():
    time.sleep(0.05)
open(task["outputs"]["out"], "w").write(sample)
"""
STEP = """
[inputs.reads]
type = "reads"
[outputs.out]
path = "{sample}.txt"
[resources]
vcpus = 1
memory_mib = 300
timeout_s = 60
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, since it needs a cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("slurm")


@dataclass(frozen=True)
class TestCluster:
    """The cluster, and its environment."""

    __test__ = False
    home: Path
    environment: dict[str, str]
    controllers: list[subprocess.Popen[bytes]] = field(default_factory=list)  # that were started again

    def script(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the script that starts and stops the cluster."""
        return subprocess.run([SCRIPT, *words], env=self.environment, capture_output=True, text=True, check=False)

    def slurm(self, *words: str) -> str:
        """Run a command of Slurm and return its output."""
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True).stdout

    def restart_controller(self, away_s: float) -> None:
        """Kill the controller, and start it again after a time."""
        file = self.home / "run/slurmctld.started"
        os.kill(int(file.read_text()), signal.SIGKILL)
        time.sleep(away_s)
        started = subprocess.Popen(
            ["slurmctld", "-D"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        file.write_text(str(started.pid))
        self.controllers.append(started)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command of genomics-pipeline."""
        argv = [sys.executable, "-m", "genomics_pipeline", *map(str, arguments)]
        return subprocess.Popen(argv, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="session")
def cluster(missing: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """Start the cluster, and stop it after the tests."""
    if not SCRIPT.is_file():
        missing("no Slurm cluster runs here")
    home = tmp_path_factory.mktemp("slurm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "SLURM_HOME": str(home), "SLURM_PORT": str(port), "SLURM_CONF": f"{home}/slurm.conf"}
    made = TestCluster(home, environment)
    started = made.script("start", "3")
    if started.returncode:
        missing(f"no Slurm cluster can run here: {started.stderr.strip()}")
    try:
        yield made
    finally:
        made.script("stop")
        for controller in made.controllers:
            controller.wait()


def until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until a function returns something true, while a process runs."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        assert time.monotonic() < deadline
        time.sleep(0.1)


@dataclass(frozen=True)
class SlurmProject:
    """A project with one step, whose samples are named after what happens to them."""

    project: SmallProject
    cluster: TestCluster

    @property
    def step(self) -> Path:
        """The folder of the step."""
        return self.project.folder / "eat"

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start the run on the cluster."""
        return self.cluster.start(*self.project.arguments("--slurm", "--slurm-poll-s", "1", *options))

    def starts(self, sample: str) -> list[tuple[str, str]]:
        """Return the jobs and the nodes on which a sample's program started."""
        file = self.step / f"{sample}.starts"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(line.split()[0], line.split()[1]) for line in lines]

    def let_go(self) -> None:
        """Let the programs end that wait."""
        (self.step / "go").touch()


@pytest.fixture
def samples(project: SmallProject, cluster: TestCluster) -> Callable[..., SlurmProject]:
    """Return `samples(*names)`, which writes the project with these samples."""

    def call(*names: str) -> SlurmProject:
        write_step(project.folder, "eat", PROGRAM, STEP)
        project.pipeline(stage_toml("eating", "./eat", "eaten", {"reads": "sample.reads"}))
        project.samples(dict.fromkeys(names, READS))
        return SlurmProject(project, cluster)

    return call

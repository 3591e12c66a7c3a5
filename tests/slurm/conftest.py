"""A Slurm cluster of three simulated nodes on this machine."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from tests.debian_packages import debian_packages
from tests.patience import PATIENCE_S
from tests.small_project import READS, SmallProject, stage_toml, write_step

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCRIPT = SHARED / "tools" / "slurm" / "engine.sh"
PORTS = 20  # of a cluster
SHOWN = 5_000  # characters of each log

# Its samples are named after what happens to them. Each start is a line with the job and the node, in a file beside the
# step's folder: one in it would be a change of the step, after which its work is no longer done.
PROGRAM = """
import json, mmap, os, pathlib, sys, time
task = json.load(open(sys.argv[1]))
sample, here = task["item"]["sample"], pathlib.Path(__file__).parent.parent
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

    def restart_controller(self, number: int, away_s: float = 0.0) -> None:
        """End the controller by a signal, and start it again after a time."""
        file = self.home / "run/slurmctld.started"
        old = int(file.read_text())
        os.kill(old, number)
        while Path(f"/proc/{old}").exists() and " Z " not in Path(f"/proc/{old}/stat").read_text():
            time.sleep(0.1)
        time.sleep(away_s)
        started = subprocess.Popen(
            ["slurmctld", "-D"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        file.write_text(str(started.pid))
        self.controllers.append(started)
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(["scontrol", "ping"], env=self.environment, capture_output=True).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command of genomics-pipeline."""
        argv = [sys.executable, "-m", "genomics_pipeline", *map(str, arguments)]
        return subprocess.Popen(argv, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def free_ports() -> int:
    """Return the first port of as many free ones as a cluster has, below those that clients get."""
    while True:
        first = random.randrange(10_000, 32_000, PORTS)
        try:
            with ExitStack() as stack:
                for port in range(first, first + PORTS):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


@contextmanager
def running_cluster(nodes: int, missing: Callable[[str], None], **variables: str) -> Iterator[TestCluster]:
    """Start a cluster in a folder of its own, and stop it at the end.

    Its path is short: slurmstepd makes a socket in it, whose path may have 107 bytes; Slurm cancels jobs without one.

    Args:
        nodes: The number of its nodes.
        missing: Skips the test, and says so.
        variables: Those of the script.
    """
    if not SCRIPT.is_file():
        missing("no Slurm cluster runs here")
    home = Path(mkdtemp(prefix="slurm-"))
    with debian_packages():  # and ports
        places = {"SLURM_HOME": str(home), "SLURM_PORT": str(free_ports()), "SLURM_CONF": f"{home}/slurm.conf"}
        made = TestCluster(home, {**os.environ, **places, **variables})
        started = made.script("start", str(nodes))
    if started.returncode:
        missing(f"no Slurm cluster with {variables or 'nodes'} can run here: {started.stderr.strip()}")
    try:
        yield made
    finally:
        made.script("stop")
        for controller in made.controllers:
            controller.wait()
        for log in (home / "log").glob("*.log"):  # which pytest shows if the test failed
            print(log.name, log.read_text(errors="replace")[-SHOWN:], sep="\n")
        rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(missing: Callable[[str], None]) -> Iterator[TestCluster]:
    """Start a cluster of three nodes without accounting, where memory is polled."""
    with running_cluster(3, missing) as made:
        yield made


@pytest.fixture
def own_cluster(missing: Callable[[str], None]) -> Iterator[TestCluster]:
    """Start one of one node, for a test whose controller gives numbers of jobs twice afterwards."""
    with running_cluster(1, missing) as made:
        yield made


@pytest.fixture(scope="session")
def accounted(missing: Callable[[str], None]) -> Iterator[TestCluster]:
    """Start one with accounting and limits, that soon forgets jobs, and where cgroups limit memory."""
    with running_cluster(2, missing, ACCOUNTING="1", CGROUPS="1", MIN_JOB_AGE="2") as made:
        with (made.home / "slurm.conf").open("a") as file:
            file.write("AccountingStorageEnforce=limits,qos\n")
        made.restart_controller(signal.SIGTERM)
        made.slurm("sacctmgr", "-i", "add", "qos", "few", "set", "MaxSubmitJobsPerUser=5")
        made.slurm("sacctmgr", "-i", "modify", "user", "root", "set", "qos+=few")
        yield made


def until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait until a function returns something true, while a process runs."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if process:
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
        return self.cluster.start(
            *self.project.arguments("--slurm", "--slurm-check=none", "--slurm-poll-s=1", *options)
        )

    def starts(self, sample: str) -> list[tuple[str, str]]:
        """Return the jobs and the nodes on which a sample's program started."""
        file = self.project.folder / f"{sample}.starts"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(line.split()[0], line.split()[1]) for line in lines]

    def has_started(self, sample: str, times: int = 1) -> bool:
        """Return whether a sample's program has started a number of times."""
        return len(self.starts(sample)) == times

    def finish(self, running: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait for a command, and return its exit code and its output."""
        said, _ = running.communicate()
        return running.returncode, said

    def failures(self) -> dict[str, str]:
        """Return the class of each failure by sample."""
        said, _ = self.cluster.start("status", self.project.run, "--json").communicate()
        return {one["item"]: one["class"] for one in json.loads(said)["failures"]["items"]}

    def let_go(self) -> None:
        """Let the programs end that wait."""
        (self.project.folder / "go").touch()


def slurm_project(project: SmallProject, cluster: TestCluster, *names: str) -> SlurmProject:
    """Return a project with samples of these names."""
    write_step(project.folder, "eat", PROGRAM, STEP)
    project.pipeline(stage_toml("eating", "./eat", "eaten", {"reads": "sample.reads"}))
    project.samples(dict.fromkeys(names, READS))
    return SlurmProject(project, cluster)


@pytest.fixture
def samples(project: SmallProject, cluster: TestCluster) -> Callable[..., SlurmProject]:
    """Return `samples(*names)`, which writes the project with these samples for the cluster without accounting."""
    return partial(slurm_project, project, cluster)


@pytest.fixture
def accounted_samples(project: SmallProject, accounted: TestCluster) -> Callable[..., SlurmProject]:
    """Return the same for the cluster with accounting."""
    return partial(slurm_project, project, accounted)

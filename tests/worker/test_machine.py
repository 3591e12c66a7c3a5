"""The cores and the memory for jobs: control groups at any depth, rlimits, schedulers, and what the user sets."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from genomics_pipeline.worker import machine
from genomics_pipeline.worker.machine import NO_LIMITS, Capacity, Limits, capacity

MIB = 1 << 20
CORES, TOTAL_MIB = 16, 100_000


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder like /proc of a machine of 16 cores and 100,000 MiB."""
    monkeypatch.setattr(os, "cpu_count", lambda: CORES)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(CORES)), raising=False)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    monkeypatch.setattr("genomics_pipeline.worker.machine._physical_bytes", lambda: TOTAL_MIB * MIB)
    (tmp_path / "proc/self").mkdir(parents=True)
    return tmp_path / "proc"


def mount(proc: Path, groups: str, mounts: str, files: Mapping[str, str]) -> None:
    """Write the groups of this process, the mounts ({} is the folder for them), and files below it."""
    top = proc.parent / "cgroup fs"
    (proc / "self/cgroup").write_text(groups)
    (proc / "self/mountinfo").write_text(mounts.replace("{}", str(top).replace(" ", r"\040")))
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text + "\n")


V2 = "29 22 0:26 / {} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "30 22 0:27 / {}/memory rw - cgroup cgroup rw,memory\n31 22 0:28 / {}/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
UNLIMITED = "9223372036854771712"


def fits(proc: Path, environment: Mapping[str, str] | None = None, limits: Limits = NO_LIMITS) -> tuple[int, int]:
    found = capacity(environment or {}, limits, proc)
    return found.cores, round(found.memory_mib / 0.9)


@pytest.mark.parametrize(
    ("groups", "mounts", "files", "expected"),
    [
        ("0::/\n", V2, {}, (CORES, TOTAL_MIB)),
        ("0::/a/b\n", V2, {"a/b/memory.max": "max", "a/b/cpu.max": "max 100000"}, (CORES, TOTAL_MIB)),
        ("0::/a/b\n", V2, {"a/b/memory.max": str(2000 * MIB), "a/b/cpu.max": "250000 100000"}, (2, 2000)),
        ("0::/a/b\n", V2, {"a/memory.max": str(3000 * MIB), "a/cpu.max": "400000 100000"}, (4, 3000)),
        ("0::/a/b/c/d\n", V2, {"a/memory.max": str(900 * MIB), "a/b/c/memory.max": str(5000 * MIB)}, (CORES, 900)),
        ("0::/a\n", V2, {"memory.max": str(800 * MIB), "cpu.max": "50000 100000"}, (1, 800)),
        ("0::/a\n", V2, {"a/memory.high": str(700 * MIB)}, (CORES, 700)),
        ("0::/../..\n", V2, {"memory.max": str(600 * MIB)}, (CORES, 600)),
        # A container without a namespace of its own: its group is the root of the mount.
        ("0::/docker/1f\n", V2.replace(" / ", " /docker/1f "), {"memory.max": str(500 * MIB)}, (CORES, 500)),
        ("4:memory:/\n3:cpu,cpuacct:/\n", V1, {"memory/memory.limit_in_bytes": UNLIMITED}, (CORES, TOTAL_MIB)),
        (
            "4:memory:/slurm/job_7/step_0\n3:cpu,cpuacct:/slurm/job_7\n",
            V1,
            {
                "memory/slurm/job_7/step_0/memory.limit_in_bytes": UNLIMITED,
                "memory/slurm/job_7/memory.limit_in_bytes": str(4000 * MIB),
                "cpu/slurm/cpu.cfs_quota_us": "300000",
                "cpu/slurm/cpu.cfs_period_us": "100000",
                "cpu/slurm/job_7/cpu.cfs_quota_us": "-1",
                "cpu/slurm/job_7/cpu.cfs_period_us": "100000",
            },
            (3, 4000),
        ),
        ("0::/a\n", V2, {"a/memory.max": "nonsense", "a/cpu.max": ""}, (CORES, TOTAL_MIB)),
        ("nonsense\n", "nonsense\n", {}, (CORES, TOTAL_MIB)),
    ],
)  # fmt: skip
def test_the_smallest_limit_of_all_groups_counts(
    proc: Path, groups: str, mounts: str, files: Mapping[str, str], expected: tuple[int, int]
) -> None:
    mount(proc, groups, mounts, files)
    assert fits(proc) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SLURM_CPUS_PER_TASK": "4"}, (4, TOTAL_MIB)),
        ({"SLURM_CPUS_ON_NODE": "8", "SLURM_CPUS_PER_TASK": "2"}, (2, TOTAL_MIB)),
        ({"SLURM_MEM_PER_NODE": "2048"}, (CORES, 2048)),
        ({"SLURM_MEM_PER_NODE": "0"}, (CORES, TOTAL_MIB)),
        ({"SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_ON_NODE": "6"}, (6, 6000)),
        ({"SLURM_MEM_PER_NODE": "2G"}, (CORES, 2048)),
        ({"SLURM_MEM_PER_CPU": "1G", "SLURM_CPUS_PER_TASK": "2"}, (2, 2048)),
        ({"NCPUS": "3"}, (3, TOTAL_MIB)),
        ({"PBS_NUM_PPN": "5"}, (5, TOTAL_MIB)),
        ({"NSLOTS": "7"}, (7, TOTAL_MIB)),
        ({"LSB_DJOB_NUMPROC": "9"}, (9, TOTAL_MIB)),
        ({"LSB_MAX_NUM_PROCESSORS": "10"}, (10, TOTAL_MIB)),
        ({"NSLOTS": "64"}, (CORES, TOTAL_MIB)),
        ({"NSLOTS": "", "NCPUS": "many", "SLURM_CPUS_PER_TASK": "-1"}, (CORES, TOTAL_MIB)),
    ],
)
def test_the_job_of_a_scheduler(proc: Path, environment: Mapping[str, str], expected: tuple[int, int]) -> None:
    assert fits(proc, environment) == expected


def test_the_processor_affinity(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3}, raising=False)
    assert capacity({}, proc=proc).cores == 2


def test_what_the_user_sets_counts_even_beyond_this_machine(proc: Path) -> None:
    found = capacity({"NSLOTS": "2"}, Limits(64, 235_520, 5), proc)
    assert found == Capacity(64, 235_520, 5, "--cpus", "--memory")


@pytest.mark.parametrize(("option", "name"), [("-v", "ulimit -v"), ("-d", "ulimit -d")])
def test_the_limits_of_a_shell(option: str, name: str) -> None:
    code = "from genomics_pipeline.worker.machine import capacity; c = capacity({}); print(c.memory_mib, c.memory_from)"
    argv = ["bash", "-c", f"ulimit {option} 1000000; exec {sys.executable} -c '{code}'"]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert shown == f"878 {name}\n"


def test_this_machine() -> None:
    found = machine.capacity(os.environ)
    assert found.cores >= 1
    assert found.memory_mib > 100

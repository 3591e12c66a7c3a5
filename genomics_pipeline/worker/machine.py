"""The cores and the memory that a run may use on this machine: in its containers, limits and jobs of schedulers."""

from __future__ import annotations

import os
import platform
import re
import resource
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.worker.cgroups import Limit, cpu_limits, memory_limits

PROC = Path("/proc")
SHARE = 0.9  # of the memory; the rest is for the system and for this process
# Cores that a scheduler gives to a job on this machine: Slurm (sbatch(1), "output environment variables"), PBS
# Professional and TORQUE (qsub(1)), Grid Engine (qsub(1)), LSF ("Environment variables set for job execution").
SCHEDULED_CORES = (
    "SLURM_CPUS_PER_TASK",
    "SLURM_CPUS_ON_NODE",
    "NCPUS",
    "PBS_NUM_PPN",
    "NSLOTS",
    "LSB_DJOB_NUMPROC",
    "LSB_MAX_NUM_PROCESSORS",
)
# Slurm's memory, in MiB or with a unit as in its option --mem. PBS, Grid Engine and LSF set no variable of a job's
# memory whose unit is documented; they limit it with control groups or rlimits, or not at all.
SCHEDULED_MIB = "SLURM_MEM_PER_NODE"  # 0: all of the machine
SCHEDULED_MIB_PER_CORE = "SLURM_MEM_PER_CPU"
_SLURM_MEMORY = re.compile(r"([0-9]+)([KMGTkmgt]?)")
_UNIT_KIB = {"K": 1, "": 1 << 10, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that a user sets; None for what this machine has.

    Attributes:
        cpus: Cores for all jobs together.
        memory_mib: Memory for all jobs together.
        jobs: The greatest number of jobs at the same time.
    """

    cpus: int | None = None
    memory_mib: int | None = None
    jobs: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Capacity:
    """The resources for all jobs together.

    Attributes:
        cores: Cores.
        memory_mib: Memory.
        jobs: The greatest number of jobs at the same time; None for as many as fit.
        cores_from: The limit that gives the cores.
        memory_from: The limit that gives the memory.
    """

    cores: int
    memory_mib: int
    jobs: int | None = None
    cores_from: str = "this machine"
    memory_from: str = "this machine"

    def __str__(self) -> str:
        """Return a phrase for people.

        >>> str(Capacity(8, 12902, 2, "--cpus"))
        '8 cores (--cpus), 12,902 MiB for jobs (this machine), at most 2 jobs at once'
        """
        jobs = "" if self.jobs is None else f", at most {quantity(self.jobs, 'job')} at once"
        cores = f"{quantity(self.cores, 'core')} ({self.cores_from})"
        return f"{cores}, {self.memory_mib:,} MiB for jobs ({self.memory_from}){jobs}"


def machine_name(proc: Path = PROC) -> str:
    """Return the model of the processor and the number of its cores, whatever of them jobs may use.

    Args:
        proc: ``/proc``.
    """
    lines: list[str] = []
    with suppress(OSError):
        lines = (proc / "cpuinfo").read_text("utf-8", "replace").splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(models, '') or platform.machine()}, {quantity(os.cpu_count() or 1, 'core')}"


def capacity(environment: Mapping[str, str], limits: Limits = NO_LIMITS, proc: Path = PROC) -> Capacity:
    """Return the resources that jobs may use: what the user sets, else the smallest of the limits of this process.

    Args:
        environment: The environment variables, among them those of a scheduler.
        limits: What the user sets.
        proc: ``/proc``.
    """
    cores = min(_core_limits(environment, proc), key=lambda limit: limit.value)
    memory = min(_memory_limits(environment, proc), key=lambda limit: limit.value)
    return Capacity(
        limits.cpus or max(1, int(cores.value)),
        limits.memory_mib or max(1, int(memory.value * SHARE) >> 20),
        limits.jobs,
        "--cpus" if limits.cpus else cores.source,
        "--memory" if limits.memory_mib else memory.source,
    )


def _core_limits(environment: Mapping[str, str], proc: Path) -> Iterator[Limit]:
    yield Limit(os.cpu_count() or 1, "this machine")
    if hasattr(os, "sched_getaffinity"):
        yield Limit(len(os.sched_getaffinity(0)), "processor affinity")
    yield from cpu_limits(proc)
    for name in SCHEDULED_CORES:
        if number := _number(environment, name):
            yield Limit(number, name)


def _memory_limits(environment: Mapping[str, str], proc: Path) -> Iterator[Limit]:
    yield Limit(_physical_bytes(), "this machine")
    yield from memory_limits(proc)
    for kind, source in ((resource.RLIMIT_AS, "ulimit -v"), (resource.RLIMIT_DATA, "ulimit -d")):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            yield Limit(soft, source)
    if number := _mib(environment, SCHEDULED_MIB):
        yield Limit(number << 20, SCHEDULED_MIB)
    cores = min((one for name in SCHEDULED_CORES if (one := _number(environment, name))), default=1)
    if number := _mib(environment, SCHEDULED_MIB_PER_CORE):
        yield Limit((number << 20) * cores, f"{SCHEDULED_MIB_PER_CORE} x {cores}")


def _physical_bytes() -> int:
    """Return the memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _number(environment: Mapping[str, str], name: str) -> int:
    """Return a whole number in a variable; 0 if there is none."""
    with suppress(ValueError):
        return max(0, int(environment.get(name, "0")))
    return 0


def _mib(environment: Mapping[str, str], name: str) -> int:
    """Return an amount of memory in a variable of Slurm's, in MiB; 0 if there is none.

    >>> [_mib({"M": text}, "M") for text in ("2048", "2048M", "4G", "1t", "2097152K", "0", "all")]
    [2048, 2048, 4096, 1048576, 2048, 0, 0]
    """
    match = _SLURM_MEMORY.fullmatch(environment.get(name, ""))
    with suppress(ValueError):  # more digits than Python converts
        return int(match[1]) * _UNIT_KIB[match[2].upper()] >> 10 if match else 0
    return 0

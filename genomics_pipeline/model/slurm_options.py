"""The options of jobs on a Slurm cluster, as a user gives them and the record of a run keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from genomics_pipeline.model.errors import Problem, UsageError

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*(,[A-Za-z0-9_][A-Za-z0-9_.@+-]*)*", re.ASCII)  # or several
_EXTRA = re.compile(r"--([a-z][a-z0-9-]*)(=[^\x00-\x1f\x7f]*)?", re.ASCII)
BY_PARTITION, BY_NODE, UNCHECKED = CHECKS = ("partition", "nodes", "none")  # one node of each partition, or all
# Options of sbatch that decide what a job is, or how it is found again.
OWN = frozenset(
    {
        "account",
        "array",
        "chdir",
        "comment",
        "cpus-per-task",
        "error",
        "export",
        "help",
        "input",
        "job-name",
        "mem",
        "mem-per-cpu",
        "no-requeue",
        "nodes",
        "ntasks",
        "output",
        "parsable",
        "partition",
        "qos",
        "requeue",
        "test-only",
        "time",
        "usage",
        "version",
        "wait",
        "wrap",
    }
)


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """The options of a head that is a job itself.

    Attributes:
        minutes: Its time limit, at which it puts itself back into the queue.
        memory_mib: Its memory.
    """

    minutes: int
    memory_mib: int


_SHARED = {"cpus": "--cpus", "memory_mib": "--memory", "jobs": "--jobs"}  # options that runs without Slurm have, too


@dataclass(frozen=True, slots=True)
class SlurmOptions:
    """The options of the jobs of a run on a Slurm cluster; empty texts stand for the site's defaults.

    Attributes:
        partition: The partition of jobs.
        on_demand_partition: The partition of jobs whose nodes were lost or preempted several times.
        account: The account that is charged.
        qos: The quality of service.
        mem_per_cpu: Whether memory is asked for by core, for sites that refuse ``--mem``.
        extra: Further options of sbatch, such as ``--constraint=avx2``.
        scratch: The folder for temporary files on the nodes; by default that of ``TMPDIR`` there.
        poll_s: The least number of seconds between two questions about the jobs.
        check: Where a job checks Python, folders and clock before the first job of a run: one of `CHECKS`.
        cpus: The cores of the largest job, as ``--cpus`` says; 0 for those of the largest node.
        memory_mib: Its memory, as ``--memory`` says, likewise.
        jobs: The greatest number of jobs that run at once, as ``--jobs`` says; 0 for any.
        minutes: The time limit of a job in place of the timeout of its step, twice that after each timeout; 0 for none.
    """

    partition: str = ""
    on_demand_partition: str = ""
    account: str = ""
    qos: str = ""
    mem_per_cpu: bool = False
    extra: tuple[str, ...] = ()
    scratch: str = ""
    poll_s: int = 10
    check: str = BY_PARTITION
    cpus: int = 0
    memory_mib: int = 0
    jobs: int = 0
    minutes: int = 0

    def memory(self, memory_mib: int, cpus: int) -> str:
        """Return the option of sbatch that asks for memory.

        Args:
            memory_mib: The memory of the job.
            cpus: Its cores.

        >>> SlurmOptions().memory(3000, 2), SlurmOptions(mem_per_cpu=True).memory(3001, 2)
        ('--mem=3000M', '--mem-per-cpu=1501M')
        """
        return f"--mem-per-cpu={-(-memory_mib // cpus)}M" if self.mem_per_cpu else f"--mem={memory_mib}M"

    def words(self) -> Iterator[str]:
        """Yield the options of a command that give these, without those that are the defaults.

        >>> list(SlurmOptions("long", mem_per_cpu=True, extra=("--constraint=avx2",)).words())
        ['--slurm', '--slurm-partition=long', '--slurm-mem-per-cpu', '--slurm-option=--constraint=avx2']
        >>> list(SlurmOptions(memory_mib=2048).words())
        ['--slurm', '--memory=2048MiB']
        """
        yield "--slurm"
        for one in fields(self):
            value, option = getattr(self, one.name), f"--slurm-{one.name.replace('_', '-')}"
            if value == one.default:
                continue
            if one.name == "extra":
                yield from (f"--slurm-option={text}" for text in value)
            elif value is True:
                yield option
            else:
                yield f"{_SHARED.get(one.name, option)}={value}{'MiB' if one.name == 'memory_mib' else ''}"

    def refuse_wrong(self) -> None:
        """Refuse values that Slurm would take for something else.

        Raises:
            UsageError: with a problem for each of them.
        """
        if problems := [Problem(text) for text in self._problems()]:
            raise UsageError(problems)

    def _problems(self) -> Iterator[str]:
        for name in ("partition", "on_demand_partition", "account", "qos"):
            value = getattr(self, name)
            if value and not NAME.fullmatch(value):
                option = f"--slurm-{name.replace('_', '-')}"
                yield f"{option}: expected a name, or names separated by commas, found {value!r}"
        if self.scratch and not self.scratch.startswith("/"):
            yield f"--slurm-scratch: expected an absolute path, which every node has, found {self.scratch!r}"
        for text in self.extra:
            match = _EXTRA.fullmatch(text)
            if match is None:
                yield f"--slurm-option: expected a long option of sbatch such as --constraint=avx2, found {text!r}"
            elif match[1] in OWN:
                yield f"--slurm-option: {text}: --{match[1]} is set for each job; give --constraint and the like only"

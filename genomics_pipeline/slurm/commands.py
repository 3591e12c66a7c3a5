"""The commands of Slurm: submit an array of jobs, list jobs and nodes, cancel."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from genomics_pipeline.slurm.slurm_job import FIELDS, SlurmJob, read_accounted, read_queue

PATIENCE_S = 120.0  # of one command: Slurm's own MessageTimeout is 10 s by default, and clients try again
# Variables of the job that this process may run in: sbatch(1), "INPUT ENVIRONMENT VARIABLES", would obey them.
_OF_JOBS = ("SLURM_", "SBATCH_", "SALLOC_", "SRUN_", "SQUEUE_", "SACCT_", "SINFO_", "SCANCEL_")
_KEPT = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT")
# Parts of messages about a controller that cannot be reached or is busy, and about limits on the number of jobs, after
# which the same command may succeed. Source: slurm_errno.c, slurm_protocol_defs.c of Slurm 22.05.
_PASSING = re.compile(
    r"unable to contact slurm|socket timed out|connection (refused|reset|timed out)|transport endpoint|"
    r"temporar(y|ily)|slurm_persist|communication (connection )?(failure|timeout)|try again|"
    r"zero bytes were transmitted|unexpected message received|slurmdbd|munge|not responding",
    re.IGNORECASE,
)
# Those about limits on the number of jobs: "AssocMaxSubmitJobLimit" and the like, MaxJobCount of slurm.conf.
_OF_NUMBERS = re.compile(r"maxsubmit|maxjobcount|max(imum)? number of jobs|job count limit", re.IGNORECASE)
_IDS = 500  # of jobs in one command line

_USABLE = ("idle", "mix", "alloc", "comp")  # sinfo(1), "NODE STATE CODES"; a * is a node that does not answer


class SlurmError(Exception):
    """The failure of a command of Slurm.

    Attributes:
        message: What it wrote.
        passes: Whether the same command may succeed later.
        limits_number: Whether the command may succeed with fewer jobs.
    """

    def __init__(self, message: str, passes: bool, limits_number: bool = False) -> None:
        super().__init__(message)
        self.message, self.passes, self.limits_number = message, passes, limits_number


class NoSlurm(SlurmError):
    """A command of Slurm that is not there."""


class SlurmCommands:
    """The commands of Slurm, run with a user's environment.

    Args:
        environment: The environment variables; those of a job that this process runs in are left out.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {
            name: value for name, value in environment.items() if name in _KEPT or not name.startswith(_OF_JOBS)
        }

    def submit(self, options: Sequence[str], script: str, variables: Mapping[str, str]) -> str:
        """Submit a job and return its ID.

        Args:
            options: The options of sbatch.
            script: The script.
            variables: Environment variables of the job, in addition to those of the user.

        Raises:
            SlurmError: if Slurm does not accept it, or does not answer: the job may have been accepted.
        """
        answer = self._run(["sbatch", "--parsable", *options], script, variables)
        return answer.strip().partition(";")[0]  # with several clusters the name of one follows

    def jobs(self) -> list[SlurmJob]:
        """Return the user's jobs, and those that ended within the last minutes (``MinJobAge``).

        Raises:
            SlurmError: if Slurm does not answer.
        """
        fields = ",".join(f"{name}:|" for name in FIELDS)
        return list(read_queue(self._run(["squeue", "--me", "--array", "--noheader", "--states=all", f"-O{fields}"])))

    def accounted(self, ids: Sequence[str]) -> list[SlurmJob]:
        """Return jobs as the accounting knows them; none where there is no accounting.

        Args:
            ids: The IDs.
        """
        try:
            columns = "JobID,State,ExitCode,NodeList,Comment"
            answer = self._run(["sacct", "-n", "-P", "-X", f"--format={columns}", f"--jobs={','.join(ids)}"])
        except SlurmError:
            return []
        return list(read_accounted(answer))

    def cancel(self, ids: Sequence[str]) -> None:
        """Cancel jobs; those that have ended are not changed.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        for at in range(0, len(ids), _IDS):
            self._run(["scancel", "--quiet", *ids[at : at + _IDS]])

    def requeue(self, job_id: str) -> None:
        """End a job and put it back into the queue, under the same ID.

        Args:
            job_id: The ID.

        Raises:
            SlurmError: if Slurm refuses, or does not answer.
        """
        self._run(["scontrol", "requeue", job_id])

    def limit_array(self, job_id: str, most: int) -> None:
        """Change the number of jobs of an array that run at once.

        Args:
            job_id: The ID of the array.
            most: The number.

        Raises:
            SlurmError: if Slurm refuses, or does not answer.
        """
        self._run(["scontrol", "update", f"JobId={job_id}", f"ArrayTaskThrottle={most}"])

    def nodes(self, partition: str) -> list[tuple[int, int]]:
        """Return the cores and the memory in MiB of the nodes of a partition.

        Args:
            partition: Its name; empty for the default one.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        rows = self._node_rows(partition, "%c|%m|%P")
        return [size for row in filter(str.strip, rows) if (size := _size(row, is_default=not partition))]

    def usable_nodes(self, partition: str) -> list[str]:
        """Return the names of the nodes of a partition that can run jobs, now or once others have ended.

        Args:
            partition: Its name; empty for the default one.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        rows = self._node_rows(partition, "%N|%P|%t")
        cells = [row.strip().split("|") for row in rows if row.count("|") == 2]
        usable = [(name, of) for name, of, state in cells if state.startswith(_USABLE) and not state.endswith("*")]
        return list(dict.fromkeys(name for name, of in usable if partition or of.endswith("*")))

    def _node_rows(self, partition: str, columns: str) -> list[str]:
        """Return a row of columns of `sinfo` for each node of a partition; of all where it has no name."""
        chosen = [f"--partition={partition}"] if partition else []
        return self._run(["sinfo", "--noheader", "--Node", *chosen, f"-o{columns}"]).splitlines()

    def largest_array(self) -> int:
        """Return the greatest number of jobs of an array; ``MaxArraySize`` is one more than the greatest index.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        match = re.search(r"^MaxArraySize\s*=\s*(\d+)", self._run(["scontrol", "show", "config"]), re.MULTILINE)
        return max(1, int(match[1])) if match else 1

    def show_partition(self, partition: str) -> str:
        """Return the fields of a partition, ``NAME=VALUE``, as ``scontrol`` shows them.

        Args:
            partition: Its name; empty for the default one.

        Raises:
            SlurmError: if Slurm does not answer, or has no such partition.
        """
        shown = self._run(["scontrol", "--oneliner", "show", "partition", *([partition] if partition else [])])
        return next((line for line in _lines(shown) if partition or "Default=YES" in line), "")

    def associations(self, user: str, columns: Sequence[str]) -> list[dict[str, str]]:
        """Return the limits of a user's associations, by the names of columns.

        Args:
            user: The user.
            columns: The columns of sacctmgr(1).

        Raises:
            SlurmError: if there is no accounting.
        """
        return self._accounting(["association", f"user={user}"], columns)

    def default_account(self, user: str) -> str:
        """Return the account that a user's jobs are charged to where they name none; see `associations`."""
        rows = self._accounting(["user", f"name={user}"], ("DefaultAccount",))
        return rows[0]["DefaultAccount"] if rows else ""

    def quality_of_service(self, name: str, columns: Sequence[str]) -> list[dict[str, str]]:
        """Return the limits of a QOS, by the names of columns; see `associations`."""
        return self._accounting(["qos", f"name={name}"], columns)

    def _accounting(self, words: Sequence[str], columns: Sequence[str]) -> list[dict[str, str]]:
        argv = ["sacctmgr", "--noheader", "--parsable2", "show", *words, f"format={','.join(columns)}"]
        return [dict(zip(columns, line.split("|"), strict=True)) for line in _lines(self._run(argv))]

    def _run(self, argv: list[str], text: str = "", variables: Mapping[str, str] | None = None) -> str:
        environment = {**self._environment, **(variables or {})}
        try:
            done = subprocess.run(
                argv, input=text, capture_output=True, text=True, errors="replace", env=environment, timeout=PATIENCE_S
            )
        except FileNotFoundError:
            advice = "expected Slurm's command on PATH, found none; run this on a login node"
            raise NoSlurm(f"{argv[0]}: {advice}", passes=True) from None
        except OSError as error:  # this machine is short of memory or processes
            raise SlurmError(f"{argv[0]}: {error.strerror}", passes=True) from None
        except subprocess.TimeoutExpired:
            raise SlurmError(f"{argv[0]}: no answer within {PATIENCE_S:g} s", passes=True) from None
        if done.returncode:
            message = " ".join(_lines(done.stderr)) or f"{argv[0]}: exit code {done.returncode}"
            limits_number = bool(_OF_NUMBERS.search(message))
            raise SlurmError(message, limits_number or bool(_PASSING.search(message)), limits_number)
        return done.stdout


def _lines(text: str) -> Iterator[str]:
    yield from (line.strip() for line in text.splitlines() if line.strip())


def _size(row: str, is_default: bool) -> tuple[int, int] | None:
    """Return the cores and the memory of a row of sinfo; None for one of another partition than the default.

    >>> _size("16|64000+|main*", True), _size("16|64000|spot", True), _size("16|64000|spot", False)
    ((16, 64000), None, (16, 64000))
    """
    cores, memory, partition = row.strip().split("|", 2)
    if is_default and not partition.endswith("*"):
        return None
    return int(cores.rstrip("+")), int(memory.rstrip("+"))

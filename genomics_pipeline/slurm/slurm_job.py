"""The jobs that squeue and sacct list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ACCOUNTED = 5  # columns
_CODES = re.compile(r"(\d+):(\d+)", re.ASCII)
FIELDS = ("ArrayJobID", "ArrayTaskID", "State", "exit_code", "Reason", "NodeList", "Comment")
RUNNING = frozenset({"RUNNING", "COMPLETING", "STAGE_OUT", "STOPPED", "SUSPENDED", "SIGNALING"})
WAITING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
)


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """A job of an array.

    Attributes:
        job_id: ``ARRAY_INDEX``; ``ARRAY`` for all of its jobs that are not listed by themselves.
        state: Its state, in Slurm's words.
        exit_code: The exit code, 128 plus a signal's number; 0 before it has ended.
        reason: Why it is pending, or has failed, in Slurm's words.
        node: Its nodes; empty for none.
        comment: Its comment.
        cancelled_by: The number of the user who cancelled it, as far as the accounting knows it.
    """

    job_id: str
    state: str
    exit_code: int
    reason: str = ""
    node: str = ""
    comment: str = ""
    cancelled_by: str = ""

    @property
    def index(self) -> int | None:
        """Return its index in the array; None for all jobs of it."""
        text = self.job_id.rpartition("_")[2]
        return int(text) if "_" in self.job_id and text.isdigit() else None

    @property
    def is_running(self) -> bool:
        """Tell whether it has a node."""
        return self.state in RUNNING

    @property
    def has_ended(self) -> bool:
        """Tell whether it no longer runs or waits."""
        return self.state not in RUNNING and self.state not in WAITING


def read_queue(text: str) -> Iterator[SlurmJob]:
    """Yield the jobs of arrays in the output of squeue, whose columns are `FIELDS`.

    Its exit code is a wait status: squeue(1), ``exit_code``.

    >>> [(job.job_id, job.state, job.exit_code) for job in read_queue("7|0|FAILED|768|NonZeroExitCode|n1|abc|")]
    [('7_0', 'FAILED', 3)]
    """
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < len(FIELDS):
            continue
        array, index, state, status, reason, node, comment = cells[: len(FIELDS)]
        code = int(status) if status.isdigit() else 0
        job_id = f"{array}_{index}" if index.isdigit() else array  # an array that was cancelled as a whole has no index
        yield SlurmJob(job_id, state, _exit_code(code >> 8, code & 127), reason, node, comment)


def read_accounted(text: str) -> Iterator[SlurmJob]:
    """Yield the jobs in the output of sacct: ID, state, ``code:signal``, nodes, comment; other lines are left out.

    >>> [(job.state, job.cancelled_by, job.exit_code) for job in read_accounted("7_0|CANCELLED by 0|0:15|n1|abc")]
    [('CANCELLED', '0', 143)]
    """
    for line in text.splitlines():
        cells = line.strip().split("|")
        if len(cells) < _ACCOUNTED or not (match := _CODES.fullmatch(cells[2])) or not cells[1]:
            continue
        job_id, state, _, node, comment = cells[:_ACCOUNTED]
        state, _, user = state.partition(" by ")
        code = _exit_code(int(match[1]), int(match[2]))
        yield SlurmJob(job_id, state, code, node=node, comment=comment, cancelled_by=user)


def _exit_code(code: int, signal: int) -> int:
    return 128 + signal if signal else code

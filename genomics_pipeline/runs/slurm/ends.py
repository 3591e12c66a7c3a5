"""The ends of jobs on a cluster, in the words of AWS Batch: the definition and `model.classify` know these."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model.batch_retry import TIMED_OUT
from genomics_pipeline.slurm.slurm_job import SlurmJob
from genomics_pipeline.worker.program_log import error_message

KILLED = 137
LOST = "Host EC2 (node of Slurm) terminated."  # the status reason of a lost host
_CANCELLED = "Ended with its Task"  # that of a cancelled job
_REFUSED = "MISCONFIGURATION:"  # that of a job that no host may run
_OUT_OF_MEMORY = "OutOfMemoryError: "  # the beginning of the reason

# Lines of slurmstepd: "Detected 1 oom_kill event in StepId=…" of the cgroup plugin, "Exceeded job memory limit" and
# "exceeded memory limit (… > …), being killed" of polling (OverMemoryKill). Source: Slurm 22.05 and 23.11.
_MEMORY_WORDS = re.compile(
    r"slurmstepd: error: .*(oom[_-]kill event|exceeded (job |step )?memory limit)", re.IGNORECASE
)

NODE_STATES = frozenset({"NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED"})
TIME_STATES = frozenset({"TIMEOUT", "DEADLINE"})
# Reasons for which a pending job never starts, with what to do: squeue(1), "JOB REASON CODES".
NEVER = {
    "PartitionTimeLimit": "give another partition, or less time: --slurm-minutes",
    "PartitionConfig": "it asks for more time or larger nodes than the partition has; give another one, or less "
    "time: --slurm-minutes",
    "BadConstraints": "no node has what --slurm-option asks for: correct it",
    "DependencyNeverSatisfied": "remove the dependency of --slurm-option",
    "JobHeldUser": "release it with `scontrol release`, then resume the run",
    "JobHeldAdmin": "ask the administrator why jobs are held",
    "AccountNotAllowed": "give an account that the partition allows: --slurm-account",
    "QOSNotAllowed": "give a QOS that the partition allows: --slurm-qos",
    "InvalidAccount": "give another account: --slurm-account",
    "InvalidQOS": "give another QOS: --slurm-qos",
    "QOSMaxCpuPerJobLimit": "give another QOS, or fewer cores: --cpus",
    "QOSMaxMemoryPerJob": "give another QOS, or less memory: --memory",
    "AssocMaxCpuPerJobLimit": "give another account, or fewer cores: --cpus",
    "AssocMaxMemPerJob": "give another account, or less memory: --memory",
    "AssocMaxWallDurationPerJobLimit": "give another account, or less time: --slurm-minutes",
    "QOSMaxWallDurationPerJobLimit": "give another QOS, or less time: --slurm-minutes",
}

# Reasons that pass once an administrator has finished, as at maintenance: the job keeps its place in the queue. That of
# PartitionNodeLimit "can also indicate that required nodes are DOWN or DRAINED": squeue(1).
LATER = {
    "PartitionDown": "the partition starts no jobs now; ask the administrator, or give another partition",
    "PartitionInactive": "the partition takes and starts no jobs now; ask the administrator, or give another partition",
    "PartitionNodeLimit": "nodes of the partition are down or drained, or it is limited to fewer nodes",
}


def end_of_job(job: SlurmJob, written: JobEnd | None, log: str, memory_mib: int, minutes: int) -> JobEnd:
    """Return the end of a job.

    Args:
        job: The job as Slurm lists it, which has ended.
        written: The end that its program wrote; None if it did not.
        log: The end of its output.
        memory_mib: The memory that it asked for.
        minutes: Its time limit; 0 for that of its partition.
    """
    if written is not None and written.exit_code == 0:
        return written  # all of its items are done
    if job.state == "OUT_OF_MEMORY" or (written is None and _MEMORY_WORDS.search(log)):
        return JobEnd(KILLED, f"{_OUT_OF_MEMORY}Slurm killed the job, which may use {memory_mib:,} MiB")
    if job.state in TIME_STATES:
        limit = f"its time limit of {minutes:,} min" if minutes else "the time limit of its partition"
        return JobEnd(KILLED, f"Slurm ended the job at {limit} ({job.state})", status_reason=TIMED_OUT)
    if job.state in NODE_STATES:
        return lost_end(f"Slurm: {job.state} of {job.node or 'its node'}")
    if job.state == "CANCELLED":
        by = "by `scancel`, an administrator, or its node, which could not launch it"
        return JobEnd(None, f"the job was cancelled in Slurm: {by}", status_reason=_CANCELLED)
    if written is not None:
        return written
    lines = [line for line in log.splitlines() if line.strip()]
    said = error_message(lines) or f"Slurm: {job.state}, {job.reason or 'without a reason'}, on {job.node or 'no node'}"
    return JobEnd(job.exit_code or 1, said)


def lost_end(reason: str) -> JobEnd:
    """Return the end of a job whose node is gone, or that Slurm does not know any more."""
    return JobEnd(None, reason, status_reason=LOST)


def no_more_time_end(partitions: Sequence[str], minutes: int) -> JobEnd:
    """Return the end of a job that would have no more time than the one before it, which came to its time limit.

    Args:
        partitions: The partitions that it may have.
        minutes: The time limit of the one before.
    """
    where = " and ".join(name_of(one) for one in dict.fromkeys(partitions))
    said = f"a job with {minutes:,} min came to its time limit, and {where} {_allows(partitions)} no more"
    cure = "give a partition that allows more: `genomics-pipeline rerun RUN --slurm-partition NAME`"
    return JobEnd(KILLED, f"{said}, so that it was not submitted again; {cure}", status_reason=TIMED_OUT)


def _allows(partitions: Sequence[str]) -> str:
    return "allows" if len(set(partitions)) == 1 else "allow"


def name_of(partition: str) -> str:
    """Return the words for a partition.

    >>> name_of("long"), name_of("")
    ('partition long', 'the default partition')
    """
    return f"partition {partition}" if partition else "the default partition"


def refused_end(message: str) -> JobEnd:
    """Return the end of a job that Slurm refuses to run."""
    text = f"{_REFUSED} {message}"
    return JobEnd(None, text, status_reason=text)


def never_starts(job: SlurmJob) -> JobEnd | None:
    """Return the end of a pending job that can never start; None if it may.

    Args:
        job: The job as Slurm lists it.
    """
    cure = NEVER.get(job.reason.strip("()"))
    if job.state != "PENDING" or cure is None:
        return None
    return refused_end(f"Slurm never starts the job ({job.reason}): {cure}")


def starts_later(job: SlurmJob) -> str:
    """Return why a pending job waits for an administrator, with what to do; empty for other jobs.

    >>> starts_later(SlurmJob("1_0", "PENDING", 0, "PartitionDown")).partition(":")[0]
    'jobs wait in Slurm (PartitionDown)'
    """
    cure = LATER.get(job.reason.strip("()"))
    return f"jobs wait in Slurm ({job.reason.strip('()')}): {cure}" if job.state == "PENDING" and cure else ""


def is_final(end: JobEnd) -> bool:
    """Tell whether no other attempt may follow: the job was cancelled, or its time was over."""
    return end.status_reason in (_CANCELLED, TIMED_OUT) or end.status_reason.startswith(_REFUSED)

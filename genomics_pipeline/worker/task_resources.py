"""The resources that one task may use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genomics_pipeline.model.task_progress import TaskProgress
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.worker.interpreters import Interpreters


@dataclass(frozen=True, slots=True)
class TaskResources:
    """The resources of a task.

    Attributes:
        vcpus: The number of cores that it may use.
        memory_mib: The memory that it may use, in MiB.
        scratch: A folder for its temporary files.
        cache: The user's cache folder, for references.
        cancelled: Set when the task must end.
        environment: The environment variables, of which its programs get those without credentials.
        host: Facts of the host that are recorded; see `worker.host_facts`, and on a cluster `runs.slurm.node_facts`.
        interpreters: Running interpreters for its programs; None if each is executed.
        job: The attempt of a Batch job that it is in; None outside of AWS Batch and of an execution.
        submitted: The time of the job's submission, ISO 8601 in UTC; empty where it is not known.
        report_memory: Called with the memory that its program uses, in MiB, about each second.
        report_progress: Called with what its program says of its progress, when it has changed.
        report_reading: Called with the share of its inputs that its program has read; None when that is not known.
        limit_programs: Limit what its programs may allocate; in a container the kernel does that already.
        keep_scratch: Leave the temporary files of the task, for a look at them.
    """

    vcpus: int
    memory_mib: int
    scratch: Path
    cache: Path
    cancelled: threading.Event
    environment: Mapping[str, str]
    host: Mapping[str, str] = field(default_factory=dict)
    interpreters: Interpreters | None = None
    job: BatchAttempt | None = None
    submitted: str = ""
    report_memory: Callable[[int], object] = lambda _: None
    report_progress: Callable[[TaskProgress], object] = lambda _: None
    report_reading: Callable[[float | None], object] = lambda _: None
    limit_programs: bool = True
    keep_scratch: bool = False

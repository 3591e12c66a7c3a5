"""The resources that one task may use."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TaskResources:
    """The resources of a task.

    Attributes:
        vcpus: The number of cores that it may use.
        memory_mib: The memory that it may use, in MiB.
        scratch: A folder for its temporary files.
        cache: The user's cache folder, for references.
        cancelled: Set when the task must end.
        environment: The environment variables of its programs; those of this process where there are none.
        limit_programs: Limit what its programs may allocate; in a container the kernel does that already.
    """

    vcpus: int
    memory_mib: int
    scratch: Path
    cache: Path
    cancelled: threading.Event
    environment: Mapping[str, str] | None = None
    limit_programs: bool = True

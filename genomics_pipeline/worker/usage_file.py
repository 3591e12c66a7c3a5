"""The file in which a worker in a container of this machine says what its program uses, and how far it is."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task_progress import TaskProgress
from genomics_pipeline.stores.bounded_file import read_plain_file

USAGE_VARIABLE = "GENOMICS_PIPELINE_USAGE"


class UsageFile:
    """The file of a container.

    Args:
        path: The file; None to write none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._members: dict[str, Any] = {"memory_mib": 0, "progress": None, "read_share": None}

    def report_memory(self, memory_mib: int) -> None:
        """Write the memory that is used now."""
        self._write("memory_mib", memory_mib)

    def report_progress(self, progress: TaskProgress) -> None:
        """Write the progress."""
        self._write("progress", asdict(progress))

    def report_reading(self, share: float | None) -> None:
        """Write the share of its inputs that the program has read; None when that is not known."""
        self._write("read_share", share)

    def _write(self, name: str, value: Any) -> None:
        self._members[name] = value
        if self._path is not None:
            with suppress(OSError):  # the task itself matters more
                self._path.write_text(json.dumps(self._members))


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """The report of a worker in a container on its program.

    Attributes:
        memory_mib: The memory that it uses.
        progress: What it says of its progress; None where it says nothing.
        read_share: The share of its inputs that it has read, from 0 to 1; None where that is not known.
    """

    memory_mib: int
    progress: TaskProgress | None = None
    read_share: float | None = None


def read_usage(path: Path) -> ReportedUsage | None:
    """Return what is written; None where nothing is there, not all of it, or something of another form.

    The file is in the hands of the container, whose program may have put anything in its place.
    """
    try:
        members = parse_json(read_plain_file(path, budgets.USAGE_SIZE))
        progress, share = members["progress"], members["read_share"]
        return ReportedUsage(
            int(members["memory_mib"]),
            TaskProgress(**progress) if progress else None,
            None if share is None else float(share),
        )
    except (OSError, DataError, ValueError, LookupError, TypeError):
        return None

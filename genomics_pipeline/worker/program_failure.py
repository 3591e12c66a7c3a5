"""The failure that the end of a step's program stands for."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.step import OUT_OF_DISK_EXIT_CODE, OUT_OF_MEMORY_EXIT_CODE, StepSpec
from genomics_pipeline.worker.failure import (
    CANCELLED_EXIT_CODE,
    TOO_MANY_PROCESSES,
    StepFailed,
    disk_full_message,
    mentions_full_disk,
    mentions_lack_of_memory,
    mentions_lack_of_processes,
)
from genomics_pipeline.worker.process import ProcessEnd
from genomics_pipeline.worker.program_log import error_message
from genomics_pipeline.worker.task_resources import TaskResources

FULL_BYTES = 1 << 20  # a disk with less free space is full: programs report that in many ways, or not at all


def refuse_failure(
    end: ProcessEnd, lines: list[str], spec: StepSpec, resources: TaskResources, folder: Path, item: str, log: str
) -> None:
    """Raise the failure of a program that did not succeed.

    Args:
        end: The end of the program.
        lines: The last lines of its log.
        spec: The step.
        resources: The resources of the task.
        folder: The folder of the task.
        item: The item's id.
        log: URI of the log.

    Raises:
        StepFailed: for a program that was cancelled, or ended with another exit code than 0.
    """
    if end.cancelled:
        raise StepFailed(FailureClass.CANCELLED, end.exit_code or CANCELLED_EXIT_CODE, "cancelled", item, log)
    if not end.exit_code:
        return
    failure, code = spec.exit_codes.get(end.exit_code, FailureClass.TOOL_ERROR), end.exit_code
    message = error_message(lines) or f"{_end_words(code)} without a message"
    if code == OUT_OF_MEMORY_EXIT_CODE and failure is FailureClass.OUT_OF_MEMORY:
        message = f"killed as out of memory (exit code {code}; it had {resources.memory_mib} MiB)"
    elif failure is FailureClass.OUT_OF_MEMORY:
        message += f"\nout of memory (exit code {code}; it had {resources.memory_mib} MiB)"
    elif failure is FailureClass.TOOL_ERROR and any(map(mentions_lack_of_memory, lines)):
        failure, code = FailureClass.OUT_OF_MEMORY, OUT_OF_MEMORY_EXIT_CODE
        message += f"\nout of memory (it had {resources.memory_mib} MiB)"
    elif failure is FailureClass.TOOL_ERROR and _is_disk_full(folder, lines):
        failure, code = FailureClass.OUT_OF_DISK, OUT_OF_DISK_EXIT_CODE
        message += f"\n{disk_full_message(resources.scratch)}{_largest_file(folder)}"
    elif failure is FailureClass.TOOL_ERROR and any(map(mentions_lack_of_processes, lines)):
        message += f"\n{TOO_MANY_PROCESSES}"
    raise StepFailed(failure, code, message, item, log)


def _is_disk_full(folder: Path, lines: Sequence[str]) -> bool:
    """Return whether the disk is full, or was full before the program removed its files."""
    return shutil.disk_usage(folder).free < FULL_BYTES or any(map(mentions_full_disk, lines))


def _end_words(code: int) -> str:
    """Return how a program ended, for a message: by a signal where a shell would report one.

    >>> _end_words(3), _end_words(139)
    ('ended with exit code 3', 'ended by the signal SIGSEGV (exit code 139)')
    """
    try:
        return f"ended by the signal {signal.Signals(code - 128).name} (exit code {code})"
    except ValueError:
        return f"ended with exit code {code}"


def _largest_file(folder: Path) -> str:
    """Return a phrase about the largest file of a task; empty if no file is left."""
    files = (file for file in folder.glob("*/**/*") if file.is_file())
    size, name = max(((file.stat().st_size, str(file.relative_to(folder))) for file in files), default=(0, ""))
    return f"; the largest file of the task: {name}" if size else ""

"""The failure of a step over an item, and the failures that other errors stand for."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.secrets import redact
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE, OUT_OF_DISK_EXIT_CODE
from genomics_pipeline.stores.protocol import TransferFailed, TransferStopped

CANCELLED_EXIT_CODE = 143  # 128 + SIGTERM
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class StepFailed(PipelineError):
    """The failure of a step over an item.

    Attributes:
        failure_class: The class of the failure.
        task_exit_code: The exit code of the program, or of the worker.
        item: The item's id.
        log: URI of the program's log; None if the program was not started.
    """

    def __init__(
        self, failure_class: FailureClass, task_exit_code: int, message: str, item: str, log: str | None = None
    ) -> None:
        super().__init__(redact(message))
        self.failure_class = failure_class
        self.task_exit_code = task_exit_code
        self.item = item
        self.log = log


def failure_of(error: PipelineError | OSError, item: str, scratch: Path) -> StepFailed:
    """Return the failure of the step that an error stands for.

    Raises:
        OSError: The error itself, unless a disk is full.
    """
    if isinstance(error, StepFailed):
        return error
    if isinstance(error, TransferStopped):
        return StepFailed(FailureClass.CANCELLED, CANCELLED_EXIT_CODE, "cancelled", item)
    if isinstance(error, TransferFailed):
        return StepFailed(FailureClass.TOOL_ERROR, 1, str(error), item)
    if isinstance(error, PipelineError):
        return StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, str(error), item)
    if error.errno not in DISK_FULL:
        raise error
    file = error.filename2 or error.filename  # the target of a copy
    return StepFailed(FailureClass.OUT_OF_DISK, OUT_OF_DISK_EXIT_CODE, disk_full_message(file or scratch), item)


def disk_full_message(path: str | Path) -> str:
    """Return the message about a full disk."""
    return f"no space left on the disk of {path}: free some space, then run again"


def mentions_full_disk(text: str) -> bool:
    """Return whether a program reported a full disk, in the words of the C library, which nearly all programs print.

    >>> mentions_full_disk("samtools sort: failed to write to a.bam: No space left on device"), mentions_full_disk("no")
    (True, False)
    """
    return any(os.strerror(number) in text for number in DISK_FULL)

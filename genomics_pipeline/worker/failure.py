"""The failure of a step over an item, and the failures that other errors stand for."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.provenance import Difference
from genomics_pipeline.model.secrets import redact
from genomics_pipeline.model.step import (
    ACCESS_DENIED_EXIT_CODE,
    BAD_INPUT_EXIT_CODE,
    OUT_OF_DISK_EXIT_CODE,
    OUT_OF_MEMORY_EXIT_CODE,
    StepSpec,
)
from genomics_pipeline.records.failure import FailureRecord
from genomics_pipeline.stores.protocol import (
    ChangedObject,
    DeniedAccess,
    ForbiddenFile,
    TransferFailed,
    TransferStopped,
)

CANCELLED_EXIT_CODE = 143  # 128 + SIGTERM
TOO_MANY_PROCESSES = (
    "the system allows this user no more processes or threads: "
    "raise the limit (ulimit -u, pids of the container) or give --cpus a smaller number, then run again"
)
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_REMEDIES = {
    errno.EACCES: "give this user access to it (ls -ld shows whose it is), then repeat the command",
    errno.EROFS: "mount it for writing, or copy the folder to a disk that can be written to, and use the copy",
}


class StepFailed(PipelineError):
    """The failure of a step over an item.

    Attributes:
        failure_class: The class of the failure.
        task_exit_code: The exit code of the program, or of the worker.
        item: The item's id.
        log: URI of the program's log; None if the program was not started.
        seconds: The duration of the attempt over the item; 0 until it has ended.
        processor_seconds: The time of its program on all cores; 0 if it was not started.
        peak_memory_mib: The peak memory of its program; 0 if it was not started.
        before: The newest attempt over the item that failed before; None if none did since it was done.
        because: Why the step ran; nothing where it failed before its review.
    """

    def __init__(
        self, failure_class: FailureClass, task_exit_code: int, message: str, item: str, log: str | None = None
    ) -> None:
        super().__init__(redact(message))
        self.failure_class = failure_class
        self.task_exit_code = task_exit_code
        self.item = item
        self.log = log
        self.seconds = self.processor_seconds = 0.0
        self.peak_memory_mib = 0
        self.before: FailureRecord | None = None
        self.because: tuple[Difference, ...] = ()


def failure_of(error: Exception, item: str, scratch: Path) -> StepFailed:
    """Return the failure of the step over an item that any error stands for.

    Args:
        error: The error.
        item: The item's id.
        scratch: The folder for temporary files, named where a full disk has no file.
    """
    match error:
        case StepFailed():
            return error
        case TransferStopped():
            return StepFailed(FailureClass.CANCELLED, CANCELLED_EXIT_CODE, "cancelled", item)
        case DeniedAccess() | ForbiddenFile():
            return StepFailed(FailureClass.ACCESS_DENIED, ACCESS_DENIED_EXIT_CODE, str(error), item)
        case TransferFailed() if not isinstance(error, ChangedObject):
            return StepFailed(FailureClass.TOOL_ERROR, 1, str(error), item)
        case PipelineError():
            return StepFailed(FailureClass.BAD_INPUT, BAD_INPUT_EXIT_CODE, str(error), item)
        case OSError() if error.errno in DISK_FULL:
            message = disk_full_message(error.filename2 or error.filename or scratch)  # first the target of a copy
            return StepFailed(FailureClass.OUT_OF_DISK, OUT_OF_DISK_EXIT_CODE, message, item)
        case MemoryError():
            message = "out of memory while the files of the task were prepared or published"
            return StepFailed(FailureClass.OUT_OF_MEMORY, OUT_OF_MEMORY_EXIT_CODE, message, item)
        case OSError() | RuntimeError() if mentions_lack_of_processes(str(error)):
            return StepFailed(FailureClass.TOOL_ERROR, 1, TOO_MANY_PROCESSES, item)
        case OSError() if error.errno in NOT_PERMITTED:
            return StepFailed(FailureClass.ACCESS_DENIED, ACCESS_DENIED_EXIT_CODE, os_error_message(error), item)
        case OSError():
            return StepFailed(FailureClass.TOOL_ERROR, 1, os_error_message(error), item)
        case _:
            message = f"{type(error).__name__}: {error} (unexpected; the log has the traceback)"
            return StepFailed(FailureClass.TOOL_ERROR, 1, message, item)


def os_error_message(error: OSError) -> str:
    """Return the message about an error of the operating system, with the file and a remedy if there are any.

    >>> os_error_message(OSError(24, "Too many open files", "a.bam")), os_error_message(OSError("timed out"))
    ('a.bam: Too many open files', 'timed out')
    """
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in _REMEDIES:
        reason += f"; {_REMEDIES[error.errno]}"
    file = error.filename2 or error.filename
    if isinstance(file, str | bytes | os.PathLike):
        return f"{os.fsdecode(file)}: {reason}"
    return f"the current folder: {reason}" if _lost_folder() else reason


def _lost_folder() -> bool:
    """Return whether the folder of this process was deleted, which no error of the system names."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def disk_full_message(path: str | Path) -> str:
    """Return the message about a full disk."""
    return f"no space left on the disk of {path}: free some space, then run again"


def with_disk_advice(failure: StepFailed, spec: StepSpec) -> StepFailed:
    """Return the failure of a step on a host in AWS, whose disk its step shares by `disk_gib`, with what to change.

    Args:
        failure: A failure of any class; only a full disk is advised on.
        spec: The step.
    """
    if failure.failure_class is not FailureClass.OUT_OF_DISK:
        return failure
    declared = spec.resources
    advice = (
        f"{spec.name} declares disk_gib = {declared.disk_gib} for {declared.vcpus} vCPUs: if retries with more vCPUs "
        f"fail, too, set disk_gib = {2 * declared.disk_gib} in [resources] of its step.toml, deploy, then rerun"
    )
    message = f"{failure}\n{advice}"
    advised = StepFailed(failure.failure_class, failure.task_exit_code, message, failure.item, failure.log)
    advised.processor_seconds, advised.peak_memory_mib = failure.processor_seconds, failure.peak_memory_mib
    return advised


def mentions_full_disk(text: str) -> bool:
    """Return whether a program reported a full disk, in the words of the C library, which nearly all programs print.

    >>> mentions_full_disk("samtools sort: failed to write to a.bam: No space left on device"), mentions_full_disk("no")
    (True, False)
    """
    return any(os.strerror(number) in text for number in DISK_FULL)


def mentions_lack_of_processes(text: str) -> bool:
    """Return whether a program could not start a process or a thread.

    >>> mentions_lack_of_processes("bash: fork: Resource temporarily unavailable"), mentions_lack_of_processes("fork")
    (True, False)
    """
    return os.strerror(errno.EAGAIN) in text or "can't start new thread" in text


# Lower-case words of programs that could not allocate: of the C library, C++, Python, bwa, samtools, bcftools, htslib,
# the Java virtual machine, Go and Rust, R.
_ALLOCATION_FAILURES = (
    os.strerror(errno.ENOMEM).lower(),
    "std::bad_alloc",
    "memoryerror",
    "error: out of memory",
    "]: out of memory",
    "] out of memory",
    "fail to allocate",
    "failed to allocate",
    "couldn't allocate memory",
    "could not allocate memory",
    "unable to allocate memory",
    "java.lang.outofmemoryerror",
    "could not reserve enough space for",
    "runtime: out of memory",
    "memory allocation of",
    "cannot allocate vector of size",
)


def mentions_lack_of_memory(text: str) -> bool:
    """Return whether a program reported that it could not allocate memory.

    >>> mentions_lack_of_memory("[bwa_idx_load] fail to allocate 1 GB"), mentions_lack_of_memory("memory: 4 GiB")
    (True, False)
    """
    lower = text.lower()
    return any(words in lower for words in _ALLOCATION_FAILURES)

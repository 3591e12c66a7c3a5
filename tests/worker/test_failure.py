"""The failures that errors stand for, and the words in which programs report that they ran out of memory."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.stores.protocol import ForbiddenFile
from genomics_pipeline.worker.failure import failure_of, mentions_lack_of_memory


def system_error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/data/runs")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (system_error(errno.EACCES), "give this user access to it"),
        (system_error(errno.EPERM), ""),
        (system_error(errno.EROFS), "mount it for writing"),
        (ForbiddenFile(Path("/data/runs"), system_error(errno.EACCES)), "change its permissions"),
    ],
)
def test_what_the_system_does_not_permit_is_denied_access(error: Exception, advice: str) -> None:
    failure = failure_of(error, "a", Path("/tmp"))
    assert (failure.failure_class, failure.task_exit_code) == (FailureClass.ACCESS_DENIED, 77)
    assert str(failure).startswith("/data/runs: ")
    assert advice in str(failure)


@pytest.mark.parametrize(
    "line",
    [
        "MemoryError",
        "MemoryError: Unable to allocate 7.45 GiB for an array with shape (1000000000,) and data type float64",
        "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 2.00 GiB",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "OSError: [Errno 12] Cannot allocate memory",
        "bash: fork: Cannot allocate memory",
        "[bwa_index] fail to allocate 5368709120 bytes",
        "[E::hts_idx_push] Out of memory",
        "samtools sort: couldn't allocate memory for bam_mem",
        "[bam_sort_core] Unable to allocate memory",
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        "Error occurred during initialization of VM\nCould not reserve enough space for 8388608KB object heap",
        "fatal error: runtime: out of memory",
        "memory allocation of 8589934592 bytes failed",
        "Error: cannot allocate vector of size 7.5 Gb",
    ],
)
def test_words_of_programs_that_could_not_allocate(line: str) -> None:
    assert mentions_lack_of_memory(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "memory: 4 GiB",
        "[M::mem_process_seqs] Processed 1000 reads in 0.1 CPU sec",
        "error: a.bam: no such file",
        "allocated 12 GiB of memory",
        "peak memory 800 MiB",
    ],
)
def test_other_words(line: str) -> None:
    assert not mentions_lack_of_memory(line)

"""The words in which programs report that they ran out of memory."""

from __future__ import annotations

import pytest

from genomics_pipeline.worker.failure import mentions_lack_of_memory


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

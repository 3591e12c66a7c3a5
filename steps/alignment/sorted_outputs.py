"""The outputs that are made of the sorted alignments in one pass: the BAM file, and those of quality control."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysam
from bam_stream import read_header
from common.freed_memory import keep_freed_memory
from header import bam_header

if TYPE_CHECKING:
    from qc.batches import Batch

Passing = Callable[["Iterator[Batch]"], "Iterator[Batch]"]


def write_outputs(
    task: Mapping[str, Any],
    contigs: Mapping[str, int],
    metrics: Path | None,
    bam: str | None,
    passing: Passing | None,
    targets: Sequence[int],
) -> None:
    """Read alignments from standard input, and write the files.

    Args:
        task: The task.
        contigs: The length of each contig in bp, by name.
        metrics: The file for the metrics of quality control; None for no quality control.
        bam: The BAM file; None if another program writes the alignments.
        passing: Passes the records on, first of all.
        targets: The descriptors that the alignments are copied to.

    Raises:
        BadInput: for a BED file that cannot be used.
        EOFError: if there is nothing to read.
        OSError: if the stream is cut off.
    """
    keep_freed_memory()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else numpy starts a thread for each core, which none of this uses
    from bam_file import BamFile
    from copied_stream import CopiedStream
    from qc.batches import batches_of
    from qc.consumer import write_quality

    stream = CopiedStream(0, targets)
    if (text := read_header(stream)) is None:
        raise EOFError
    header = pysam.AlignmentHeader.from_text(text)
    batches = batches_of(stream, "sorted alignments")
    if passing is not None:
        batches = passing(batches)
    with ExitStack() as files:
        if bam is not None:
            file = BamFile(bam, bam_header(header), len(header.references), task["vcpus"])
            batches = files.enter_context(file).passing(batches)
        if metrics is not None:
            write_quality(task, contigs, batches, metrics)
        for _ in batches:
            pass

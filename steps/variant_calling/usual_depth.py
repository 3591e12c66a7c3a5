"""The usual depth of a sample, by which indels of few reads are believed or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import pysam
from calling_units import Span, Unit, merge
from common.alignment_header import open_alignments

POSITIONS = 200  # enough for the median within a quarter of a read at 8x; each costs one look-up in the index
# Below this depth most indels that one read shows are real; above it they are mostly reads that slipped in repeats.
LOW_DEPTH = 10


def with_indel_reads(task: dict[str, Any], units: Sequence[Unit]) -> dict[str, Any]:
    """Return the task with a value of `min_indel_reads`, by the sample's depth where none is given.

    Args:
        task: The task.
        units: The units that are called.
    """
    parameters = task["parameters"]
    if parameters.get("min_indel_reads") is not None:
        return task
    spans = merge(span for unit in units for span in unit)
    inputs = task["inputs"]
    depth = usual_depth(inputs["alignment"], inputs["reference"], spans, parameters["min_mapq"])
    return {**task, "parameters": {**parameters, "min_indel_reads": 1 if depth < LOW_DEPTH else 2}}


def usual_depth(path: str, reference: str, spans: Sequence[Span], min_mapq: int) -> float:
    """Return the median depth of positions spread evenly over spans, of those that have alignments; 0 if none has.

    Args:
        path: A BAM or CRAM file with its index.
        reference: The FASTA file.
        spans: The spans.
        min_mapq: The least mapping quality of alignments that count.
    """

    def counts(read: pysam.AlignedSegment) -> bool:
        left_out = read.is_duplicate or read.is_secondary or read.is_qcfail or read.is_unmapped
        return not left_out and read.mapping_quality >= min_mapq

    with open_alignments(path, reference) as alignments:
        depths = [
            alignments.count(contig, position, position + 1, read_callback=counts)
            for contig, position in spread(spans, POSITIONS)
        ]
    return median([depth for depth in depths if depth] or [0])


def spread(spans: Sequence[Span], number: int) -> Iterator[tuple[str, int]]:
    """Yield positions, counted from 0, at equal distances over spans.

    >>> list(spread([Span("a", 10, 12), Span("b", 0, 6)], 4))
    [('a', 11), ('b', 1), ('b', 3), ('b', 5)]
    """
    total, before, done = sum(span.end - span.start for span in spans), 0, 0
    for contig, start, end in spans:
        while done < number and (place := (2 * done + 1) * total // (2 * number)) < before + end - start:
            yield contig, start + place - before
            done += 1
        before += end - start

"""The usual depth of a sample, by which indels of few reads are believed or not: the median at some positions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pysam
from calling_units import Span, Unit, merge
from common.alignment_header import open_alignments, refuse_other_sequences

# Enough for the median within a quarter of a read at 8x; in a genome each costs one look-up in the index.
POSITIONS = 200
INDEX_WINDOW_BP = 1 << 14  # of BAI files
LEFT_OUT = pysam.FUNMAP | pysam.FSECONDARY | pysam.FQCFAIL | pysam.FDUP
# Below this depth most indels that one read shows are real; above it they are mostly reads that slipped in repeats.
LOW_DEPTH = 10
# Below this depth single reads still are good evidence of an indel that others of the cohort have.
COHORT_DEPTH = 12


def with_indel_reads(task: dict[str, Any], units: Sequence[Unit]) -> dict[str, Any]:
    """Return the task with the least reads of an indel, by the sample's depth where none are given.

    Args:
        task: The task.
        units: The units that are called.

    Raises:
        BadInput: for alignments of another reference's bases.
        OSError: for alignments that cannot be read.
    """
    given = {name: task["parameters"].get(name) for name in ("min_indel_reads", "min_cohort_indel_reads")}
    if None not in given.values():
        return task
    spans = merge(span for unit in units for span in unit)
    inputs = task["inputs"]
    try:
        found = depths(inputs["alignment"], inputs["reference"], spans, task["parameters"]["min_mapq"])
        is_low, is_below = are_below(found, (LOW_DEPTH, COHORT_DEPTH))
    except OSError:  # of a CRAM file, whose bases are compared with the reference's
        refuse_other_sequences(inputs["alignment"], inputs["reference"])
        raise
    own = given["min_indel_reads"] or (1 if is_low else 2)
    chosen = {
        "min_indel_reads": own,
        "min_cohort_indel_reads": given["min_cohort_indel_reads"] or (1 if is_below else own),
    }
    return {**task, "parameters": {**task["parameters"], **chosen}}


def are_below(found: Iterable[int], limits: Sequence[int]) -> list[bool]:
    """Return whether the median of depths, of those that are not 0, is below each of some limits; 0 if there are none.

    Args:
        found: At most `POSITIONS` depths, which are taken only until more than half of so many are on one side of each
            limit.
        limits: The limits, each above 0.
    """
    taken: list[int] = []
    sides = [[0, 0] for _ in limits]
    for depth in filter(None, found):
        taken.append(depth)
        for limit, side in zip(limits, sides, strict=True):
            side[depth < limit] += 1
        if min(map(max, sides)) > POSITIONS // 2:
            break
    taken.sort()  # without `statistics`, whose import takes as long as some thousand alignments
    twice = taken[(len(taken) - 1) // 2] + taken[len(taken) // 2] if taken else 0
    return [twice < 2 * limit for limit in limits]


def depths(path: str, reference: str, spans: Sequence[Span], min_mapq: int) -> Iterator[int]:
    """Yield the depths of positions spread evenly over spans, each as soon as its alignments are read.

    Args:
        path: A BAM or CRAM file with its index.
        reference: The FASTA file.
        spans: The spans.
        min_mapq: The least mapping quality of alignments that count.
    """
    with open_alignments(path, reference) as alignments:
        for contig, positions in _near_each_other(spread(spans, POSITIONS)):
            yield from _depths(alignments.fetch(contig, positions[0], positions[-1] + 1), positions, min_mapq)


def _near_each_other(places: Iterable[tuple[str, int]]) -> Iterator[tuple[str, list[int]]]:
    """Yield the positions of a contig that are read in one go, since an index leads to no less than a window."""
    contig, positions = "", list[int]()
    for name, position in places:
        if positions and (name != contig or position - positions[-1] > INDEX_WINDOW_BP):
            yield contig, positions
            positions = []
        contig = name
        positions.append(position)
    if positions:
        yield contig, positions


def _depths(reads: Iterable[pysam.AlignedSegment], positions: Sequence[int], min_mapq: int) -> Iterator[int]:
    """Yield the depth at each of some sorted positions, from the alignments around them, sorted as well."""
    changes = [0] * (len(positions) + 1)
    depth = done = 0
    for read in reads:
        if read.flag & LEFT_OUT or read.mapping_quality < min_mapq:
            continue
        first = bisect_left(positions, read.reference_start)
        while done < first:  # no further alignment covers these
            depth += changes[done]
            yield depth
            done += 1
        changes[first] += 1
        changes[bisect_left(positions, read.reference_end or read.reference_start)] -= 1
    for change in changes[done:-1]:
        depth += change
        yield depth


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

"""The files that ``samtools flagstat``, ``idxstats`` and ``coverage`` would write of the same alignments.

Tests compare them with samtools' own, byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pysam

from qc.tally import CONFIDENT, OTHER_CONTIG, ContigTally, Tally

Condition = Callable[[int], bool]
_COVERAGE = "#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\tmeanbaseq\tmeanmapq\n"


def _all(bits: int, none: int = 0) -> Condition:
    """Return the condition that a record has all of these flags, and none of the others."""
    return lambda kind: kind & bits == bits and not kind & none


_PRIMARY = pysam.FSECONDARY | pysam.FSUPPLEMENTARY
_BOTH_MAPPED = _all(pysam.FPAIRED, _PRIMARY | pysam.FUNMAP | pysam.FMUNMAP)
# The lines of `samtools flagstat` (bam_stat.c of samtools), with the line of which each is a share.
_LINES: tuple[tuple[str, Condition, str | None], ...] = (
    ("in total (QC-passed reads + QC-failed reads)", _all(0), None),
    ("primary", _all(0, _PRIMARY), None),
    ("secondary", _all(pysam.FSECONDARY), None),
    ("supplementary", _all(pysam.FSUPPLEMENTARY, pysam.FSECONDARY), None),
    ("duplicates", _all(pysam.FDUP), None),
    ("primary duplicates", _all(pysam.FDUP, _PRIMARY), None),
    ("mapped", _all(0, pysam.FUNMAP), "in total (QC-passed reads + QC-failed reads)"),
    ("primary mapped", _all(0, _PRIMARY | pysam.FUNMAP), "primary"),
    ("paired in sequencing", _all(pysam.FPAIRED, _PRIMARY), None),
    ("read1", _all(pysam.FPAIRED | pysam.FREAD1, _PRIMARY), None),
    ("read2", _all(pysam.FPAIRED | pysam.FREAD2, _PRIMARY), None),
    (
        "properly paired",
        _all(pysam.FPAIRED | pysam.FPROPER_PAIR, _PRIMARY | pysam.FUNMAP),
        "paired in sequencing",
    ),
    ("with itself and mate mapped", _BOTH_MAPPED, None),
    ("singletons", _all(pysam.FPAIRED | pysam.FMUNMAP, _PRIMARY | pysam.FUNMAP), "paired in sequencing"),
    ("with mate mapped to a different chr", lambda kind: _BOTH_MAPPED(kind) and bool(kind & OTHER_CONTIG), None),
    (
        "with mate mapped to a different chr (mapQ>=5)",
        lambda kind: _BOTH_MAPPED(kind) and kind & OTHER_CONTIG != 0 and kind & CONFIDENT != 0,
        None,
    ),
)


def texts(tally: Tally) -> dict[str, str]:
    """Return the content of each file, by the name of the step's output."""
    return {"flagstat": flagstat(tally), "idxstats": idxstats(tally), "coverage": coverage(tally)}


def primary_duplicates(tally: Tally) -> int:
    """Return the number of reads that are marked as duplicates."""
    return count(tally, _all(pysam.FDUP, _PRIMARY))


def count(tally: Tally, condition: Condition, failed: bool | None = None) -> int:
    """Count records.

    Args:
        tally: The counts.
        condition: A condition on the kind of a record.
        failed: Whether they failed quality control; None for all.
    """
    kinds = [kind for kind in np.flatnonzero(tally.kinds).tolist() if condition(kind)]
    chosen = [kind for kind in kinds if failed is None or bool(kind & pysam.FQCFAIL) == failed]
    return int(tally.kinds[chosen].sum())


def flagstat(tally: Tally) -> str:
    """Return the text of ``samtools flagstat``."""
    lines = []
    counts: dict[str, tuple[int, int]] = {}
    for words, condition, whole in _LINES:
        counts[words] = passed, failed = count(tally, condition, False), count(tally, condition, True)
        shares = "" if whole is None else f" ({_share(passed, counts[whole][0])} : {_share(failed, counts[whole][1])})"
        lines.append(f"{passed} + {failed} {words}{shares}\n")
    return "".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{part / whole * 100:.2f}%" if whole else "N/A"


def idxstats(tally: Tally) -> str:
    """Return the text of ``samtools idxstats``."""
    rows = [f"{one.name}\t{one.length}\t{one.mapped}\t{one.unmapped}\n" for one in tally.contigs]
    return "".join([*rows, f"*\t0\t0\t{tally.unplaced}\n"])


def coverage(tally: Tally) -> str:
    """Return the text of ``samtools coverage``, with contigs without reads in their places instead of at the end."""
    return "".join([_COVERAGE, *map(_coverage_row, tally.contigs)])


def _coverage_row(one: ContigTally) -> str:
    share, depth = 100 * one.covered / one.length, one.aligned / one.length
    quality = one.qualities / one.aligned if one.aligned else 0
    mapq = one.mapqs / one.reads if one.reads else 0
    columns = f"{one.reads}\t{one.covered}\t{share:g}\t{depth:g}\t{quality:.3g}\t{mapq:.3g}"
    return f"{one.name}\t1\t{one.length}\t{columns}\n"

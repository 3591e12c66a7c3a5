"""The indexes (barcodes) of samples, in the names of reads and of files."""

from __future__ import annotations

import re
from collections import Counter

from common.fastq_checks import FirstReads

COMMON_SHARE = 0.8  # of the reads with an index: kits with several for a sample have no common one
# The names that CASAVA gave files: SAMPLE_INDEX_L001_R1_001.fastq.gz; elsewhere such letters may be a sample's name.
_NAME = re.compile(r"_(?P<index>[ACGT]{6,}(?:[-+][ACGT]{6,})?)_L\d{3}_R[12]_\d{3}\.(?:fastq|fq)")


def common_index(reads: FirstReads) -> str | None:
    """Return the index that nearly all of the first reads have; None if there is none."""
    found = Counter(one.index for one in reads.headers if one.index and "N" not in one.index)
    if not found:
        return None
    index, count = found.most_common(1)[0]
    return index if count >= COMMON_SHARE * found.total() else None


def index_problem(uri: str, reads: FirstReads, other: str, beside: str | None) -> str | None:
    """Return why reads are of another sample than the file's name, or another lane of the library, says; or None.

    Args:
        uri: The file.
        reads: Its first records.
        other: A file of another lane of the same library.
        beside: The index of the reads there; None if there is none.
    """
    index, match = common_index(reads), _NAME.search(uri.rpartition("/")[2])
    if index is None:
        return None
    if match and not same(index, match["index"]):
        return f"expected reads with the index {match['index']}, as in the file's name, found {index}"
    if beside and not same(index, beside):
        advice = "if they are of two libraries of the sample, name these in the column library"
        return f"expected reads with the index {beside}, as in {other}, found {index}; {advice}"
    return None


def same(one: str, other: str) -> bool:
    """Return whether two indexes agree; the second of two is read in either direction, so that the first decides.

    >>> same("ACGTACGT+TTTTTTTT", "ACGTACG"), same("ACGTACGT", "TCGTACGT")
    (True, False)
    """
    first, second = (re.split("[+-]", text)[0] for text in (one, other))
    length = min(len(first), len(second))
    return first[:length] == second[:length]

"""The grid of units over a reference."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from calling_units import LARGEST_UNIT_BP, SMALLEST_UNIT_BP, Span, divide

LENGTHS = st.lists(st.integers(1, 3_000_000), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([40_000, 41_600], 1),  # each unit costs the start of bcftools, so that small references have one
        ([29_903], 1),
        ([60_000, 60_000], 2),
        ([5_000_000], 50),
        ([64_000_000], 64),
        ([3_200_000_000], 640),
    ],
)
def test_the_number_of_units_follows_from_the_reference(lengths: list[int], expected: int) -> None:
    assert len(divide({f"c{number}": length for number, length in enumerate(lengths)}, None, None)) == expected


@given(lengths=LENGTHS, unit_bp=st.none() | st.integers(100_000, 1_000_000))
def test_units_cover_each_base_once_in_order(lengths: list[int], unit_bp: int | None) -> None:
    contigs = {f"c{number}": length for number, length in enumerate(lengths)}
    units = divide(contigs, None, unit_bp)
    spans = [span for unit in units for span in unit]
    joined: list[Span] = []
    for span in spans:
        if joined and (joined[-1].contig, joined[-1].end) == (span.contig, span.start):
            joined[-1] = joined[-1]._replace(end=span.end)
        else:
            joined.append(span)
    assert joined == [Span(contig, 0, length) for contig, length in contigs.items()]
    largest = unit_bp or LARGEST_UNIT_BP
    assert all(sum(span.end - span.start for span in unit) <= max(largest, SMALLEST_UNIT_BP) for unit in units)

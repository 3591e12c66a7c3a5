"""Intervals of targets: each base of a target lies in one region of one interval, and the work is even."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.model.interval_limits import IntervalLimits
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.intervals import interval_lines, merged_targets

CONTIGS = [Contig("a", 60), Contig("b", 7), Contig("c", 30)]
ENDS = st.tuples(st.integers(0, 60), st.integers(1, 60))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(CONTIGS), ENDS), max_size=8), st.integers(1, 40))
def test_no_target_is_lost_or_met_twice(chosen: list[tuple[Contig, tuple[int, int]]], bases: int) -> None:
    regions = [
        (contig.name, start, min(start + length, contig.length_bp))
        for contig, (start, length) in chosen
        if start < contig.length_bp
    ]
    targets = {(name, base) for name, start, end in regions for base in range(start + 1, end + 1)}
    lines = interval_lines(CONTIGS, IntervalLimits(bases, 1000), merged_targets(regions)).splitlines()
    met: list[tuple[str, int]] = []
    for line in lines:
        own = [one for region in json.loads(line)["regions"] for one in positions(region)]
        work = [one for one in own if one in targets]
        assert 0 < len(work) <= bases
        met += own
    assert len(set(met)) == len(met)
    assert targets <= set(met)
    whole = len(targets) // bases
    assert whole <= len(lines) <= 2 * whole + 1, "intervals that could share a job"


def positions(region: str) -> list[tuple[str, int]]:
    name, _, bounds = region.partition(":")
    start, end = map(int, bounds.split("-"))
    return [(name, base) for base in range(start, end + 1)]

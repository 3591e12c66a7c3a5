"""The blocks of a gVCF from records of a pileup, against every site taken by itself."""

from __future__ import annotations

import sys
from bisect import bisect_right
from itertools import groupby
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from calling_units import Ownership, Span
from common.ploidy import Ploidy, Stretch
from few_reads import with_few
from gvcf_blocks import DEPTH_BANDS, GvcfWriter

Sites = dict[int, tuple[int, tuple[int, ...]]]  # the depth of each, and its likelihoods of two copies

CONTIG_BP = 400
# Of each record: sites before it without reads, sites, reads, the reads' evidence against others, and an error.
RECORDS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1]),
        st.integers(1, 4),
        st.sampled_from([0, 1, 5, 11, 12, 13, 14, 19, 20, 39, 40, 41, 900]),
        st.integers(30, 60),
        st.booleans(),
    ),
    max_size=40,
)
STRETCHES = st.sampled_from([[], [Stretch("c", 3, 11, 1), Stretch("c", 20, 25, 0)], [Stretch("c", 0, CONTIG_BP, 1)]])


def pileup(records: list[tuple[int, int, int, int, bool]]) -> tuple[list[str], Sites]:
    """Return records of mpileup, and the depth and likelihoods of two copies at each of their sites."""
    lines: list[str] = []
    sites: Sites = {}
    start = 0
    for gap, length, depth, evidence, error in records:
        start += gap
        end = start + (1 if error else length)
        both = (0, evidence, 3 * evidence)
        if error:
            values = f"0,{evidence},{3 * evidence},{evidence + 9},{3 * evidence + 1},{3 * evidence + 2}"
            columns = f"G,<*>\t0\t.\tDP={depth};I16=1\tPL:DP:SP:AD\t{values}:{depth}:0:{depth},1,0"
        else:
            end_of = f"END={end};" if end > start + 1 else ""
            columns = f"<*>\t.\t.\t{end_of}MIN_DP={depth};QS=1,0\tPL:DP\t{','.join(map(str, both))}:{depth}"
        lines.append(f"c\t{start + 1}\t.\tA\t{columns}\n")
        sites.update(dict.fromkeys(range(start, end), (depth, both)))
        start = end
    return lines, sites


def expected_blocks(sites: Sites, ploidy: Ploidy, own: Span) -> list[str]:
    """Return the blocks: sites that touch, of one number of copies and one band, cut at the unit."""

    def run(place: tuple[int, int]) -> tuple[int, int, int]:
        number, site = place
        return site - number, ploidy.at("c", site), bisect_right(DEPTH_BANDS, sites[site][0])

    blocks = []
    for (_, copies, _), group in groupby(enumerate(sites), run):
        covered = [site for _, site in group]
        depth = min(sites[site][0] for site in covered)
        phred = [min(values) for values in zip(*(sites[site][1] for site in covered), strict=True)]
        start, end = max(covered[0], own.start), min(covered[-1] + 1, own.end)
        if copies and start < end:
            genotype = "/".join(("0" if depth else ".") * copies)
            texts = map(str, phred if copies > 1 else [phred[0], phred[2]])
            info = f"END={end};MIN_DP={depth};QS=1,0\tGT:PL:DP\t{genotype}:{','.join(texts)}:{depth}"
            blocks.append(f"c\t{start + 1}\t.\tA\t<*>\t.\t.\t{info}\n")
    return blocks


@given(records=RECORDS, stretches=STRETCHES, start=st.integers(0, 20), length=st.integers(1, CONTIG_BP))
def test_a_block_has_the_sites_of_one_band_and_their_least_values(
    records: list[tuple[int, int, int, int, bool]], stretches: list[Stretch], start: int, length: int
) -> None:
    lines, sites = pileup(records)
    own, ploidy = Span("c", start, start + length), Ploidy(2, stretches)
    written: list[str] = []
    candidates: list[str] = []
    writer = GvcfWriter(Ownership((own,)), ploidy, gvcf=written.append, sites=candidates.append, base=lambda *_: "A")
    writer.write(lines)
    assert written == expected_blocks(sites, ploidy, own)
    assert not candidates


@given(
    records=RECORDS,
    stretches=STRETCHES,
    start=st.integers(0, 20),
    length=st.integers(1, CONTIG_BP),
    places=st.sets(st.integers(0, 60), max_size=8),
)
def test_an_indel_of_few_reads_stands_in_the_place_of_its_base_in_a_block(
    records: list[tuple[int, int, int, int, bool]],
    stretches: list[Stretch],
    start: int,
    length: int,
    places: set[int],
) -> None:
    lines, sites = pileup(records)
    own, ploidy = Span("c", start, start + length), Ploidy(2, [one for one in stretches if one.copies == 1])
    indels = [f"c\t{place + 1}\t.\tA\tAC\t0\t.\tINDEL;FEW;DP=2\tPL:DP\t60,0,50:2\n" for place in sorted(places)]
    written: list[str] = []
    candidates: list[str] = []
    writer = GvcfWriter(Ownership((own,)), ploidy, gvcf=written.append, sites=candidates.append, base=lambda *_: "A")
    writer.write(with_few(lines, indels, ["c"]))
    assert not candidates
    starts = [int(line.split("\t")[1]) - 1 for line in written]
    assert starts == sorted(starts)
    of_few = {place for place, line in zip(starts, written, strict=True) if "FEW" in line}
    assert of_few == {place for place in places if own.start <= place < own.end}
    covered: dict[int, tuple[int, ...]] = {}
    for place, line in zip(starts, written, strict=True):
        if place not in of_few or "FEW" not in line:
            end = int(line.split("END=")[1].split(";")[0])
            phred = tuple(map(int, line.rstrip().split("\t")[-1].split(":")[1].split(",")))
            assert place < end
            assert not covered.keys() & set(range(place, end))
            covered.update(dict.fromkeys(range(place, end), phred))
    expected = {site for site in sites if own.start <= site < own.end}
    if stretches:  # a block that ends with the number of copies is written before
        assert expected - of_few <= covered.keys() <= expected
    else:
        assert covered.keys() == expected - of_few
    for site, phred in covered.items():
        assert all(one <= each for one, each in zip(phred[-1:], sites[site][1][-1:], strict=True))

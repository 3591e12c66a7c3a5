"""Columns and sums of samples at sites, from lines of gVCFs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from gvcf_records import Allele, Place, Site, site_of
from sample_columns import Part, SampleColumns

BASES = "ACGTTTTTCA" * 3
I16 = "1,1,1,1,60,1800,60,1800,120,7200,120,7200,30,450,30,450"


def base(_: str, pos: int) -> str:
    return BASES[pos - 1]


def block(start: int, end: int, phred: str = "0,60,255", depth: int = 20) -> str:
    return f"c\t{start}\t.\t{base('c', start)}\t<*>\t.\t.\tEND={end};MIN_DP={depth};QS=1,0\tPL:DP\t{phred}:{depth}\n"


def snp(pos: int, alt: str, phred: str = "60,0,60,66,66,120") -> str:
    info = f"DP=4;I16={I16};QS=0.5,0.5,0"
    return f"c\t{pos}\t.\t{base('c', pos)}\t{alt},<*>\t0\t.\t{info}\tPL:DP:SP:AD\t{phred}:4:3:2,2,0\n"


def indel(pos: int, ref: str, alt: str, phred: str = "60,0,60") -> str:
    info = f"INDEL;DP=4;I16={I16};QS=0.25,0.75"
    return f"c\t{pos}\t.\t{ref}\t{alt}\t0\t.\t{info}\tPL:DP:SP:AD\t{phred}:4:5:2,2\n"


def site(pos: int, *alleles: tuple[str, str], is_indel: bool = False) -> Site:
    return site_of(Place("c", pos, is_indel), [Allele(*one) for one in alleles])


def parts(sites: list[Site], *samples: list[str]) -> list[Part]:
    columns = SampleColumns(sites)
    for lines in samples:
        columns.add(lines, base)
    return list(columns.parts())


def column(one: Site, *lines: str) -> str:
    return parts([one], list(lines))[0].columns


def test_a_site_has_the_column_of_its_block_over_its_alleles() -> None:
    lines = [block(1, 4), block(5, 9, "0,30,200", 10)]
    assert column(site(4, ("T", "C")), *lines) == "0,60,255:20:.:20,0"
    assert column(site(5, ("T", "C"), ("T", "G")), *lines) == "0,30,200,30,200,200:10:.:10,0,0"
    assert column(site(10, ("A", "C")), *lines) == "0,0,0:0:.:0,0"  # behind the last block
    assert column(site(3, ("G", "C")), *lines[1:]) == "0,0,0:0:.:0,0"  # before the first
    assert column(site(3, ("G", "C"))) == "0,0,0:0:.:0,0"


def test_an_indel_says_nothing_of_the_base_before_it_which_has_a_block() -> None:
    lines = [block(1, 4, "0,42,180"), indel(4, "TTTT", "TTT"), block(5, 9)]
    assert column(site(4, ("T", "C")), *lines) == "0,42,180:20:.:20,0"
    lines = [snp(4, "C"), indel(4, "TTTT", "TTT"), block(5, 9)]
    assert column(site(4, ("T", "C")), *lines) == "60,0,60:4:3:2,2"


def test_a_record_without_a_block_is_reads_of_the_reference_to_other_kinds_of_variants() -> None:
    assert column(site(4, ("T", "C")), indel(4, "TTTT", "TTT")) == "0,12,148:4:.:4,0"
    assert column(site(4, ("TT", "T"), is_indel=True), snp(4, "C")) == "0,12,148:4:.:4,0"


def test_of_two_records_of_a_place_the_one_with_more_evidence_counts() -> None:
    wanted = site(3, ("GT", "G"), is_indel=True)  # both are moved there
    less, more = indel(4, "TTTT", "TTT", "20,0,60"), indel(5, "TTT", "TT", "90,0,60")
    assert column(wanted, less, more) == column(wanted, more) == "90,0,60:4:5:2,2"
    assert column(wanted, less.replace("20,0,60", "95,0,60"), more) == "95,0,60:4:5:2,2"


def test_sums_are_those_of_all_samples() -> None:
    sites = [site(2, ("C", "A")), site(4, ("T", "C"), ("T", "G"))]
    samples = [[block(1, 9)], [block(1, 3), snp(4, "C")], [block(1, 1), block(4, 9, "0,0,0", 0)]]
    first, second = parts(sites, *samples)
    assert first.sums.split(",") == ["40", *["0"] * 16, "2", "0"]
    assert second.sums.split(",") == ["24", *I16.split(","), "1.5", "0.5", "0"]
    assert second.columns.split("\t")[1] == "60,0,60,66,66,120:4:3:2,2,0"

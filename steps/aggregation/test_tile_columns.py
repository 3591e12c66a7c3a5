"""Rows of a tile, from lines of gVCFs."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from cohort_sites import joined
from evidence import Limits
from gvcf_records import Allele, Place, Site, site_of
from packed_samples import Packed, decompressed, encoded, unpacked
from packing import Packing
from tile_columns import NUMBER, SiteRow, TileColumns
from tile_evidence import evidence_of_group
from tiles import Tile

BASES = "ACGTTTTTCA" * 3
I16 = "1,1,1,1,60,1800,60,1800,120,7200,120,7200,30,450,30,450"
LIMITS = Limits(20, 2, 25, 0.02, 0.05)
TILE = Tile("c", 2, 30, 30)


class Row(NamedTuple):
    """A site's row: its sums, and the samples' columns, PL:DP:SP:AD."""

    sums: list[str]
    columns: list[str]


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


def packed(*samples: Sequence[str]) -> Packed:
    packing = Packing(TILE)
    for lines in samples:
        packing.add(lines, base)
    return packing.packed()


def rows(sites: list[Site], *groups: Packed) -> list[Row]:
    samples = sum(len(group.records) for group in groups)
    columns = TileColumns(TILE, sites, samples)
    place = 0
    for group in groups:
        columns.add(group, range(place, place + len(group.records)))
        place += len(group.records)
    return [shown(row) for row in columns.rows()]


def shown(row: SiteRow) -> Row:
    fields, numbers = row.record, row.record.samples[NUMBER][:, 0]
    info = {name: value for name, value in fields.info.items() if name != "INDEL"}
    sums = [f"{name}={','.join(f'{one:g}' for one in np.atleast_1d(value))}" for name, value in info.items()]
    values = [fields.samples["PL"].tolist(), *(row.values[name][numbers].tolist() for name in ("DP", "SP", "AD"))]
    unknown = np.iinfo(row.values["SP"].dtype).min
    columns = [
        ":".join(",".join("." if one == unknown else str(one) for one in value) for value in of_sample)
        for of_sample in zip(*values, strict=True)
    ]
    assert len({*zip(columns, numbers.tolist(), strict=True)}) == len(set(columns))
    return Row(sums, columns)


def column(one: Site, *lines: str) -> str:
    return rows([one], packed(lines))[0].columns[0]


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
    first, second = rows(sites, packed(*samples))
    assert first.sums == ["DP=40", f"I16={','.join('0' * 16)}", "QS=2,0"]
    assert second.sums == ["DP=24", f"I16={I16}", "QS=1.5,0.5,0"]
    assert second.columns[1] == "60,0,60,66,66,120:4:3:2,2,0"
    assert rows(sites, packed(*samples[:2]), packed(*samples[2:])) == [first, second]


def test_a_packed_group_is_the_same_after_encoding_and_of_some_samples_as_if_they_were_packed_alone() -> None:
    rng = random.Random(3)
    samples = [random_lines(rng) for _ in range(12)]
    whole = unpacked(decompressed(encoded(packed(*samples))))
    for one, other in zip(whole, packed(*samples), strict=True):
        np.testing.assert_array_equal(one, other)
    found = evidence_of_group(whole, TILE, LIMITS)
    assert found == joined(evidence_of_group(packed(lines), TILE, LIMITS) for lines in samples)
    sites = [site(place.pos, allele, is_indel=place.indel) for place, allele in sorted(found)]
    sites = [one for one, before in zip(sites, [None, *sites], strict=False) if before is None or one[0] != before[0]]
    picks = [1, 4, 5, 11]
    assert rows(sites, whole.only(picks)) == rows(sites, packed(*(samples[pick] for pick in picks)))
    assert len(sites) > 5


def random_lines(rng: random.Random) -> list[str]:
    """Return lines of a gVCF with blocks, SNPs and deletions, and places without any."""
    lines, pos = [], 1
    while pos <= len(BASES) - 4:
        kind = rng.random()
        if kind < 0.2:
            lines.append(snp(pos, rng.choice([one for one in "ACGT" if one != base("c", pos)])))
        elif kind < 0.3:
            lines.append(indel(pos, BASES[pos - 1 : pos + 2], base("c", pos)))
        elif kind < 0.9:
            lines.append(block(pos, pos := min(pos + rng.randrange(4), len(BASES)), depth=rng.randrange(3)))
        pos += 1
    return lines

"""The ploidy of known assemblies at the borders of their regions, and of files in the format of bcftools."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.ploidy import DIPLOID, Ploidy, known_rules, parse_ploidy, read_rules
from common.program import BadInput

# The last position before, and the first one of, each pseudoautosomal region of X, and the lengths of X and Y.
ASSEMBLIES = {
    "GRCh37": (155270560, 59373566, [(60001, 2699520), (154931044, 155260560)]),
    "GRCh38": (156040895, 57227415, [(10001, 2781479), (155701383, 156030895)]),
    "T2T-CHM13": (154259566, 62460029, [(1, 2394410), (153925835, 154259566)]),
    "GRCm38": (171031299, 91744698, [(169969759, 170931299)]),
    "GRCm39": (169476592, 91455967, [(168752755, 169376592)]),
}


@pytest.mark.parametrize("prefix", ["", "chr"])
@pytest.mark.parametrize("name", ASSEMBLIES)
def test_x_is_haploid_in_xy_but_for_its_pseudoautosomal_regions(name: str, prefix: str) -> None:
    x_length, y_length, regions = ASSEMBLIES[name]
    x, y = f"{prefix}X", f"{prefix}Y"
    rules = known_rules({f"{prefix}1": 1000, x: x_length, y: y_length, "other": 5})
    man, woman, unknown = (rules.of(sex) for sex in ("XY", "XX", "NA"))
    for first, last in regions:
        assert {man.at(x, pos - 1) for pos in (first, last)} == {2}
        assert {man.at(x, pos - 1) for pos in (first - 1, last + 1) if 1 <= pos <= x_length} <= {1}
    assert man.at(x, x_length // 2) == man.at(y, 0) == man.at(y, y_length - 1) == 1
    assert {woman.at(x, pos) for pos in (0, x_length // 2)} == {2}
    assert woman.at(y, 0) == woman.at(y, y_length - 1) == 0
    assert unknown.stretches == ()
    assert {man.at(contig, 3) for contig in (f"{prefix}1", "other")} == {2}
    assert sum(one.end - one.start for one in man.stretches if one.contig == x) == x_length - sum(
        last - first + 1 for first, last in regions
    )


@pytest.mark.parametrize(("contig", "length"), [("MT", 16569), ("chrM", 16569), ("chrM", 16571), ("MT", 16299)])
def test_mitochondria_are_haploid_of_everyone(contig: str, length: int) -> None:
    for sex in ("XX", "XY", "NA"):
        assert known_rules({contig: length}).of(sex).text() == f"2,{contig}:1-{length}=1"


@pytest.mark.parametrize("contigs", [{"chrX": 1000, "chrY": 500, "chrM": 300}, {"X1": 156040895}, {"1": 16569}])
def test_contigs_of_other_names_or_lengths_are_diploid(contigs: dict[str, int]) -> None:
    rules = known_rules(contigs)
    assert [rules.of(sex).text() for sex in ("XX", "XY", "NA")] == ["2", "2", "2"]
    assert not rules.depend_on_sex


def test_a_file_decides_by_sex_and_what_both_sexes_share_is_of_everyone(tmp_path: Path) -> None:
    file = tmp_path / "ploidy.txt"
    file.write_text("#c\nZ 1 50 F 1\nW 1 20 M 0\nW 1 20 F 1\nMT 1 9 M 1\nMT 1 9 F 1\nother 1 9 F 1\n* * * F 2\n")
    rules = read_rules(str(file), {"Z": 80, "W": 20, "MT": 9, "A": 5})
    assert rules.of("XX").text() == "2,MT:1-9=1,W:1-20=1,Z:1-50=1"
    assert rules.of("XY").text() == "2,MT:1-9=1,W:1-20=0"
    assert rules.of("XY").absent() == "W:1-20"
    assert rules.of("NA").text() == "2,MT:1-9=1"
    file.write_text("* * * M 1\n* * * F 1\n")
    assert [read_rules(str(file), {}).of(sex).others for sex in ("XX", "XY", "NA")] == [1, 1, 1]
    file.write_text("* * * M 1\n")
    assert [read_rules(str(file), {}).of(sex).others for sex in ("XX", "XY", "NA")] == [2, 1, DIPLOID]


@pytest.mark.parametrize("text", ["X 1 2 M\n", "X 1 2 Q 1\n", "X a 2 M 1\n", "\x00"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ploidy.txt"
    file.write_text(text)
    with pytest.raises(BadInput, match="expected lines CHROM FROM TO SEX PLOIDY"):
        read_rules(str(file), {"X": 9})


def test_text_and_table_are_those_of_every_stretch() -> None:
    ploidy = parse_ploidy("2,HLA-A*01:01:4-9=1,X:1-5=0")
    assert ploidy.text() == "2,HLA-A*01:01:4-9=1,X:1-5=0"
    assert ploidy.table("XX") == "HLA-A*01:01 4 9 XX 1\nX 1 5 XX 0\n* * * XX 2\n"
    assert [ploidy.at("X", pos) for pos in (0, 4, 5)] == [0, 0, 2]
    for start in range(12):
        for end in range(start + 1, 13):
            parts = list(ploidy.parts("HLA-A*01:01", start, end))
            bases = [(pos, one.copies) for one in parts for pos in range(one.start, one.end)]
            assert bases == [(pos, ploidy.at("HLA-A*01:01", pos)) for pos in range(start, end)]
    assert Ploidy(1).text() == "1"

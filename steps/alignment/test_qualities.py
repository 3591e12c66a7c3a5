"""The encoding of qualities: what is taken for Phred+33, what for Phred+64, and its conversion."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from common.program import BadInput
from fastq import Reads, parse_records
from fastq_file import FastqFile
from qualities import Evidence, evidence, refuse_late_phred64, refuse_phred64, to_phred33

# The step's process leaves its files open until its end.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def fastq(path: Path, *qualities: str) -> FastqFile:
    path.write_text("".join(f"@r{n}\n{'A' * len(q)}\n+\n{q}\n" for n, q in enumerate(qualities)))
    return FastqFile(str(path))


def reads(*qualities: str) -> Reads:
    return parse_records("".join(f"@r\n{'A' * len(q)}\n+\n{q}\n" for q in qualities).encode(), "x.fastq", 1)


@pytest.mark.parametrize(
    "qualities",
    [
        ["IIII"],
        ["KKKK"],
        ["~~~~"],  # HiFi, Q93
        ["~~~I"],
        ["MNOPQRSTU"],  # Q44 to Q52
        ["SSSS"],  # Q50, assemblies and simulators
        ["]]]]"],  # Q60
        ["FFFF", "F:FF"],
        ["hhhh", "#hhh"],
        ["jjjj"],
        ["hhhh"] * 1500 + ["###h"],  # beyond the first look
        [""],
        ["BBBB"] * 20,
    ],
    ids=lambda value: f"{value[0]}-{len(value)}",
)
def test_phred33(qualities: list[str], tmp_path: Path) -> None:
    file = fastq(tmp_path / "a.fastq", *qualities)
    refuse_phred64(file)
    assert file.take(len(qualities)).count(b"\n") == 4 * len(qualities)  # nothing was taken before


@pytest.mark.parametrize(
    ("qualities", "span"),
    [
        (["hhhgB"], "'B' to 'h' in the first 1 records"),
        ([";hhh"], "';' to 'h' in the first 1 records"),
        (["iiii"], "'i' to 'i' in the first 1 records"),
        (["BBB^"], "'B' to '^' in the first 1 records"),
        (["hhhg"] * 2000, "'g' to 'h' in the first 2000 records"),
    ],
)
def test_phred64_is_refused(qualities: list[str], span: str, tmp_path: Path) -> None:
    file = fastq(tmp_path / "a.fastq", *qualities)
    with pytest.raises(BadInput) as error:
        refuse_phred64(file)
    assert str(error.value) == (
        f"{file.path}: record 1: expected Phred+33 qualities, found {span}, as in Phred+64: "
        "set quality_encoding=phred64 to convert them, or phred33 to take them as they are"
    )


def test_windows_line_ends_are_no_qualities(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_bytes(b"@r\r\nAA\r\n+\r\nhh\r\n")
    with pytest.raises(BadInput, match="found 'h' to 'h'"):
        refuse_phred64(FastqFile(str(path)))


def test_the_whole_file_decides_at_its_end() -> None:
    seen = Evidence.NONE
    for part in (b"BBBB", b"BBBh"):
        seen |= evidence(part)
    with pytest.raises(BadInput, match=r"a\.fastq: expected Phred\+33 qualities, found none below ';' or above 'i'"):
        refuse_late_phred64("a.fastq", seen)
    refuse_late_phred64("a.fastq", seen | evidence(b"#"))


@given(st.lists(st.integers(0, 41), min_size=1, max_size=50))
def test_phred64_is_converted(scores: list[int]) -> None:
    converted = to_phred33(reads("".join(chr(64 + score) for score in scores)), "a.fastq", 1)
    assert [code - 33 for code in converted.qualities[0]] == scores


def test_negative_qualities_of_solexa_become_zero() -> None:
    assert to_phred33(reads(";<=>?@A"), "a.fastq", 1).qualities == [b'!!!!!!"']


def test_what_phred64_does_not_have_is_refused() -> None:
    with pytest.raises(
        BadInput, match=r"a\.fastq: record 6: expected Phred\+64 .*, found '#'; set quality_encoding=phr"
    ):
        to_phred33(reads("hhh", "h#h"), "a.fastq", 5)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_only_what_may_be_phred64_is_taken_for_it(text: str) -> None:
    if evidence(text.encode()).is_phred64:
        assert min(text) >= ";"
        assert "^" <= max(text) <= "i"

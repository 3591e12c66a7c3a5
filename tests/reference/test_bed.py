"""BED files against a reference: all problems with their lines, whatever the compression and the size."""

from __future__ import annotations

import bz2
import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.model import budgets
from genomics_pipeline.reference.bed import bed_problems, read_bed
from genomics_pipeline.stores.local import LocalStore

CONTIGS = {"chr1": 100, "chr2": 50, "HLA-A*01:01": 20}
FIELDS = "expected contig, start and end between tabs, found"


def problems(path: Path, data: bytes) -> list[str]:
    path.write_bytes(data)
    return [str(one).removeprefix(f"{path}:").strip() for one in bed_problems(str(path), LocalStore(), CONTIGS)]


GOOD = [
    b"chr1\t0\t100\n",
    b"chr1\t0\t100",
    b"chr1 0 1\nchr2 49 50\n",
    b"chr1\t0\t1\tname\t0\t+\n",
    b"track name=x\nbrowser position chr1\n#comment\n\n  \nchr2\t1\t2\n",
    b"#chr9\t1\t2\nchr2\t1\t2\r\nchr1\t1\t2\r\n",
    b"HLA-A*01:01\t0\t20\n",
]


@pytest.mark.parametrize("data", GOOD)
@pytest.mark.parametrize("name", ["a.bed", "a.bed.gz", "a.bgz", "a"])
@pytest.mark.parametrize("compressed", [False, True])
def test_good_files_have_no_problem_whatever_their_name(
    tmp_path: Path, data: bytes, name: str, compressed: bool
) -> None:
    assert problems(tmp_path / name, gzip.compress(data) if compressed else data) == []
    assert all(start < end for _, start, end in read_bed(str(tmp_path / name), LocalStore()))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", ["expected regions (contig, start and end between tabs), found none"]),
        (b"#only\ntrack x\n", ["expected regions (contig, start and end between tabs), found none"]),
        (b"chr1\t5\n", [f"1: {FIELDS} 'chr1\\t5'"]),
        (b"chr1\ta\tb\n", [f"1: {FIELDS} 'chr1\\ta\\tb'"]),
        (b"chr1\t-1\t5\n", [f"1: {FIELDS} 'chr1\\t-1\\t5'"]),
        (b"chr1\t1.5\t5\n", [f"1: {FIELDS} 'chr1\\t1.5\\t5'"]),
        ("chr1\t١\t5\n".encode(), [f"1: {FIELDS} 'chr1\\t١\\t5'"]),
        (b"chr1\t1\t" + b"9" * 5000, [f"1: {FIELDS} 'chr1\\t1\\t{'9' * 53}'"]),
        (b"chr1\t\xff\xfe\t5\n", [f"1: {FIELDS} 'chr1\\t\\\\xff\\\\xfe\\t5'"]),
        (b"chr1\t5\t5\n", ["1: expected 0 <= start < end <= 100, the length of chr1, found 5 and 5"]),
        (b"chr1\t6\t5\n", ["1: expected 0 <= start < end <= 100, the length of chr1, found 6 and 5"]),
        (b"chr2\t0\t51\n", ["1: expected 0 <= start < end <= 50, the length of chr2, found 0 and 51"]),
        (b"1\t0\t5\n", ["1: expected a contig of the reference, found '1'; did you mean 'chr1'?"]),
        (b"chrX\t0\t5\n", ["1: expected a contig of the reference, found 'chrX'; did you mean 'chr2'?"]),
        (
            b"#\nchr1\t0\t5\nchr1\t9\t8\nchr1\t0\t5\nx\n",
            ["3: expected 0 <= start < end <= 100, the length of chr1, found 9 and 8", f"5: {FIELDS} 'x'"],
        ),
        (gzip.compress(b"chr1\t0\t5\n" * 999)[:-20], None),
        (b"\x1f\x8b garbage", None),
        (bz2.compress(b"chr1\t0\t5\n"), None),
        (b"\x00" * 100, [f"1: {FIELDS} {chr(0) * 60!r}"]),
    ],
)
def test_each_problem_has_its_line(tmp_path: Path, data: bytes, found: list[str] | None) -> None:
    shown = problems(tmp_path / "a.bed", data)
    if found is None:
        assert len(shown) == 1
        assert "expected a whole gzip file" in shown[0] or "expected a plain or gzip file" in shown[0]
    else:
        assert shown == found


def test_many_problems_are_cut_off(tmp_path: Path) -> None:
    shown = problems(tmp_path / "a.bed", b"x\n" * 5000)
    assert len(shown) == budgets.BED_ERRORS.value + 1
    assert shown[-1] == "100: found 100 errors up to here; the rest was not checked"


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    data = gzip.compress(b"chr1\t0\t5\n" + b"A" * (budgets.BED_LINE.value + 70_000))
    (shown,) = problems(tmp_path / "a.bed", data)
    assert shown == "2: expected lines of at most 1 MiB, found a longer one; is this a BED file?"


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "BED_SIZE", replace(budgets.BED_SIZE, value=3 << 20))
    shown = problems(tmp_path / "a.bed", gzip.compress(b"chr1\t0\t5\n" * 500_000))
    assert len(shown) == 1
    assert shown[0].endswith("expected a BED file of at most 3 MiB, decompressed, found more")

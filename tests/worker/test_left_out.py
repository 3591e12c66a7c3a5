"""The processor time that a program says reads took which it left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomics_pipeline.worker.left_out import read_left_out


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1.25\n", 1.25), ("1e9", 10), ("much", 0), ("", 0), ("nan", 0), ("inf", 10), ("-1", 0), ("\udcff", 0)],
)
def test_a_number_is_read_and_all_else_is_nothing(tmp_path: Path, text: str, seconds: float) -> None:
    file = tmp_path / "left-out.txt"
    assert read_left_out(file, 10) == 0
    file.write_text(text, errors="surrogateescape")
    assert read_left_out(file, 10) == seconds


def test_anything_in_its_place_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "left-out.txt").mkdir()
    assert read_left_out(tmp_path / "left-out.txt", 10) == 0

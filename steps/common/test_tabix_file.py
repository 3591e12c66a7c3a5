"""Files that are read by region, with either kind of index."""

from __future__ import annotations

from pathlib import Path

import pysam
import pytest

from common.tabix_file import open_tabix

LINE = "c\t1000\t.\tA\tC\t.\t.\tx=\u00e9"


@pytest.mark.parametrize("csi", [False, True])
def test_lines_are_found_by_either_index(tmp_path: Path, csi: bool) -> None:
    path = str(tmp_path / "x.vcf.gz")
    with pysam.BGZFile(path, "wb", index=None) as out:
        out.write(f"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{LINE}\n".encode())
    pysam.tabix_index(path, preset="vcf", csi=csi)
    with open_tabix(path) as lines:
        assert list(lines.fetch("c", 900, 1100)) == [LINE]


def test_programs_open_such_files_in_no_other_way() -> None:
    steps = Path(__file__).resolve().parents[1]
    programs = [file for file in steps.rglob("*.py") if not file.name.startswith("test_")]
    assert [file.name for file in programs if "pysam.TabixFile(" in file.read_text("utf-8")] == ["tabix_file.py"]

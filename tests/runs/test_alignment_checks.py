"""Checks of BAM and CRAM files by their beginnings, as `manifest validate --check-files` does them."""

from __future__ import annotations

from pathlib import Path

import pysam
import pytest

from genomics_pipeline.runs.alignment_checks import alignment_problem
from genomics_pipeline.stores.local import LocalStore

STORE = LocalStore({})


@pytest.fixture
def bam(tmp_path: Path) -> str:
    path = str(tmp_path / "a.bam")
    header = {"HD": {"VN": "1.6"}, "RG": [{"ID": "1", "SM": "s1"}, {"ID": "2", "PL": "ILLUMINA", "SM": "s1"}]}
    with pysam.AlignmentFile(path, "wb", header=header):
        return path


def test_the_sample_of_a_bam_file(bam: str) -> None:
    assert alignment_problem(bam, "bam", "s1", STORE) is None
    advice = "give the sample that name in the sheet, or rename it with `samtools reheader`"
    expected = f"expected read groups of sample s2 (SM), found s1; {advice}"
    assert alignment_problem(bam, "bam", "s2", STORE) == expected


def test_files_of_other_formats(bam: str, tmp_path: Path) -> None:
    fastq, empty = tmp_path / "a.fq", tmp_path / "empty.cram"
    fastq.write_text("@r1\nA\n+\nF\n")
    empty.touch()
    found = {path: alignment_problem(str(path), kind, "s1", STORE) for path, kind in ((fastq, "bam"), (empty, "cram"))}
    assert found[fastq] == "expected a BAM file, found a file that begins with b'@r1\\n'"
    assert found[empty] == "expected a CRAM file, found an empty file"
    Path(bam).write_bytes(Path(bam).read_bytes()[:30])
    assert "ended before the end" in str(alignment_problem(bam, "bam", "s1", STORE))

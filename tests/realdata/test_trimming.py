"""Trimming of real reads: those that are aligned are those that the command `cutadapt` writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pysam
import pytest

from tests.realdata.conftest import SHARED

SET = SHARED / "data" / "na12878-chr20-hg19-100kb"
ADAPTER = "CTGTCTCTTATA"  # of Nextera


def run(*argv: str | Path) -> None:
    process = subprocess.run([sys.executable, "-m", *map(str, argv)], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("first", sorted(SET.glob("*_R1.fastq.gz")), ids=lambda file: file.name)
def test_reads_are_those_of_the_command(first: Path, tmp_path: Path) -> None:
    pytest.importorskip("cutadapt", reason="no wheel of cutadapt for this machine")
    files = [first, first.with_name(first.name.replace("_R1", "_R2"))]
    outputs = [tmp_path / "1.fastq", tmp_path / "2.fastq"]
    options = ("-a", ADAPTER, "-A", ADAPTER, "--nextseq-trim", "20", "-q", "30", "-m", "90")
    report = tmp_path / "report.json"
    run("cutadapt", "--quiet", "--json", report, *options, "-o", outputs[0], "-p", outputs[1], *files)
    given = {"adapters": "nextera", "nextseq_trim": 20, "quality_cutoff": 30, "minimum_length": 90}
    words = [word for name, value in given.items() for word in ("--param", f"{name}={value}")]
    run(
        "genomics_pipeline",
        "step",
        "alignment",
        *files,
        "--reference",
        SET / "reference.fa.gz",
        "--out",
        tmp_path / "out",
        *words,
    )
    (bam,) = (tmp_path / "out").rglob("*.md.bam")
    expected: Counter[tuple[str, bool, str, str]] = Counter()
    for output, is_second in zip(outputs, (False, True), strict=True):
        with pysam.FastxFile(str(output)) as reads:
            expected.update(
                (str(one.name).removesuffix("/1").removesuffix("/2"), is_second, str(one.sequence), str(one.quality))
                for one in reads
            )
    with pysam.AlignmentFile(str(bam)) as file:
        found = Counter(
            (str(one.query_name), one.is_read2, str(one.get_forward_sequence()), qualities(one))
            for one in file.fetch(until_eof=True)
            if not one.is_secondary and not one.is_supplementary
        )
    assert found == expected
    (own,) = (tmp_path / "out").rglob("*.cutadapt.json")
    ours, theirs = json.loads(own.read_text()), json.loads(report.read_text())
    assert ours["read_counts"]["filtered"]["too_short"] > 0
    for key in ("read_counts", "basepair_counts", "adapters_read1", "adapters_read2"):
        assert ours[key] == theirs[key]


def qualities(read: pysam.AlignedSegment) -> str:
    scores = read.get_forward_qualities()
    return "" if scores is None else pysam.array_to_qualitystring(scores) or ""

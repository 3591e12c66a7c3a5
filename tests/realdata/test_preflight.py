"""The pipeline preflight over all real FASTQ files: each of them can be used, and is judged so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.realdata.conftest import SHARED


def test_all_real_files_can_be_used(tmp_path: Path) -> None:
    rows, files = ["sample,lane,fastq_1,fastq_2"], list[str]()
    for number, first in enumerate(sorted((SHARED / "data").rglob("*_R1.fastq.gz")), 1):
        second = first.with_name(first.name.replace("_R1.", "_R2."))
        rows.append(f"S{number},L1,{first},{second}")
        files += [str(first), str(second)]
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("\n".join(rows) + "\n")
    argv = [sys.executable, "-m", "genomics_pipeline", "run", str(sheet), "--pipeline", "preflight", "--out"]
    ended = subprocess.run([*argv, str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = [json.loads(line) for line in (tmp_path / "out/results/preflight.jsonl").read_text().splitlines()]
    assert [one["file"] for one in found] == files
    assert len(files) >= 20
    assert {(one["encoding"], one["layout"]) for one in found} == {("phred33", "paired")}
    assert {one["end"] for one in found} <= {"whole", "no BGZF end"}

"""The example of docs/records.md: its files make a run, whose results are as it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/records.md"
BLOCK = re.compile(r"`([\w/]+\.(?:toml|py))`[^`]*```(?:toml|python)\n(.*?)```", re.DOTALL)


def test_the_example_runs(tmp_path: Path) -> None:
    """Write the files of the page, and run its command."""
    files = dict(BLOCK.findall(PAGE.read_text()))
    assert set(files) == {"score/step.toml", "score/score.py", "payments.toml"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "day.jsonl").write_text('{"id": 7, "amount": 1250}\n{"id": 8}\n{"id": 9, "amount": 2}\n')
    command = "run day.jsonl --pipeline payments.toml --out day"
    assert f"genomics-pipeline {command}\n" in PAGE.read_text()
    argv = [sys.executable, "-m", "genomics_pipeline", *command.split()]
    ended = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert json.loads((tmp_path / "day/results/score.jsonl").read_text()) == {"id": 7, "amount": 1250}
    assert "2\tscore\tbad_input\texpected an amount, found none" in (tmp_path / "day/failures.tsv").read_text()

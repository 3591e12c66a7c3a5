"""Sizes of alignments that a plan learns from a pilot of a tenth of the reads, beside those of the whole run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LENGTH = 60_000


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_a_pilot_tells_the_size_of_alignments(command: Callable[..., Any], tmp_path: Path, kind: str) -> None:
    """In proportion to the reads, BAM would be 1.4 times too large, and CRAM 1.2 times."""
    cohort = tmp_path / "cohort"
    command("simulate", "--out", cohort, "--samples", "1", "--length", str(LENGTH), "--depth", "30")
    inputs = [cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--pipeline", "germline-single"]
    inputs += ["--param", "alignment.format=cram"] if kind == "cram" else []  # runs here write BAM by themselves
    for out, options in (("pilot", ["--subsample", "0.1"]), ("whole", [])):
        ended = command("run", *inputs, "--out", tmp_path / out, *options)
        assert ended.returncode == 0, ended.stderr
    ended = command("plan", *inputs, "--here", "--history", tmp_path / "pilot", "--json")
    planned = next(one for one in json.loads(ended.stdout)["timeline"] if one["stage"] == "alignment")
    record = json.loads((tmp_path / "whole/steps/alignment/sample1/step.json").read_text())
    made = sum(file["size_bytes"] for one in record["outputs"].values() for file in (one, *one["indexes"]))
    assert planned["output_bytes"] == pytest.approx(made, rel=0.11)

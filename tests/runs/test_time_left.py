"""The time that a run of a shipped pipeline is expected to take, for the bar of a terminal."""

from __future__ import annotations

from pathlib import Path

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.engine.events import JobEnded, JobStarted
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.time_left import expected_time


def test_the_time_of_a_shipped_pipeline_is_known_from_its_first_job_on(cohort: Path, tmp_path: Path) -> None:
    request = LocalRunRequest(str(cohort / "cohort.csv"), str(cohort / "reference.fa"), tmp_path / "run")
    left = expected_time(request, adapters())
    assert left is not None
    assert left.share(0) == 0
    assert 0 < left.seconds(0).low < left.seconds(0).high
    left.take(JobStarted("j", "n", "d", 1, 4096, 0.0, "alignment", "Sample", 0), 0)
    left.take(JobEnded("j", "n", "d", 0, None, 10.0, "alignment", "Sample", 0), 10)
    assert 0 < left.share(10) < 0.25
    assert left.seconds(10).middle > 10

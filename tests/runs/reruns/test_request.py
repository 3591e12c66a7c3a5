"""The changes that a rerun may make to its run."""

from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.reruns.request import RerunRequest, changes


def test_a_rerun_has_the_stages_of_its_run() -> None:
    pipeline, _ = load_pipeline("germline")
    kept = changes(RerunRequest(parameters=["annotation.phase=s"]), pipeline)
    assert kept.parameters == {"annotation": {"phase": "s"}}
    expected = (
        "--param annotation.gff3: expected a parameter that does not decide which stages run; start the run again"
    )
    with pytest.raises(UsageError, match=expected):
        changes(RerunRequest(parameters=["annotation.gff3=/genes.gff3"]), pipeline)

"""The table of outputs lists exactly the files that the pipeline `germline` publishes."""

from __future__ import annotations

import re
from pathlib import Path

from genomics_pipeline.runs.catalog import load_pipeline

PAGE = Path(__file__).parents[2] / "docs" / "outputs.md"


def test_the_page_lists_every_output() -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    pipeline, _ = load_pipeline("germline")
    published = [
        f"{stage.publish[name]}/{spec.path}".replace("{format}", "bam")
        for stage in pipeline.stages
        for name, spec in stage.step.outputs.items()
    ]
    assert sorted(listed) == sorted(published)

"""The page of parameters is what `make docs` makes of the files of the pipelines and steps."""

from __future__ import annotations

from pathlib import Path

from genomics_pipeline.report.parameters_page import parameters_page
from genomics_pipeline.runs.list_pipelines import shipped_pipelines, shipped_steps

PAGE = Path(__file__).parents[2] / "docs" / "parameters.md"


def test_the_page_is_that_of_the_files_of_pipelines_and_steps() -> None:
    assert PAGE.read_text() == parameters_page(shipped_pipelines(), shipped_steps()), "run `make docs`"

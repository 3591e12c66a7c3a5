"""Shipped steps and pipelines: their files are checked here, and not again when they are loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.runs.catalog import load_pipeline, load_step, pipeline_names, shipped_folder, step_names
from genomics_pipeline.worker.step_folder import read_step


@pytest.mark.parametrize("name", step_names())
def test_files_of_shipped_steps_fit_the_schema(name: str) -> None:
    assert read_step(shipped_folder("steps") / name) == load_step(name)


@pytest.mark.parametrize("name", pipeline_names())
def test_files_of_shipped_pipelines_fit_the_schema_and_the_limits_of_aws(name: str, tmp_path: Path) -> None:
    file = Path(shutil.copy(shipped_folder("pipelines") / f"{name}.toml", tmp_path))
    shipped, copied = load_pipeline(name)[0], load_pipeline(str(file))[0]
    assert shipped.is_shipped
    assert copied == replace(shipped, is_shipped=False)
    assert canonical_json(generate(copied)) == canonical_json(generate(shipped))


@pytest.mark.parametrize(
    ("name", "copies"), [("germline.toml", "pipelines"), ("gather/step.toml", "steps")], ids=["pipeline", "step"]
)
def test_copies_of_shipped_files_are_checked(name: str, copies: str, tmp_path: Path) -> None:
    folder = tmp_path / copies
    shutil.copytree(shipped_folder(copies), folder)
    (folder / name).write_text("wrong = 1\n" + (folder / name).read_text())
    with pytest.raises(DataError, match=r"toml:1:wrong: unknown key 'wrong'"):
        load_pipeline(str(folder / name)) if copies == "pipelines" else load_step(str((folder / name).parent))


def test_shipped_files_are_loaded_without_the_library_for_schemas() -> None:
    code = """
import sys
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.runs.catalog import load_pipeline
generate(load_pipeline("germline")[0])
assert "jsonschema" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)

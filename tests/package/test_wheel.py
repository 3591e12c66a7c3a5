"""The wheel holds everything that a run needs: steps, pipelines and schemas, without the checkout, and no tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from genomics_pipeline.runs.catalog import step_names

SHIPPED = ("steps", "pipelines", "manifests", "containers")
ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str | Path, **variables: str) -> str:
    """Return the output of `python ARGUMENTS`, run outside of the checkout."""
    process = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=variables.pop("cwd", None),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def zipped_files(wheel: Path) -> set[str]:
    """Return the files of the package in a wheel."""
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if name.startswith("genomics_pipeline/")}


def package_files() -> set[str]:
    """Return the files of the checkout that belong into the package, by their names in it: all but tests."""
    files = {
        file.relative_to(ROOT).as_posix()
        for folder in ("genomics_pipeline", *SHIPPED)
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith("test_")
    }
    return {name if name.startswith("genomics_pipeline/") else f"genomics_pipeline/shipped/{name}" for name in files}


def test_an_installed_wheel_finds_its_steps_and_pipelines(tmp_path: Path) -> None:
    python("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("genomics_pipeline-*.whl")
    assert zipped_files(wheel) == package_files()
    site = tmp_path / "site"
    python("-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", site, wheel)
    code = "from genomics_pipeline.runs import catalog; print(catalog.__file__, *catalog.step_names())"
    where, *steps = python("-P", "-c", code, cwd=str(tmp_path), PYTHONPATH=str(site)).split()
    assert Path(where).is_relative_to(site)
    assert steps == step_names()
    definition = ("-P", "-m", "genomics_pipeline", "definition", "germline")
    installed = python(*definition, cwd=str(tmp_path), PYTHONPATH=str(site))
    assert installed == python(*definition, cwd=str(tmp_path))

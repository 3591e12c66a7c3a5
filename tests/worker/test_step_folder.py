"""The files of a step's program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.runs.catalog import load_step, step_names
from genomics_pipeline.worker.step_folder import read_step

STEP = """
name = "count"
version = "1.0.0"
summary = "Counts"
command = ["{python}", "{step_dir}/count.py", "{task}"]
common = true
[inputs.reads]
type = "reads"
[outputs.count]
path = "{sample}.txt"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a step's folder, and ``common`` beside it."""
    files = {
        "steps/count/step.toml": STEP,
        "steps/count/count.py": "",
        "steps/count/test_count.py": "",
        "steps/common/tally.py": "one = 1\n",
        "steps/common/__pycache__/tally.pyc": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "steps" / "count"


def test_common_is_part_of_a_step_that_declares_it(folder: Path) -> None:
    step = read_step(folder)
    assert [name for name, _ in step.files] == ["common/tally.py", "count.py", "step.toml"]
    (folder.parent / "common/tally.py").write_text("one = 2\n")
    assert read_step(folder).digest != step.digest


def test_a_step_that_does_not_declare_common_has_only_its_own_files(folder: Path) -> None:
    (folder / "step.toml").write_text(STEP.replace("common = true\n", ""))
    step = read_step(folder)
    assert [name for name, _ in step.files] == ["count.py", "step.toml"]
    shutil.rmtree(folder.parent / "common")
    assert read_step(folder) == step


def test_in_an_image_common_is_within_the_step_and_the_digest_is_the_same(folder: Path, tmp_path: Path) -> None:
    step = read_step(folder)
    for name, file in step.files:
        target = tmp_path / "image/step" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    in_image = read_step(tmp_path / "image/step")
    assert (in_image.digest, [name for name, _ in in_image.files]) == (step.digest, [name for name, _ in step.files])


def test_missing_common_folder(folder: Path) -> None:
    shutil.rmtree(folder.parent / "common")
    with pytest.raises(DataError) as error:
        read_step(folder)
    expected = f"expected the folder {folder.parent / 'common'}, which common = true declares, found none"
    assert str(error.value) == f"{folder / 'step.toml'}: {expected}"


@pytest.mark.parametrize("name", step_names())
def test_shipped_steps_import_common_and_declare_it(name: str) -> None:
    step = load_step(name)
    imports = any("from common." in file.read_text() for _, file in step.files if file.suffix == ".py")
    assert imports == step.spec.common == any(file.startswith("common/") for file, _ in step.files)

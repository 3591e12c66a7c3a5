"""Bad inputs of the corpus, each of which must end its command with exactly the message beside it.

`manifests`, `pipelines`, `steps`, `faults` and `fastq` hold the inputs; NAME.expected is the message about NAME,
byte by byte, without the paths of folders.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main

HERE = Path(__file__).parent
PIPELINE_OF_ONE_STEP = """\
name = "tiny"
summary = "One step of one's own"

[[stages]]
name = "mine"
step = "./mine"
scope = "sample"
inputs = {}
publish = "mine/{sample}"
"""


def inputs(kind: str) -> list[Path]:
    return sorted(file for file in (HERE / kind).iterdir() if file.suffix != ".expected")


def case_name(file: Path) -> str:
    return file.stem


def expected_output(file: Path) -> str:
    return file.with_suffix(".expected").read_text("utf-8")


def error_output(argv: Sequence[str], folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Return the standard error of a command that must fail because of its data."""
    with pytest.raises(SystemExit) as end:
        main(list(argv))
    out, err = capfd.readouterr()
    assert (end.value.code, out) == (1, "")
    return err.replace(f"{folder}/", "")


@pytest.mark.parametrize("sheet", inputs("manifests"), ids=case_name)
def test_manifest(sheet: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert error_output(["manifest", "validate", str(sheet)], sheet.parent, capfd) == expected_output(sheet)


@pytest.mark.parametrize("pipeline", inputs("pipelines"), ids=case_name)
def test_pipeline(pipeline: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert error_output(["definition", str(pipeline)], pipeline.parent, capfd) == expected_output(pipeline)


@pytest.mark.parametrize("step", inputs("steps"), ids=case_name)
def test_step(step: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    shutil.copy(step, tmp_path / "mine" / "step.toml")
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(PIPELINE_OF_ONE_STEP)
    assert error_output(["definition", str(pipeline)], tmp_path, capfd) == expected_output(step)


@pytest.mark.parametrize("faults", inputs("faults"), ids=case_name)
def test_faults(faults: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("sample,fastq_1\nsample1,1.fastq\nsample2,2.fastq\n")
    for name in ("1.fastq", "2.fastq", "ref.fa"):
        (tmp_path / name).write_text("@r\nA\n+\nI\n")
    argv = [
        "run",
        str(sheet),
        "--reference",
        str(tmp_path / "ref.fa"),
        "--out",
        str(tmp_path / "run"),
        "--inject",
        str(faults),
    ]
    assert error_output(argv, faults.parent, capfd) == expected_output(faults)
    assert not (tmp_path / "run").exists()


def test_every_input_has_its_message_and_every_message_its_input() -> None:
    for kind in ("manifests", "pipelines", "steps", "faults"):
        names = [file.stem for file in inputs(kind)]
        assert len(set(names)) == len(names), f"two inputs of one name in {kind}"
        assert sorted(names) == sorted(file.stem for file in (HERE / kind).glob("*.expected"))


def test_the_corpus_is_large() -> None:
    assert len(inputs("manifests")) >= 22
    assert len(inputs("pipelines")) >= 14
    assert len(inputs("steps")) >= 14
    assert len(inputs("faults")) >= 14

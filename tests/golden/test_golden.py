"""Definitions byte by byte: `genomics-pipeline definition` prints the files of this folder.

A change of the generator changes these files, so that it is seen in review. They are renewed only on request:

    GENOMICS_PIPELINE_RENEW_GOLDEN=1 python -m pytest tests/golden
    git diff tests/golden

With the variable, the tests write the files and fail, so that it is not left set.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main

HERE = Path(__file__).parent
SHIPPED = ("amplicon", "annotate", "germline", "germline-lowpass", "germline-single", "joint", "preflight")
OWN = ("around", "batched", "cohort", "gathered", "records", "records-in-parts")
PIPELINES = {
    **{name: name for name in SHIPPED},
    **{name: str(HERE / f"{name}.toml") for name in OWN},
}


def print_definition(pipeline: str, capfd: pytest.CaptureFixture[str]) -> bytes:
    with pytest.raises(SystemExit) as end:
        main(["definition", pipeline])
    out, err = capfd.readouterr()
    assert (end.value.code, err) == (0, "")
    return out.encode()


@pytest.mark.parametrize("name", PIPELINES)
def test_the_definition_is_the_golden_file(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    definition = print_definition(PIPELINES[name], capfd)
    assert print_definition(PIPELINES[name], capfd) == definition
    golden = HERE / f"{name}.json"
    if os.environ.get("GENOMICS_PIPELINE_RENEW_GOLDEN"):
        golden.write_bytes(definition)
        pytest.fail(f"{golden} was renewed: read the difference, and run without GENOMICS_PIPELINE_RENEW_GOLDEN")
    assert definition.decode() == golden.read_text("utf-8"), (
        f"{golden}: see the docstring of this module on how to renew it"
    )
    assert definition == golden.read_bytes()


def test_every_golden_file_has_its_pipeline() -> None:
    assert sorted(path.stem for path in HERE.glob("*.json")) == sorted(PIPELINES)


def test_the_definition_does_not_depend_on_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert print_definition(str(HERE / "cohort.toml"), capfd) == (HERE / "cohort.json").read_bytes()
    monkeypatch.chdir(HERE)
    assert print_definition("./cohort.toml", capfd) == (HERE / "cohort.json").read_bytes()

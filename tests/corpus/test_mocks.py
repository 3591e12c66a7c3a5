"""Bad mock files of the corpus, each of which must end `execute` with exactly the message beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main

HERE = Path(__file__).parent / "mocks"
FILES = sorted(HERE.glob("*.json"))
TASK = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}
MACHINE = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": TASK}}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_mock_file(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    definition = tmp_path / "machine.json"
    definition.write_text(json.dumps(MACHINE))
    with pytest.raises(SystemExit) as end:
        main(["execute", str(definition), "--mock", str(file), "--json"])
    out, err = capfd.readouterr()
    assert (end.value.code, out) == (2, "")
    assert err.replace(f"{HERE}/", "") == file.with_suffix(".expected").read_text("utf-8")


def test_every_input_has_its_message_and_every_message_its_input() -> None:
    assert [file.stem for file in FILES] == sorted(file.stem for file in HERE.glob("*.expected"))
    assert len(FILES) >= 26

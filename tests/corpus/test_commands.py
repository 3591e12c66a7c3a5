"""Mistakes in command lines of the corpus, each of which must end its command with exactly the message beside it.

NAME.toml in `commands` has the arguments and the files of their folder; NAME.expected the exit code and the message,
byte by byte, without the path of the folder. Nothing is written, and no request leaves this machine.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main

COMMANDS = Path(__file__).with_name("commands")
RENEW = "GENOMICS_PIPELINE_RENEW_GOLDEN" in os.environ


def written(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


@pytest.mark.parametrize("case", sorted(COMMANDS.glob("*.toml")), ids=lambda case: case.stem)
def test_command(
    case: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    for name, value in {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(work)
    declared = tomllib.loads(case.read_text("utf-8"))
    for name, content in declared.get("files", {}).items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(content)
    before = written(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(list(declared["argv"]))
    out, err = capfd.readouterr()
    assert out == ""
    message = f"exit {end.value.code}\n{err.replace(f'{work}/', '')}"
    expected = case.with_suffix(".expected")
    if RENEW:
        expected.write_text(message)
    assert message == expected.read_text("utf-8")
    assert end.value.code in (1, 2)
    assert written(tmp_path) == before

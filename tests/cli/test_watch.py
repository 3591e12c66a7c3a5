"""`genomics-pipeline watch`: the commands that it starts, and its exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def test_a_run_that_fails_is_told_once(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cohort.csv").write_text("sample,fastq_1\na,none.fq\n")
    arguments = (
        "watch",
        "in",
        "--once",
        "--settle",
        "0",
        "--",
        "run",
        "--reference",
        "none.fa",
        "--out",
        "runs/{name}",
    )
    ended = cli(*arguments)
    assert ended.code == 1
    sheet = tmp_path / "in" / "cohort.csv"
    name = "cohort-763dd90ae79a"
    assert f"{sheet}: run begins as {name}\n" in ended.err
    assert f"error: {sheet}:2:fastq_1: sample a" in ended.err
    assert ended.err.endswith(f"to start it again, remove {tmp_path}/in/.started/{name}.json\n")
    again = cli(*arguments)
    assert (again.code, again.err) == (0, "")


def test_wrong_options_of_the_command_end_the_watch(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohort.csv").write_text("sample,fastq_1\na,none.fq\n")
    arguments = ["watch", ".", "--once", "--settle", "0", "--", "run", "--out", "{name}"]
    ended = cli(*arguments, "--nothing")
    assert ended.code == 2
    assert "No such option '--nothing'" in ended.err
    assert not (tmp_path / ".started").exists()
    ended = cli(*arguments, "--params-file", "{name}.toml")  # of a name that is known only now
    assert ended.code == 2
    assert "`run` does not accept its options; nothing was started" in ended.err
    assert not list((tmp_path / ".started").iterdir())


def test_a_command_is_needed(cli: Cli, tmp_path: Path) -> None:
    ended = cli("watch", str(tmp_path))
    assert (ended.code, ended.err) == (
        2,
        "error: expected `run` or `submit` and its options after --, found nothing\n",
    )

"""Fixtures of runs: a small simulated cohort, and commands as a user runs them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_server import command_server

Ended = subprocess.CompletedProcess[str]
Command = Callable[..., Ended]


@pytest.fixture(scope="session")
def command() -> Iterator[Command]:
    """Yield `command(*arguments)`, which runs `genomics-pipeline ARGUMENTS` in a process of its own."""
    with command_server() as server:
        yield lambda *arguments: server.run([str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def cohort(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a cohort of four samples over 12 kb."""
    folder = tmp_path_factory.mktemp("simulated") / "cohort"
    ended = command("simulate", "--out", folder, "--samples", "4", "--length", "12000", "--depth", "20")
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="session")
def run(command: Command, cohort: Path) -> Callable[..., dict[str, Any]]:
    """Return `run(out, *options, sheet=…)`, which returns the ``--json`` summary of a run that must succeed."""

    def call(out: Path, *options: str, sheet: Path | None = None) -> dict[str, Any]:
        ended = command(
            "run",
            sheet or cohort / "cohort.csv",
            "--reference",
            cohort / "reference.fa",
            "--out",
            out,
            "--json",
            *options,
        )
        assert ended.stdout, ended.stderr
        summary: dict[str, Any] = json.loads(ended.stdout)
        assert summary["status"] == "SUCCEEDED", ended.stderr
        assert ended.returncode == (0 if summary["complete"] else 1)
        return summary

    return call

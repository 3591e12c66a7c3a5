"""`genomics-pipeline doctor`: a whole tiny run on this installation."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.runs.local import doctor

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_everything_is_there(command: Command) -> None:
    ended = command("doctor", "--json")
    report = json.loads(ended.stdout)
    assert ended.returncode == 0, report
    assert report["ok"] is True
    assert report["checks"][-1]["name"] == "one tiny sample"
    assert report["checks"][-1]["found"].startswith("FASTQ to joint VCF in ")


def test_what_is_missing_is_named_and_does_not_stop_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(doctor, "LIBRARIES", ("no-such-library",))
    monkeypatch.setattr(doctor, "LEAST_FREE_GIB", 1 << 40)
    folder = tmp_path_factory.mktemp("doctor")
    ports = replace(adapters(), cache=folder / "cache")
    checks = {check.name: check for check in doctor.check_all(folder, ports)}
    assert not checks["no-such-library"].ok
    assert not checks["disk"].ok
    assert checks["one tiny sample"].ok

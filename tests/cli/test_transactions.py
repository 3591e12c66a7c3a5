"""The pipeline transactions: alerts about simulated fraud, each once however often the run is killed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.runs.catalog import shipped_folder
from genomics_pipeline.simulation.transactions.folder import simulate_transactions
from tests.cli.conftest import Ended

# Kills the run at the first call with each of some records, before the answer of the batch.
KILLER = """
import os
import signal
from pathlib import Path

_detect = handle


def handle(batch):
    answer = _detect(batch)
    for record in batch.records:
        mark = Path({folder!r}, record["id"])
        if record["id"] in {ids!r} and not mark.exists():
            mark.touch()
            os.kill(int(Path({folder!r}, "pid").read_text()), signal.SIGKILL)
            signal.pause()
    return answer
"""
START = "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); os.execv(sys.executable, sys.argv[2:])"


@pytest.fixture
def payments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder of a simulation, which is the current one, and return it."""
    monkeypatch.chdir(simulate_transactions(tmp_path / "pay", records=3000, files=1, accounts=600, seed=11).folder)
    return Path.cwd()


def alerts(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "results/transactions.jsonl").read_text().splitlines()]


def test_alerts_name_the_fraud(cli: Callable[..., Ended], payments: Path) -> None:
    file = "transactions/000000.jsonl"
    profiles = "transactions.profiles=profiles.json"
    assert cli("run", file, "--pipeline", "transactions", "--param", profiles, "--out", "day").code == 0
    victims = {json.loads(line)["account"] for line in (payments / "truth.jsonl").read_text().splitlines()}
    found = alerts(payments / "day")
    assert len(victims & {one["account"] for one in found}) >= 0.7 * len(victims)
    assert all(one["reasons"] and 0.5 <= float(str(one["score"])) <= 1 for one in found)
    missing = cli("run", file, "--pipeline", "transactions", "--out", "other")
    assert (missing.code, "transactions.profiles" in missing.err) == (2, True)


def test_each_alert_is_there_once_however_often_the_run_is_killed(payments: Path, tmp_path: Path) -> None:
    ids = [f"T{number:010d}" for number in (5, 1333, 2999)]
    kills = tmp_path / "kills"
    kills.mkdir()
    step = shutil.copytree(shipped_folder("steps") / "transactions", tmp_path / "steps/transactions")
    text = (shipped_folder("pipelines") / "transactions.toml").read_text()
    text = text.replace("items_per_batch = 1000", "items_per_batch = 100").replace('step = "', 'step = "./steps/')
    (tmp_path / "monitor.toml").write_text(text)

    def run(out: str) -> int:
        command = ["-m", "genomics_pipeline", "run", "transactions/000000.jsonl", "--out", out, "--resume"]
        command += ["--pipeline", str(tmp_path / "monitor.toml"), "--param", "transactions.profiles=profiles.json"]
        command += ["--cpus", "2"]  # with more, two batches may kill the run at once
        started = [sys.executable, "-c", START, str(kills / "pid"), sys.executable, *command]
        return subprocess.run(started, capture_output=True, check=False).returncode

    assert run("undisturbed") == 0
    program = step / "detect.py"
    program.write_text(program.read_text() + KILLER.format(folder=str(kills), ids=ids))
    codes = [run("killed")]
    while codes[-1] == -signal.SIGKILL and len(codes) < 10:
        codes.append(run("killed"))
    assert codes == [-signal.SIGKILL] * len(ids) + [0]
    assert alerts(payments / "killed") == alerts(payments / "undisturbed")
    named = [(one["account"], *map(str, list(one["transactions"]))) for one in alerts(payments / "killed")]  # type: ignore[call-overload]
    assert len(named) == len(set(named)) > 5

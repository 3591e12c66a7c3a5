"""`kill -9` of a run over records: after resumption, each record has its result once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.small_functions import write_function, write_pipeline

# The engine is killed by the first environment that sees the record 50, in the middle of the run.
KILLER = """
import pathlib, signal, psutil

def handle(batch):
    with open({begun!r}, "a") as begun:
        begun.write(batch.digest + "\\n")
    marker = pathlib.Path({marker!r})
    if any(record["id"] == 50 for record in batch.records) and not marker.exists():
        marker.write_text("killed")
        # Its parent is the process from which environments are forked.
        [each for each in psutil.Process().parents() if "genomics_pipeline" in each.cmdline()][-1].kill()
        signal.pause()
    return [record["id"] for record in batch.records]
"""
ECHO = """
def handle(batch):
    return [record["id"] for record in batch.records]
"""
KILLS, RECORDS = 50, 1_000_000


def write_records(file: Path, number: int) -> None:
    """Write records with ids."""
    with file.open("w") as out:
        out.writelines(f'{{"id":{one},"text":"{"x" * 80}"}}\n' for one in range(number))


def command(folder: Path) -> list[str]:
    """Return the command of the run, which resumes it."""
    argv = [sys.executable, "-m", "genomics_pipeline", "run", str(folder / "day.jsonl")]
    return [*argv, "--pipeline", str(folder / "sums.toml"), "--out", str(folder / "out"), "--resume", "--json"]


def ids(out: Path) -> Counter[int]:
    """Return how often each record has a result."""
    return Counter(map(int, (out / "results/score.jsonl").read_text().split()))


def test_a_killed_run_is_resumed_without_repeated_or_lost_results(tmp_path: Path) -> None:
    """Check that each record has one result after the process of the engine was killed, with its environments."""
    write_function(tmp_path / "score", KILLER.format(marker=str(tmp_path / "marker"), begun=str(tmp_path / "begun")))
    write_pipeline(tmp_path)
    write_records(tmp_path / "day.jsonl", 100)
    killed = subprocess.run([*command(tmp_path), "--cpus", "2"], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    resumed = subprocess.run([*command(tmp_path), "--cpus", "1"], capture_output=True, text=True, check=False)
    assert resumed.returncode == 0
    assert 34 < len((tmp_path / "begun").read_text().split()) <= 37  # what ran when it was killed runs again
    assert json.loads(resumed.stdout)["complete"]
    assert ids(tmp_path / "out") == Counter(range(100))


@pytest.mark.badluck
def test_fifty_kills_lose_and_repeat_no_result(tmp_path: Path) -> None:
    """Kill a run over a million records after random processor times of its engine, until it ends."""
    write_function(tmp_path / "score", ECHO)
    write_pipeline(tmp_path, settings="items_per_batch = 1000")
    write_records(tmp_path / "day.jsonl", RECORDS)
    moments, killed, printed = random.Random(50), 0, tmp_path / "printed.txt"
    while killed < KILLS:
        limit = partial(signal.setitimer, signal.ITIMER_PROF, moments.uniform(0.5, 1.5))
        with printed.open("wb") as out:
            process = subprocess.Popen(
                command(tmp_path), start_new_session=True, stdout=out, stderr=out, preexec_fn=limit
            )
        if process.wait() == -signal.SIGPROF:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        else:
            assert process.returncode == 0, printed.read_text()
            assert ids(tmp_path / "out") == Counter(range(RECORDS))
            shutil.rmtree(tmp_path / "out")  # it came to its end between two kills: begin again
    ended = subprocess.run(command(tmp_path), capture_output=True, check=False)
    assert ended.returncode == 0
    assert ids(tmp_path / "out") == Counter(range(RECORDS))


def test_a_killed_rerun_is_resumed(tmp_path: Path) -> None:
    """Check that the rerun continues as another process, and ends the run without repeated results."""
    fails = "def handle(batch):\n    raise KeyError(1)\n"
    write_function(tmp_path / "score", fails)
    write_pipeline(tmp_path, settings="items_per_batch = 3\ntolerated_failure_count = 1000")
    write_records(tmp_path / "day.jsonl", 60)
    assert subprocess.run(command(tmp_path), capture_output=True, check=False).returncode == 1
    write_function(tmp_path / "score", KILLER.format(marker=str(tmp_path / "marker"), begun=str(tmp_path / "begun")))
    rerun = [sys.executable, "-m", "genomics_pipeline", "rerun", str(tmp_path / "out"), "--json"]
    assert subprocess.run(rerun, capture_output=True, check=False).returncode == -signal.SIGKILL
    refused = subprocess.run([*rerun, "--class", "tool_error"], capture_output=True, text=True, check=False)
    assert "finish it first" in refused.stderr
    resumed = subprocess.run(rerun, capture_output=True, text=True, check=False)
    assert resumed.returncode == 0
    assert json.loads(resumed.stdout)["complete"]
    assert ids(tmp_path / "out") == Counter(range(60))

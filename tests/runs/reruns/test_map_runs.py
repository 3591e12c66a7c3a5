"""Runs whose samples several Map Runs divide among them: `map_runs` in the pipeline's file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs.conftest import Command
from tests.runs.reruns.test_rerun import ALL, GOOD, Here
from tests.small_project import SmallProject

TOLD = {"pipeline.svg", "report.html", "timeline.json", "trace.tsv"}
TWO = f"{ALL}\nmap_runs = 2"


@pytest.fixture
def here(project: SmallProject, command: Command) -> Here:
    return Here(project, command)


def results(run: Path) -> dict[str, bytes]:
    """Return the result files by name, but for those that tell of the times and the definition of the run."""
    return {
        path.name: path.read_bytes() for path in run.rglob("results/**/*") if path.is_file() and path.name not in TOLD
    }


def test_two_map_runs_do_what_one_does(here: Here) -> None:
    def begin(settings: str, *options: str) -> None:
        here.begin(settings, *options, a=GOOD, b="bad", c=2 * GOOD, d=3 * GOOD, e="worse")

    begin(ALL)
    one = results(here.run)
    begin(TWO, "--out", str(here.folder / "two"))
    here.run = here.folder / "two"
    assert results(here.run) == one
    parts = [(here.run / f"parts/{number}/manifest.jsonl").read_text().splitlines() for number in (1, 2)]
    assert [[json.loads(line)["sample"] for line in part] for part in parts] == [["a", "c", "e"], ["b", "d"]]

    (state,) = here.status()["map_runs"]
    assert [state[name] for name in ("label", "status", "total", "succeeded", "failed")] == [
        "Sample",
        "SUCCEEDED",
        5,
        3,
        2,
    ]
    assert sorted(part["total"] for part in state["parts"]) == [2, 3]

    here.reads(b=GOOD, e=4 * GOOD)
    assert here.rerun()["rerun"]["first"] == ["e", "b"]
    assert here.total() == [[1], [1], [2], [3], [4]]
    (state,) = here.status()["map_runs"]
    assert [state[name] for name in ("total", "succeeded", "failed")] == [5, 5, 0]


def test_a_run_of_fewer_samples_than_map_runs(here: Here) -> None:
    here.begin(f"{ALL}\nmap_runs = 7", a=GOOD)
    assert here.total() == [[1]]
    assert not (here.run / "parts").exists()


def test_each_map_run_tolerates_its_share(here: Here) -> None:
    here.begin("tolerated_failure_count = 2\nmap_runs = 2", a="bad", b=GOOD, c="bad", d=GOOD, code=1)
    assert here.status()["status"] == "FAILED"  # one of each; the first Map Run has two
    here.reads(a=GOOD)
    here.rerun(code=1)
    assert here.total() == [[1], [1], [1]]


def _kill(here: Here, process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _cancel(here: Here, process: subprocess.Popen[str]) -> None:
    code, _, stderr = here.says("cancel", here.run, "--yes")
    assert code == 0, stderr
    assert process.wait() == 130


@pytest.mark.parametrize("end", [_kill, _cancel])
def test_a_run_that_ended_in_both_map_runs_continues(
    here: Here, end: Callable[[Here, subprocess.Popen[str]], None]
) -> None:
    """The first sample of one Map Run and the second of the other are done when the process ends."""
    samples = {"a": GOOD, "b": "slow", "c": "slow", "d": 3 * GOOD, "e": "slow"}
    arguments = here.argv(TWO, "", samples, "--cpus", "8", "--jobs", "5")
    argv = [sys.executable, "-m", "genomics_pipeline", *map(str, arguments)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        awaited = {"counting a: done", "counting d: done"}
        for line in process.stderr:
            awaited = {words for words in awaited if not line.startswith(words)}
            if not awaited:
                break
        end(here, process)
    status = here.status()
    assert status["status"] in ("INTERRUPTED", "ABORTED")
    (state,) = status["map_runs"]
    assert (state["total"], len(state["parts"])) == (5, 2)

    here.reads(b=2 * GOOD, c=4 * GOOD, e="bad")
    code, out, stderr = here.says(*arguments, "--resume", "--json")
    assert code == 1, stderr  # lacks e
    assert json.loads(out)["steps"]["run"] == 3  # b, c and the total: neither a nor d
    assert here.total() == [[1], [2], [4], [3]]
    (state,) = here.status()["map_runs"]
    assert [state[name] for name in ("status", "total", "succeeded", "failed")] == ["SUCCEEDED", 5, 4, 1]
    here.reads(e=GOOD)
    assert here.rerun()["rerun"]["first"] == ["e"]
    assert sorted(here.total()) == [[1], [1], [2], [3], [4]]

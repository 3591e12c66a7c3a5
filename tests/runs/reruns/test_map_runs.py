"""Runs whose samples several Map Runs divide among them: `map_runs` in the pipeline's file."""

from __future__ import annotations

import json

import pytest

from tests.runs.conftest import Command
from tests.runs.reruns.test_rerun import ALL, GOOD, Here
from tests.small_project import SmallProject

TWO = f"{ALL}\nmap_runs = 2"


@pytest.fixture
def here(project: SmallProject, command: Command) -> Here:
    return Here(project, command)


def test_two_map_runs_do_what_one_does(here: Here) -> None:
    def begin(settings: str, *options: str) -> None:
        here.begin(settings, *options, a=GOOD, b="bad", c=2 * GOOD, d=3 * GOOD, e="worse")

    begin(ALL)
    one = {path.name: path.read_bytes() for path in here.run.rglob("results/**/*") if path.is_file()}
    begin(TWO, "--out", str(here.folder / "two"))
    here.run = here.folder / "two"
    assert {path.name: path.read_bytes() for path in here.run.rglob("results/**/*") if path.is_file()} == one
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

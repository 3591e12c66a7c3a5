"""A stage over the results of all records: `run`, `status`, `results`, `rerun` and `--resume` on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended
from tests.small_functions import write_function, write_pipeline

SCORE = """
from pathlib import Path


def handle(batch):
    for index, record in enumerate(batch.records):
        if record["amount"] is None:
            batch.fail(index, "no amount")
        elif record["amount"] < 0:
            raise ValueError("a debt")
    kept = [record["amount"] for record in batch.records if record["amount"] is not None]
    Path(batch.output("amounts")).write_text("".join(f"{one}\\n" for one in kept))
    return {"least": min(kept, default=0), "sum": sum(kept)}
"""
JOIN = """
from pathlib import Path


def handle(gathered):
    parts = sorted(gathered.results(), key=lambda one: one.value["least"])
    with Path(gathered.output("table")).open("wb") as out:
        for one in parts:
            file = gathered.file(one.files["amounts"])
            out.write(file.read(0, file.size_bytes))
    return {"sum": sum(one.value["sum"] for one in parts), "missing": gathered.missing}
"""
STEP = """name = "join"
version = "1"
summary = "Amounts of all records"
program = "join.py"
inputs.sums = {{ type = "results"{missing} }}
outputs.table.path = "amounts.txt"
resources = {{ runtime = "lambda", memory_mib = 256 }}
"""
STAGE = """
[[stages]]
name = "join"
step = "./join"
scope = "gather"
inputs = { sums = "score.result" }
publish = "joined"
"""
# The engine is killed by the function that gathers, when it is called first.
KILLER = """
import pathlib, signal, psutil

def handle(gathered):
    marker = pathlib.Path({marker!r})
    if not marker.exists():
        marker.write_text("killed")
        [each for each in psutil.Process().parents() if "genomics_pipeline" in each.cmdline()][-1].kill()
        signal.pause()
    pathlib.Path(gathered.output("table")).write_text("joined")
    return sum(one.value["sum"] for one in gathered.results())
"""
Cli = Callable[..., Ended]
RUN = ("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out")


def write_join(folder: Path, program: str = JOIN, missing: str = "") -> None:
    (folder / "join").mkdir(exist_ok=True)
    (folder / "join/join.py").write_text(program)
    (folder / "join/step.toml").write_text(STEP.format(missing=missing))


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the steps and the pipeline, and return the folder, which is the current one."""
    write_function(tmp_path / "score", SCORE, more='[outputs.amounts]\npath = "amounts.txt"')
    write_join(tmp_path)
    pipeline = write_pipeline(tmp_path, settings="items_per_batch = 2")
    pipeline.write_text(pipeline.read_text() + STAGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_records(*amounts: Any) -> None:
    Path("day.jsonl").write_text("".join(json.dumps({"amount": one}) + "\n" for one in amounts))


def gathered(folder: Path) -> Any:
    """Return the line of the stage's results."""
    return json.loads((folder / "out/results/join.jsonl").read_text())


def test_results_and_files_of_all_batches_are_gathered(cli: Cli, day: Path) -> None:
    write_records(1, 2, 3, 4, 5)
    ended = cli(*RUN, "--json")
    assert ended.code == 0, ended.err
    out = day / "out"
    assert json.loads(ended.out)["files"] == {str(out / "results/joined/amounts.txt"): 10}
    assert (out / "results/joined/amounts.txt").read_text() == "1\n2\n3\n4\n5\n"
    assert gathered(day) == {"sum": 15, "missing": 0}
    assert f"results: {out}/results/joined/amounts.txt (10 bytes)" in cli(*RUN[:-1], "other").out.replace(
        "other", "out"
    )
    assert len(list(out.glob("steps/score/batches/*/amounts.txt"))) == 3
    assert f"{out}/results/joined/amounts.txt  10 bytes" in cli("results", "out").out
    cli("results", "out", "--download", "here")
    assert (day / "here/joined/amounts.txt").read_text() == "1\n2\n3\n4\n5\n"


def test_records_without_a_result_are_run_first(cli: Cli, day: Path) -> None:
    """A rerun gathers the results of all executions; one of a class leaves the others missing."""
    write_records(1, 2, -3, 4, None, 6)
    ended = cli(*RUN)
    assert ended.code == 1
    expected = "join: DataError: expected a result of every record, found that 3 records have none; rerun them first"
    assert f"error: {expected}" in ended.out
    assert not (day / "out/results/joined").exists()
    program = SCORE.replace("raise ValueError", "record['amount'] = 3; continue; raise ValueError")
    (day / "score/score.py").write_text(program)
    again = cli("rerun", "out", "--class", "tool_error")
    assert again.code == 1
    assert "found that 1 record has none" in again.out
    (day / "score/score.py").write_text(program.replace("batch.fail(index", "record['amount'] = 5; (index"))
    assert cli("rerun", "out").code == 0
    assert (day / "out/results/joined/amounts.txt").read_text() == "1\n2\n3\n4\n5\n6\n"
    assert gathered(day) == {"sum": 21, "missing": 0}
    assert "nothing to rerun" in cli("rerun", "out").out


def test_records_may_be_missing_where_the_step_says_so(cli: Cli, day: Path) -> None:
    write_join(day, missing=", missing = true")
    write_records(1, 2, -3, 4, None, 6)
    assert cli(*RUN, "--tolerate", "3").code == 0
    assert gathered(day) == {"sum": 9, "missing": 3}


def test_a_stage_that_failed_alone_runs_again_alone(cli: Cli, day: Path) -> None:
    write_join(day, "def handle(gathered):\n    raise ValueError('no space')\n")
    write_records(1, 2, 3)
    ended = cli(*RUN)
    assert ended.code == 1
    assert "error: join: ValueError: no space" in ended.out
    assert "FAILED" in cli("status", "out").out
    planned = cli("rerun", "out", "--dry-run")
    assert "out-2 would run only the stage that gathers; nothing was written or started" in planned.out
    (day / "score/score.py").write_text("raise RuntimeError('it runs again')\n")
    write_join(day)
    assert cli("rerun", "out").code == 0
    assert gathered(day) == {"sum": 6, "missing": 0}


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("pass", "ProgramMisfit: output table: expected a file at batch.output('table'), found none"),
        ("gathered.output('tables')", 'KeyError: "batch.output: expected one of the outputs of step.toml (table)'),
        ("return {1}", "ProgramMisfit: handle: expected a result in JSON, found another value"),
    ],
)
def test_faults_of_the_program(cli: Cli, day: Path, program: str, words: str) -> None:
    write_join(day, f"def handle(gathered):\n    {program}\n")
    write_records(1)
    ended = cli(*RUN)
    assert ended.code == 1
    assert words in ended.out
    assert not (day / "out/results/join.jsonl").exists()


def test_a_run_that_is_killed_while_it_gathers_runs_no_batch_again(day: Path) -> None:
    begun = day / "begun"
    program = SCORE.replace("    kept =", f"    open({str(begun)!r}, 'a').write(batch.digest + '\\n')\n    kept =")
    (day / "score/score.py").write_text(program)
    write_join(day, KILLER.format(marker=str(day / "marker")))
    write_records(1, 2, 3, 4, 5)
    command = [sys.executable, "-m", "genomics_pipeline", *RUN, "--resume", "--json"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL
    resumed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    assert gathered(day) == 15
    assert len(begun.read_text().split()) == 3

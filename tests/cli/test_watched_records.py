"""Files of records that `watch` starts in forks: each is answered once, whatever is killed, and nothing is left."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from genomics_pipeline.cli.command_server import preload
from genomics_pipeline.cli.warm_commands import WarmCommands
from tests.small_functions import write_function, write_pipeline

# Kills, at the first call with a record that says so, the run, its watcher, or both.
KILLER = """
import fcntl
import json
import os
import psutil
from pathlib import Path


def handle(batch):
    for record in batch.records:
        mark = Path(record.get("mark", "/"))
        if not mark.exists():
            mark.touch()
            pids = {
                "run": json.loads(Path("../../.engine/holder.json").read_text())["pid"],
                "watch": psutil.Process().parents()[2].pid,
            }
            killed = [psutil.Process(pids[name]) for name in record["kills"]]
            for process in killed:
                process.kill()
            while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in killed):
                os.sched_yield()
            mark.write_text(" ".join(map(state, mark.parent.glob(".started/*[0-9a-f].json"))))
    return [record["id"] for record in batch.records]


def state(claim):
    with claim.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "locked"
    return "free"
"""
OPTIONS = ("--pipeline", "sums.toml", "--out", "runs/{name}")
KILLED = "begun by a watcher of this machine that was killed, and its command has ended too; it is started again"


@pytest.fixture
def intake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the step and the pipeline, and return the watched folder below the current one."""
    write_function(tmp_path / "score", KILLER)
    write_pipeline(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def arrive(intake: Path, name: str, **members: object) -> None:
    records = [{"id": f"{name}{number}", **members} for number in range(7)]
    (intake / f"{name}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))


def watch_once() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "genomics_pipeline", "watch", "in", "--once", "--settle", "0", "--", "run"]
    return subprocess.run([*command, *OPTIONS], capture_output=True, text=True, check=False)


def results(intake: Path) -> dict[str, list[str]]:
    """Return the lines of results by the name of the file of records."""
    files = intake.parent.glob("runs/*/results/score.jsonl")
    return {file.parents[1].name.partition("-")[0]: file.read_text().splitlines() for file in files}


def lines(name: str) -> list[str]:
    return [json.dumps(f"{name}{number}") for number in range(7)]


def wait_for_command(intake: Path) -> None:
    """Wait until the command of a watcher that was killed has ended: then the record of its start is not locked."""
    for claim in intake.glob(".started/*.json"):
        with claim.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)


def test_a_run_that_is_killed_harms_no_other(intake: Path) -> None:
    """Check that the others are answered, and that the killed one is reported and waits for its record's removal."""
    arrive(intake, "a")
    arrive(intake, "b", kills=["run"], mark=str(intake / "mark"))
    arrive(intake, "c")
    first = watch_once()
    assert (first.returncode, results(intake)) == (1, {"a": lines("a"), "c": lines("c")})
    (claim,) = intake.glob(".started/b-????????????.json")
    assert f"failed with exit code {-signal.SIGKILL}; to start it again, remove {claim}\n" in first.stderr
    assert watch_once().returncode == 0
    assert "b" not in results(intake)
    claim.unlink()
    assert watch_once().returncode == 0
    assert results(intake) == {name: lines(name) for name in "abc"}


@pytest.mark.parametrize("kills", [["watch"], ["watch", "run"]])
def test_the_next_watcher_takes_over_from_one_that_was_killed(intake: Path, kills: list[str]) -> None:
    """Check that each record has one result, whether or not the run ended by itself, and that it happens once."""
    arrive(intake, "a", kills=kills, mark=str(intake / "mark"))
    arrive(intake, "b")
    assert watch_once().returncode == -signal.SIGKILL
    wait_for_command(intake)
    second = watch_once()
    assert second.returncode == 0
    assert KILLED in second.stderr
    assert results(intake) == {"a": lines("a"), "b": lines("b")}
    third = watch_once()
    assert (third.returncode, third.stdout, third.stderr) == (0, "", "")


def test_a_command_that_outlives_its_watcher_is_left_alone(intake: Path) -> None:
    """Check that the record of its start is kept as long as it has the file open, and named."""
    arrive(intake, "a", kills=["watch"], mark=str(intake / "mark"))
    assert watch_once().returncode == -signal.SIGKILL
    wait_for_command(intake)
    assert (intake / "mark").read_text() == "locked", "expected the run to hold the lock when its watcher is gone"
    (claim,) = intake.glob(".started/*.json")
    with claim.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        second = watch_once()
    assert (second.returncode, claim.exists()) == (0, True)
    assert f"{claim}: begun and not ended" in second.stderr
    assert KILLED not in second.stderr


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux")
def test_nothing_is_left_of_commands(intake: Path) -> None:
    """Check that descriptors and processes of the watcher and of both servers do not grow from run to run."""
    before = set(psutil.Process().children(recursive=True))
    commands = WarmCommands(["run", *OPTIONS], os.environ)

    def left() -> list[tuple[int, int]]:
        """Return the descriptors and threads of this process and the servers."""
        servers = set(psutil.Process().children(recursive=True)) - before
        return [(one.num_fds(), one.num_threads()) for one in [psutil.Process(), *sorted(servers, key=lambda p: p.pid)]]

    found = []
    gc.collect()  # else it may close in the meantime what other tests of this process left open
    for number in range(4):
        arrive(intake, f"f{number}")
        ended = commands.run(["run", f"in/f{number}.jsonl", *OPTIONS[:3], f"runs/{number}"])
        assert (ended.code, list(ended.errors)) == (0, [])
        found.append(left())
    assert len(found[1]) == 3, "expected this process, and the servers of commands and of environments"
    (descriptors, threads), *servers = found[1]
    assert [one[1:] for one in found[1:]] == [servers] * 3
    for own, *_ in found[2:]:  # a thread of an earlier test may end only now, with its connection
        assert (own[0] <= descriptors, own[1] <= threads) == (True, True)
    assert [count for _, count in servers] == [1, 1], "expected servers without threads, which a fork would lack"


def test_a_server_that_is_killed_is_replaced(intake: Path) -> None:
    before = set(psutil.Process().children())
    commands = WarmCommands(["run", *OPTIONS], os.environ)
    for number in range(2):
        arrive(intake, f"f{number}")
        assert commands.run(["run", f"in/f{number}.jsonl", *OPTIONS[:3], f"runs/{number}"]).code == 0
        (server,) = set(psutil.Process().children()) - before
        server.kill()
        server.wait()


# Kills, at its first call, what it was forked from (1) or what its run was forked from (2), and waits for that.
SERVER_KILLER = """
import os
import psutil
import select
from pathlib import Path


def handle(batch):
    for record in batch.records:
        mark = Path(record.get("mark", "/"))
        if not mark.exists():
            mark.touch()
            server = ([psutil.Process()] + psutil.Process().parents())[record["kills"]]
            ended = os.pidfd_open(server.pid)
            server.kill()
            select.select([ended], [], [])
    with Path(os.environ["MARKS"]).open("a") as marks:
        marks.write(f"{psutil.Process().ppid()}\\n")
    return [record["id"] for record in batch.records]
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
@pytest.mark.parametrize("kills", [1, 2])
def test_a_run_ends_well_though_its_server_was_killed(
    intake: Path, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    """Check that each record has one result, and that the later runs have a server in common again."""
    monkeypatch.setenv("MARKS", str(intake / "marks"))
    write_function(intake.parent / "score", SERVER_KILLER)
    arrive(intake, "a", kills=kills, mark=str(intake / "mark"))
    arrive(intake, "b")
    arrive(intake, "c")
    watched = watch_once()
    assert (watched.returncode, "Traceback" in watched.stderr) == (0, False), watched.stderr
    assert results(intake) == {name: lines(name) for name in "abc"}
    servers = (intake / "marks").read_text().split()
    assert len(set(servers[-6:])) == 1, f"expected one process that all environments of b and c are forks of: {servers}"


def test_a_pipeline_that_cannot_be_read_is_the_errors_of_its_runs() -> None:
    preload(["run", "--pipeline", "no such pipeline", "--out", "{name}"], {})

"""`kill -9` at random instants of a Distributed Map: every item ends once, and nothing that ended runs again.

Each life of the execution is the command `execute` in a fork of a server that imported it once, so that a kill costs
milliseconds.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine import killed_map

END = b'{"end":'  # how a child's end begins in the journal
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.engine.killed_map"])


class Killed:
    """A map in a folder, run by processes that are killed."""

    def __init__(self, folder: Path, child: dict[str, Any], items: int) -> None:
        self.folder, self.items = folder, items
        killed_map.prepare(folder, child, items)

    def live(self, seconds: float | None) -> bool:
        """Start or resume it, and kill it after so long; whether it came to its end before."""
        life = FORKS.Process(target=killed_map.run, args=(self.folder,))
        life.start()
        life.join(seconds)
        life.kill()
        life.join()
        assert life.exitcode in (0, -signal.SIGKILL)
        return life.exitcode == 0

    def ended(self) -> list[int]:
        """The children whose ends are in the journal, in its order; a line that the kill tore apart is no end."""
        logs = (self.folder / "journal").glob("*-*.jsonl")
        lines = (line for log in logs for line in log.read_bytes().splitlines(keepends=True))
        return [int(line[len(END) : line.index(b",")]) for line in lines if line.startswith(END) and line[-1:] == b"\n"]

    def ran(self) -> list[int]:
        """The items that the Task saw, in order."""
        return list(map(int, (self.folder / "ran").read_text().split()))

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of the only result files there are, as large as their manifest says."""
        bucket = self.folder / "buckets" / killed_map.BUCKET
        (manifest,) = bucket.glob("results/*/manifest.json")
        listed = json.loads(manifest.read_bytes())["ResultFiles"]
        files = [file for kind in listed.values() for file in kind]
        assert {file["Key"]: file["Size"] for file in files} == {
            str(file.relative_to(bucket)): file.stat().st_size for file in bucket.glob("results/*/*_*")
        }
        assert not list(self.folder.rglob("*.part"))
        return {
            kind: [json.loads(line) for file in of for line in (bucket / file["Key"]).read_text().splitlines()]
            for kind, of in listed.items()
        }

    def check(self, failed: list[int]) -> None:
        """Every item ended exactly once, those failed."""
        rows = self.rows()
        inputs = {kind: [json.loads(row["Input"])["n"] for row in of] for kind, of in rows.items()}
        assert inputs == {
            "SUCCEEDED": [number for number in range(self.items) if number not in set(failed)],
            "FAILED": failed,
            "PENDING": [],
        }
        assert len({row["Name"] for of in rows.values() for row in of}) == self.items
        assert Counter(self.ended()) == dict.fromkeys(range(self.items), 1)


@pytest.fixture
def lives(tmp_path: Path) -> Callable[..., Iterator[Killed]]:
    """`lives(child, items, kills, failed, share)`: the map after each of so many kills; each end is checked.

    A life lasts the `share`th part of an undisturbed one on average, the moments of death being a Poisson process.
    One that comes to its end between two kills begins again in a folder of its own; the last is let run. Most lives
    are short, so that many kills fall into one map; some are long, so that it goes on.
    """

    def call(child: dict[str, Any], items: int, kills: int, failed: list[int], share: int) -> Iterator[Killed]:
        moments = random.Random(kills)
        assert Killed(tmp_path / "first", child, 1).live(None)  # starts the server
        whole = Killed(tmp_path / "undisturbed", child, items)
        started = time.monotonic()
        assert whole.live(None)
        seconds = time.monotonic() - started
        whole.check(failed)
        number, killed = 0, Killed(tmp_path / "0", child, items)
        for _ in range(kills):
            while killed.live(moments.expovariate(share / seconds)):
                killed.check(failed)
                number += 1
                killed = Killed(tmp_path / str(number), child, items)
            yield killed
        assert killed.live(None)
        killed.check(failed)

    return call


def test_two_hundred_kills_of_twenty_thousand_items(lives: Callable[..., Iterator[Killed]]) -> None:
    lived = lives(killed_map.PASS, items=20_000, kills=200, failed=[], share=16)
    progress = [len(killed.ended()) for killed in lived]
    assert len(progress) == 200
    assert any(0 < ended < 20_000 for ended in progress)


def test_no_task_whose_child_ended_runs_again(lives: Callable[..., Iterator[Killed]]) -> None:
    failed = list(range(0, 1_000, 10))
    last: Killed | None = None
    done: set[int] = set()
    seen = 0
    for killed in lives(killed_map.TASK, items=1_000, kills=40, failed=failed, share=4):
        if killed is not last:
            last, done, seen = killed, set(), 0
        ran = killed.ran()
        assert done.isdisjoint(ran[seen:])
        done, seen = set(killed.ended()), len(ran)
        assert done <= set(ran)
    assert last is not None
    assert done.isdisjoint(last.ran()[seen:])
    assert set(last.ran()) == set(range(1_000))

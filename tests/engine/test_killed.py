"""Kills at random times during a Distributed Map: each item ends exactly once, and no ended child runs again.

The command `execute` runs in forks of a server that has imported it, so that a restart takes milliseconds.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine import killed_map

END = b'{"end":'  # the first bytes of the record of a child's end
ITEMS = 500  # of a Map whose items are Tasks; a process needs as long to start as for some of them
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.engine.killed_map"])


class KilledMap:
    """A Distributed Map in a folder, run by processes that are killed."""

    def __init__(self, folder: Path, child: dict[str, Any], items: int, batch: int | None = None) -> None:
        self.folder, self.items, self.batch = folder, items, batch
        killed_map.prepare(folder, child, items, batch)

    def run(self, seconds: float | None) -> bool:
        """Start or resume the Map, and return whether it ended before it was killed, after a processor time."""
        process = FORKS.Process(target=killed_map.run, args=(self.folder, seconds))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGPROF)
        return process.exitcode == 0

    def seconds(self) -> float:
        """Return the processor time of the process that came to its end."""
        return float((self.folder / "seconds").read_text())

    def ended_children(self) -> list[int]:
        """Return the children whose ends are in the journal, in its order; an incomplete line does not count."""
        logs = (self.folder / "journal").glob("*-*.jsonl")
        lines = (line for log in logs for line in log.read_bytes().splitlines(keepends=True))
        return [int(line[len(END) : line.index(b",")]) for line in lines if line.startswith(END) and line[-1:] == b"\n"]

    def items_run(self) -> list[int]:
        """Return the items that the Task received, in order."""
        return list(map(int, (self.folder / "ran").read_text().split()))

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of the result files, after a check of the files against the manifest."""
        bucket = self.folder / "buckets" / killed_map.BUCKET
        (manifest,) = bucket.glob("results/*/manifest.json")
        listed = json.loads(manifest.read_bytes())["ResultFiles"]
        all_files = [file for files in listed.values() for file in files]
        assert {file["Key"]: file["Size"] for file in all_files} == {
            str(file.relative_to(bucket)): file.stat().st_size for file in bucket.glob("results/*/*_*")
        }
        assert not list(self.folder.rglob("*.part"))
        return {
            kind: [json.loads(line) for file in files for line in (bucket / file["Key"]).read_text().splitlines()]
            for kind, files in listed.items()
        }

    def check(self, failed: list[int]) -> None:
        """Check that each item ended exactly once, and that exactly those in `failed` failed."""
        rows = self.rows()
        inputs = {kind: [item["n"] for row in members for item in self._items(row)] for kind, members in rows.items()}
        assert inputs == {
            "SUCCEEDED": [number for number in range(self.items) if number not in set(failed)],
            "FAILED": failed,
            "PENDING": [],
        }
        children = -(-self.items // (self.batch or 1))
        assert len({row["Name"] for members in rows.values() for row in members}) == children
        assert Counter(self.ended_children()) == dict.fromkeys(range(children), 1)

    def _items(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        if row["Status"] == "SUCCEEDED":
            assert row["Output"] == row["Input"]
        child_input = json.loads(row["Input"])
        return [child_input] if self.batch is None else child_input["Items"]


@pytest.fixture
def kill_repeatedly(tmp_path: Path) -> Callable[..., Iterator[KilledMap]]:
    """Return `kill_repeatedly(child, items, kills, failed, share)`, which yields the Map after each kill.

    Kills are a Poisson process: a process lives for 1/`share` of the processor time of an undisturbed run on average,
    which a busy machine does not change. Most live shortly, so that many kills fall into one Map; some live long, so
    that the Map makes progress. A Map that ends between two kills is checked and followed by another in its own folder;
    the last one runs to its end.
    """

    def call(
        child: dict[str, Any], items: int, kills: int, failed: list[int], share: int, batch: int | None = None
    ) -> Iterator[KilledMap]:
        randomness = random.Random(kills)
        assert KilledMap(tmp_path / "first", child, 1).run(None)  # starts the server
        undisturbed = KilledMap(tmp_path / "undisturbed", child, items, batch)
        assert undisturbed.run(None)
        undisturbed.check(failed)
        seconds = undisturbed.seconds()
        number, killed = 0, KilledMap(tmp_path / "0", child, items, batch)
        for _ in range(kills):
            while killed.run(randomness.expovariate(share / seconds)):
                killed.check(failed)
                number += 1
                killed = KilledMap(tmp_path / str(number), child, items, batch)
            yield killed
        assert killed.run(None)
        killed.check(failed)

    return call


@pytest.mark.badluck
def test_two_hundred_kills_lose_none_of_twenty_thousand_items(
    kill_repeatedly: Callable[..., Iterator[KilledMap]],
) -> None:
    kills = kill_repeatedly(killed_map.PASS, items=20_000, kills=200, failed=[], share=8)
    progress = [len(killed.ended_children()) for killed in kills]
    assert len(progress) == 200
    assert any(0 < ended < 20_000 for ended in progress)


@pytest.mark.badluck
def test_fifty_kills_lose_and_repeat_none_of_a_million_records(
    kill_repeatedly: Callable[..., Iterator[KilledMap]],
) -> None:
    kills = kill_repeatedly(killed_map.PASS, items=1_000_000, kills=50, failed=[], share=4, batch=1000)
    assert len([killed.ended_children() for killed in kills]) == 50


def test_kills_lose_and_repeat_no_record_of_a_batch(tmp_path: Path) -> None:
    killed = KilledMap(tmp_path / "killed", killed_map.PASS, 100_000, 50)
    for seconds in (0.1, 0.3, 0.5):
        killed.run(seconds)
    assert killed.run(None)
    killed.check([])


def test_no_task_whose_child_ended_runs_again(kill_repeatedly: Callable[..., Iterator[KilledMap]]) -> None:
    failed = list(range(0, ITEMS, 10))
    last: KilledMap | None = None
    done: set[int] = set()
    seen = 0
    for killed in kill_repeatedly(killed_map.TASK, items=ITEMS, kills=40, failed=failed, share=4):
        if killed is not last:
            last, done, seen = killed, set(), 0
        ran = killed.items_run()
        assert done.isdisjoint(ran[seen:])
        done, seen = set(killed.ended_children()), len(ran)
        assert done <= set(ran)
    assert last is not None
    assert done.isdisjoint(last.items_run()[seen:])
    assert set(last.items_run()) == set(range(ITEMS))

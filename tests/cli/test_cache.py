"""The cache of references: listed, cleaned, and kept while a process uses it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]

# A process that prepares a reference, and uses it until its standard input ends.
USER = """
import sys
from pathlib import Path
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore
print(prepare(sys.argv[1], ["fai"], LocalStore(), Path(sys.argv[2])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], subprocess.Popen[str]]:
    """Return `use(name)`, which starts a process that uses a compressed reference of that name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))

    def start(name: str) -> subprocess.Popen[str]:
        original = tmp_path / name
        if not original.exists():
            original.write_bytes(gzip.compress(b">chr1\n" + b"ACGT" * 15 + b"\n", mtime=0))
        argv = [sys.executable, "-c", USER, str(original), str(tmp_path / "xdg/genomics-pipeline")]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline().endswith(f"/{name.removesuffix('.gz')}\n")
        return process

    return start


def rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_an_empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for command in ("list", "clean"):
        ended = cli("cache", command)
        assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_what_a_process_uses_is_listed_and_not_removed(
    use: Callable[[str], subprocess.Popen[str]], tmp_path: Path, cli: Cli
) -> None:
    with use("a.fa.gz") as ended_user:
        ended_user.communicate("")
    with use("b.fa.gz") as user:
        listed = rows(cli("cache", "list", "--json").out)
        assert [(row["source"], row["in_use"]) for row in listed] == [
            (str(tmp_path / "a.fa.gz"), False),
            (str(tmp_path / "b.fa.gz"), True),
        ]
        assert all(row["size_bytes"] > 66 for row in listed)
        tried = rows(cli("cache", "clean", "--dry-run", "--json").out)
        assert [row["removed"] for row in tried] == [False, False]
        out = cli("cache", "clean").out.splitlines()
        assert [line.split(": ")[0] for line in out] == ["removed", "in use"]
        assert not Path(listed[0]["folder"]).exists()
        assert Path(listed[1]["folder"], "b.fa").is_file()
        user.communicate("")
    assert [row["removed"] for row in rows(cli("cache", "clean", "--json").out)] == [True]
    assert cli("cache", "list").out == ""


def test_two_users_hold_it_together_and_a_removed_one_is_made_again(
    use: Callable[[str], subprocess.Popen[str]], cli: Cli
) -> None:
    with use("a.fa.gz") as first, use("a.fa.gz") as second:
        first.communicate("")
        assert [row["removed"] for row in rows(cli("cache", "clean", "--json").out)] == [False]
        second.communicate("")
    assert [row["removed"] for row in rows(cli("cache", "clean", "--json").out)] == [True]
    with use("a.fa.gz") as third:
        assert [row["in_use"] for row in rows(cli("cache", "list", "--json").out)] == [True]
        third.communicate("")


def test_references_that_were_used_lately_are_kept(use: Callable[[str], subprocess.Popen[str]], cli: Cli) -> None:
    with use("a.fa.gz") as user:
        user.communicate("")
    assert cli("cache", "clean", "--unused-for", "1").out == ""
    assert "would be removed: " in cli("cache", "clean", "--unused-for", "0", "--dry-run").out
    assert len(cli("cache", "list").out.splitlines()) == 1


def test_verdicts_of_checks_go_with_the_references_that_were_not_used_lately(
    use: Callable[[str], subprocess.Popen[str]], tmp_path: Path, cli: Cli
) -> None:
    (tmp_path / "plain.fa").write_text(">chr1\nACGT\n")
    with use("plain.fa") as user:
        user.communicate("")
    checked = tmp_path / "xdg/genomics-pipeline/checked"
    before = sorted(checked.iterdir())
    assert {file.suffix for file in before} == {"", ".lock"}
    for option in ("--dry-run", "--unused-for=1"):
        cli("cache", "clean", option)
        assert sorted(checked.iterdir()) == before
    cli("cache", "clean")
    assert sorted(checked.iterdir()) == [file for file in before if file.suffix == ".lock"]


@pytest.mark.parametrize("days", ["-1", "x"])
def test_a_wrong_number_of_days(cli: Cli, days: str) -> None:
    assert cli("cache", "clean", "--unused-for", days).code == 2

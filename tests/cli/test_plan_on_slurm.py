"""`plan --slurm`: plans for a partition of a Slurm cluster, whose limits Slurm tells or the user."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.small_project import READS, SmallProject, stage_toml

Cli = Callable[..., Any]
BY_HAND = ("nodes=3", "node_cores=16", "node_memory_mib=64000")
RATES = """
date = "2026-11-30"
machine = "a machine"
[steps.eat]
version = "1"
basis = "none"
core_seconds = { fixed = 600 }
serial_fraction = 1.0
spread = 1.0
memory_mib = { fixed = 100 }
memory_spread = 1.0
output_bytes = { fixed = 10 }
"""
# As Slurm 22.05.8 and its accounting print them, shortened.
PARTITION = (
    "PartitionName=long AllowQos=ALL Default=NO QoS=N/A DefaultTime=NONE MaxNodes=UNLIMITED MaxTime=1-00:00:00 "
    "MaxCPUsPerNode=UNLIMITED Nodes=node[1-3] State=UP TotalCPUs=48 TotalNodes=3 MaxMemPerNode=UNLIMITED\n"
)
ANSWERS = {
    "sinfo": {"": "16|64000|long\n16|64000|long\n16|32000|long\n"},
    "scontrol": {"partition": PARTITION, "config": "MaxArraySize            = 1001\n"},
    "sacctmgr": {
        "user": "test\n",
        "association": "test||40|100||cpu=64\nother||1|1||\ntest|short|2|2||\n",
        "qos": "12||cpu=24|30|||8:00:00\n",
    },
}


@pytest.fixture
def eating(project: SmallProject) -> list[str | Path]:
    """Return the arguments of a plan for forty samples, whose jobs take ten minutes on four cores."""
    resources = "[resources]\nvcpus = 4\nmemory_mib = 8000\ntimeout_s = 36000\n"
    project.step("eat", "", f'[inputs.reads]\ntype = "reads"\n[outputs.out]\npath = "{{sample}}.txt"\n{resources}')
    pipeline = project.pipeline(stage_toml("eating", "./eat", "eaten", {"reads": "sample.reads"}))
    project.samples({f"S{number}": READS for number in range(40)})
    rates = project.folder / "rates.toml"
    rates.write_text(RATES)
    sheet, reference = project.arguments()[1:4:2][0], project.folder / "reference.fa"
    return ["plan", sheet, "--reference", reference, "--pipeline", pipeline, "--calibration", rates, "--slurm"]


def quotas(*limits: str) -> list[str]:
    return [word for limit in limits for word in ("--quota", limit)]


def by_name(found: Mapping[str, Any]) -> dict[str, tuple[float, float, str]]:
    return {one["name"]: (one["used"], one["limit"], one["source"]) for one in found["quotas"]}


def install(folder: Path, answers: Mapping[str, Mapping[str, str]]) -> None:
    """Write commands that print the answer to the first of their words that has one, and fail without."""
    folder.mkdir()
    for name, texts in answers.items():
        for word, text in texts.items():
            (folder / f"{name}.{word}").write_text(text)
        program = folder / name
        loop = 'for word in "$@" ""; do [ -f "$0.$word" ] && exec /bin/cat "$0.$word"; done'
        program.write_text(f'#!/bin/sh\n{loop}\necho "no such thing" >&2\nexit 1\n')
        program.chmod(0o755)


def test_limits_are_given_by_hand(cli: Cli, eating: list[str | Path]) -> None:
    """Twelve jobs of four cores at a time: forty are four rounds; the head and each job take their time besides."""
    ended = cli(*eating, "--json", *quotas(*BY_HAND, "max_time_min=8"), "--core-hour-price", "0.3")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert (found["jobs"], found["transitions"], found["arrays"]) == (40, 81, 1)
    assert found["duration_s"]["p50"] == pytest.approx(4 * 600.7 + 1.5, abs=0.1)
    assert found["core_hours"]["total"] == pytest.approx(40 * 4 * 600.7 / 3600)
    assert found["dollars"] == {"total": pytest.approx(8.0093), "by_line": {"compute: eating": pytest.approx(8.0093)}}
    assert by_name(found) == {
        "eating: cores of a job": (4, 16, "the largest node"),
        "eating: memory of a job": (100, 8000, "the largest node"),
        "eating: duration of a job": (10, 8, "--quota"),
        "cores of the partition": (48, 48, "its nodes"),
        "calls of Slurm's commands a minute": (7, 60, "the run makes no more: --quota calls_a_minute="),
    }
    assert "naive" not in found
    shown = cli(*eating, *quotas(*BY_HAND, "max_time_min=8")).out
    size = "3 nodes of 16 cores and 64,000 MiB, 48 cores together"
    assert shown.startswith(f"small: 40 samples, on Slurm, the default partition: {size}\n")
    (line,) = (line for line in shown.splitlines() if "duration of a job" in line)
    assert line.split()[-2:] == ["FAILS", "min"]
    assert "dollars" not in shown


def test_slurm_tells_the_limits(
    cli: Cli, eating: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest of each counts: of the association with the default account, and of the QOS that is asked for."""
    install(tmp_path / "bin", ANSWERS)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    named = ("--slurm-partition", "long", "--slurm-qos", "high", "--json")
    found = json.loads(cli(*eating, *named, "--core-hour-price", "1", "--core-hour-price", "long=2").out)
    limits = by_name(found)
    assert limits["eating: duration of a job"] == (10, 480, "QOS high: MaxWall")
    assert limits["cores at a time"] == (24, 24, "QOS high: MaxTRESPU")
    assert limits["jobs that run at a time"] == (6, 12, "QOS high: MaxJobsPU")
    assert limits["jobs of an array"] == (40, 1001, "slurm.conf: MaxArraySize")
    assert limits["jobs in Slurm at a time"] == (40, 100, "association with the account test: MaxSubmit")
    assert found["duration_s"]["p50"] == pytest.approx(7 * 600.7 + 1.5, abs=0.1)
    assert found["dollars"]["total"] == pytest.approx(2 * 40 * 4 * 600.7 / 3600, abs=1e-3)
    assert found["machine"] == "Slurm, partition long: 3 nodes of at most 16 cores and 64,000 MiB, 48 cores together"
    one = json.loads(cli(*eating, *named, *quotas("max_jobs=1")).out)
    assert by_name(one)["jobs that run at a time"] == (1, 1, "--quota")
    fewer = json.loads(cli(*eating, *named, "--jobs", "2", "--cpus", "2").out)
    assert by_name(fewer)["jobs in Slurm at a time"][0] == 2
    assert by_name(fewer)["eating: duration of a job"][0] == 20  # twice as long as on its four cores
    assert fewer["duration_s"]["p50"] > 20 * 600


def test_without_accounting(
    cli: Cli, eating: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {**ANSWERS["scontrol"], "partition": PARTITION.replace("1-00:00:00", "01:00:00")}
    install(tmp_path / "bin", {**ANSWERS, "scontrol": shown, "sacctmgr": {}})
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = json.loads(cli(*eating, "--slurm-partition", "long", "--json").out)
    assert by_name(found)["eating: duration of a job"] == (10, 60, "partition long: MaxTime")
    assert "jobs that run at a time" not in by_name(found)


LOGIN_NODE = (
    "run this on a login node; or give the partition by hand: --quota nodes=NUMBER --quota node_cores=NUMBER "
    "--quota node_memory_mib=NUMBER"
)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            (),
            1,
            f"cannot ask Slurm for its limits: sinfo: expected Slurm's command on PATH, found none; {LOGIN_NODE}",
        ),
        (
            quotas("nodes=3"),
            2,
            "--quota: expected nodes, node_cores, node_memory_mib together, or none of them to ask Slurm",
        ),
        (
            quotas("nodes=0", *BY_HAND[1:]),
            2,
            "--quota nodes=0: expected 1 or more, found '0'",
        ),
        (
            quotas(*BY_HAND[:2], "node_memory_mib=100"),
            1,
            "a job of eating would never start: expected a node of 4 cores and 8,000 MiB, found at most 16 and 100 MiB "
            "in the default partition; give another partition",
        ),
        (
            quotas(*BY_HAND, "max_cores=3"),
            1,
            "a job of eating would never start: expected 4 cores at a time, found a limit of 3 (--quota); "
            "give --cpus 3",
        ),
        (("--here",), 2, "expected one of --here and --slurm, found both: --no-slurm"),
        (
            ("--max-vcpus", "4", *quotas(*BY_HAND)),
            2,
            "--max-vcpus: expected a run on AWS, found --slurm; leave one out",
        ),
    ],
)
def test_what_cannot_be_planned(
    cli: Cli,
    eating: list[str | Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = cli(*eating, *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert f"error: {message}" in ended.err


def test_unknown_partitions_and_limits(
    cli: Cli, eating: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "bin", {**ANSWERS, "sinfo": {"": ""}})
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    ended = cli(*eating, "--slurm-partition", "lnog")
    expected = "partition lnog: expected a partition with nodes, found none; `sinfo` lists them: --slurm-partition"
    assert (ended.code, ended.err) == (1, f"error: {expected}\n")
    ended = cli(*eating, *quotas("max_job=3"))
    assert ended.code == 2
    assert "--quota max_job=3: expected NAME=NUMBER, found no such name; did you mean 'max_jobs'" in ended.err

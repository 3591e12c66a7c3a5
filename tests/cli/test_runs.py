"""`genomics-pipeline runs` of a stack and of folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from genomics_pipeline.cli.runs import STATUSES
from genomics_pipeline.runs.list_runs import ALL_STATUSES
from genomics_pipeline.runs.run_folder import RunFolder
from tests.fakes.faults import ApiError
from tests.runs.records import local_run

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws
    from tests.fakes.deployed import Deployed

Cli = Callable[..., "Ended"]


def rows(ended: Ended) -> list[dict[str, Any]]:
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def test_runs_are_sorted_newest_first_with_those_never_started_last(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    names = []
    for sample in ("A", "B", "C"):
        sheet = stack.sheet(tmp_path / f"{sample}.csv", sample, "other")
        if sample == "C":
            step_functions.states.gate.fail("StartExecution", ApiError("ExecutionLimitExceeded", "too many"))
        assert cli("submit", sheet, "--reference", reference).code == (1 if sample == "C" else 0)
        names += [key.split("/")[1] for key in stack.keys(f"runs/{sample}-") if key.endswith("run.json")]
    for name in names[:2]:
        step_functions.execution(name).wait()
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=step_functions.execution(names[0]).machine.arn, name="somebody-elses", input="{}"
    )
    listed = rows(cli("runs", "--json"))
    assert [(row["run"], row["samples"], row["pipeline"]) for row in listed] == [
        (name, 2, "germline") for name in (names[1], names[0], names[2])
    ]
    assert [(row["status"], row["seconds"] is None) for row in listed] == [
        ("SUCCEEDED", False),
        ("SUCCEEDED", False),
        ("NOT_STARTED", True),
    ]
    assert [row["run"] for row in rows(cli("runs", "--json", "--status", "NOT_STARTED"))] == [names[2]]
    assert [row["run"] for row in rows(cli("runs", "--json", "--status", "SUCCEEDED"))] == names[1::-1]
    assert rows(cli("runs", "--json", "--status", "RUNNING")) == []
    table = cli("runs").out.splitlines()
    assert table[0].split() == ["run", "pipeline", "samples", "status", "submitted", "duration"]
    assert table[3].split()[:4] == [names[2], "germline", "2", "NOT_STARTED"]
    assert table[1].split()[-1].startswith("0:00:")


def test_local_runs(tmp_path: Path, cli: Cli) -> None:
    done, killed, new = (RunFolder(tmp_path / name) for name in ("a/done", "b/killed", "c"))
    for folder in (done, killed, new):
        folder.create()
    done.manifest.write_text("{}\n{}\n")
    done.save(local_run(summary={"seconds": 3725.4}))
    killed.save(local_run(status="RUNNING"))
    (done.path / "results" / "run.json").parent.mkdir()
    (done.path / "results" / "run.json").write_text("{}")
    ended = cli("runs", tmp_path)
    assert [line.split() for line in ended.out.splitlines()[1:]] == [
        [str(done.path), "germline", "2", "SUCCEEDED", "2026-11-24", "10:00:00", "1:02:05"],
        [str(killed.path), "germline", "ABORTED", "2026-11-24", "10:00:00"],
        [str(new.path), "NOT_STARTED"],
    ]
    assert [row["run"] for row in rows(cli("runs", tmp_path, "--json", "--status", "ABORTED"))] == [str(killed.path)]
    gone = tmp_path / "gone"
    assert cli("runs", gone).err == f"error: {gone}: expected a folder, found none\n"


def test_every_status_can_be_selected() -> None:
    assert STATUSES == ALL_STATUSES

"""`status`, `logs` and `results` of a run in a folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.runs.run_folder import RunFolder
from tests.runs.conftest import Command

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def finished_run(command: Command, cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of four samples, of which one has bad reads."""
    folder = tmp_path_factory.mktemp("followed")
    shutil.copytree(cohort, folder / "cohort")
    (folder / "cohort" / "bad.fq").write_text(">a\nACGT\n")
    sheet = folder / "cohort" / "cohort.csv"
    header, *rows = sheet.read_text().splitlines()
    columns = header.split(",")
    bad = dict.fromkeys(columns, "") | {"sample": "bad", "fastq_1": "bad.fq"}
    sheet.write_text("\n".join([header, *rows[:3], ",".join(bad[column] for column in columns)]) + "\n")
    ended = command("run", sheet, "--reference", folder / "cohort/reference.fa", "--out", folder / "run")
    assert ended.returncode == 1, ended.stderr
    return folder / "run"


def test_status_of_a_run_that_ended(finished_run: Path, command: Command) -> None:
    shown = command("status", finished_run)
    lines = [line.rstrip() for line in shown.stdout.splitlines()]
    lines, table = lines[: lines.index("")], lines[lines.index("") + 1 :]
    assert (shown.returncode, lines[0].startswith("run  SUCCEEDED  germline, ")) == (1, True)
    assert table[0].split()[:4] == ["Sample", "State", "Reads", "Mapped"]
    assert sorted(line.split()[1] for line in table[1:4]) == ["FAILED", "done", "done"]
    message = f"{finished_run.parent}/cohort/bad.fq: record 1: expected FASTQ ('@' and a name), found '>a'"
    times, lines[4:9] = lines[4:9], []
    assert [line.split()[:2] for line in times] == [
        ["stage", "tasks"],
        ["alignment", "2"],
        ["variant_calling", "2"],
        ["aggregation", "1"],
        ["gather", "1"],
    ]
    assert all(re.fullmatch(r"\w+ +\d( +(\d+ min )?\d+(\.\d)? s){2}( +\d+ MiB){2}", line) for line in times[1:])
    assert lines[1:] == [
        "Sample    2 of 3 done, 1 failed",
        "Interval  1 of 1 done",
        "gather    done",
        "Failures: 1 bad input",
        f"  bad (alignment): bad input: {message}",
        f"logs: genomics-pipeline logs {finished_run} --failed",
        f"results: genomics-pipeline results {finished_run}",
        "The cohort is incomplete, it has 2 of 3 samples: exit code 1; --tolerate 1 would accept that",
        "Missing: 1 of 3 samples (1 bad input): bad",
        f"list them: genomics-pipeline results {finished_run} --failed",
        f"run them again (what is done is kept): genomics-pipeline rerun {finished_run}",
    ]


def test_logs_of_the_failed(finished_run: Path, command: Command) -> None:
    message = f"{finished_run.parent}/cohort/bad.fq: record 1: expected FASTQ ('@' and a name), found '>a'"
    place, found, program, error = command("logs", finished_run, "--failed").stdout.splitlines()
    assert place == f"==> alignment bad  {finished_run}/steps/alignment/bad/log.txt"
    assert (found, error) == (f"bad input: {message}", f"error: {message}")
    assert program.startswith("$ ")  # the command of the step
    assert program.endswith("/task.json")


def test_results(finished_run: Path, command: Command, tmp_path: Path) -> None:
    answer = command("results", finished_run, "--json", "--download", tmp_path / "copy")
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [(one["item"], one["state"]) for one in rows] == [
        ("sample1", "SUCCEEDED"),
        ("sample2", "SUCCEEDED"),
        ("bad", "FAILED"),
        ("cohort", "SUCCEEDED"),
    ]
    assert [one["copied"] for one in rows] == [len(one["files"]) for one in rows]
    copies = {str(file.relative_to(tmp_path / "copy")) for file in (tmp_path / "copy").rglob("*.*") if file.is_file()}
    for sample in ("sample1", "sample2"):
        assert f"preprocessing/{sample}/{sample}.md.bam.bai" in copies
        assert f"reports/mosdepth/{sample}/{sample}.mosdepth.summary.txt" in copies
    joint = "variant_calling/joint/joint_germline.vcf.gz"
    assert (tmp_path / "copy" / joint).read_bytes() == (finished_run / "results" / joint).read_bytes()
    assert rows[-1]["files"]["gather.vcf"]["path"] == f"{finished_run}/results/{joint}"


def test_a_run_whose_process_is_gone_is_aborted_and_one_that_is_held_runs(
    finished_run: Path, command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "status": "RUNNING", "summary": {}}))
    journal = run / ".engine/run-1/execution.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    first_end = next(number for number, line in enumerate(lines) if '{"run":' in line)
    journal.write_text("".join(lines[:first_end]) + lines[first_end][:40])  # as a crash leaves it
    shown = command("status", run)
    assert (shown.returncode, shown.stdout.splitlines()[0].split()[1]) == (1, "ABORTED")
    assert "Sample    2 of 3 done, 1 failed" in shown.stdout
    assert f"continue it: genomics-pipeline rerun {run}\n" in shown.stdout
    with RunFolder(run).lock(print):
        held = command("status", run, "--json")
    run_status = json.loads(held.stdout)
    assert (held.returncode, run_status["status"]) == (0, "RUNNING")
    assert [one["status"] for one in run_status["map_runs"]] == ["RUNNING", "PENDING"]
    assert run_status["failures"]["by_class"] == {"bad_input": 1}
    assert journal.read_text().endswith(lines[first_end][:40])  # only the engine mends a journal


@pytest.mark.parametrize("name", ["status", "logs", "results"])
def test_what_is_no_run_is_refused(name: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ended = command(name, tmp_path / "other")
    expected = f"error: {tmp_path}/other: expected a run's folder, found another folder\n"
    assert (ended.returncode, ended.stderr) == (1, expected)


def test_a_folder_keeps_the_last_attempts_log_only(finished_run: Path, command: Command) -> None:
    ended = command("logs", finished_run, "--sample", "sample1", "--attempt", "1")
    expected = "error: --attempt: expected a run on AWS, found one in a folder, which keeps the last attempt's log\n"
    assert (ended.returncode, ended.stderr) == (2, expected)


def test_a_run_whose_inputs_are_being_prepared(finished_run: Path, command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    (run / "run.json").unlink()
    ended = command("status", run)
    expected = f"error: {run}: expected an execution, found none yet: its inputs are not prepared\n"
    assert (ended.returncode, ended.stderr) == (1, expected)


def test_a_stage_of_the_cohort_that_failed_is_listed(finished_run: Path, command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    record = json.loads((run / "run.json").read_text())
    error = {"error": "gather: the shards do not fit together"}
    (run / "run.json").write_text(json.dumps({**record, "status": "FAILED", "summary": {**record["summary"], **error}}))
    journal = run / ".engine/run-1/execution.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    detail = {"JobId": "j", "Container": {"ExitCode": 1, "Reason": "the shards do not fit together"}}
    cause = {"stage": "gather", "error": "States.TaskFailed", "cause": json.dumps(detail)}
    result = {"status": "FAILED", "error": "States.TaskFailed", "cause": json.dumps(cause)}
    journal.write_text("".join(lines[:-1]) + json.dumps({"result": result}) + "\n")
    shown = command("status", run)
    assert shown.returncode == 1
    assert "  cohort (gather): tool error: the shards do not fit together\n" in shown.stdout
    assert "==> gather cohort  " in command("logs", run, "--failed").stdout

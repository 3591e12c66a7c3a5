"""The worker, started as by a container: from its environment to its exit code and line of metrics."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.worker.dollars import task_dollars
from tests.small_project import single_lane, task_json, write_step

DECLARATIONS = """
[inputs.reads]
type = "reads"

[outputs.copy]
path = "{sample}.txt"
"""

PROGRAM = """
import json, os, sys, time
task = json.load(open(sys.argv[1]))
text = open(task["inputs"]["reads"][0]["fastq_1"]).read()
if "bad" in text:
    sys.exit("error: record 3: expected '@', found '>'") if "crash" in text else print("error: bad", file=sys.stderr)
    sys.exit(65)
if "wait" in text:
    open(task["inputs"]["reads"][0]["fastq_1"] + ".started", "w").close()
    time.sleep(600)
open(task["outputs"]["copy"], "w").write(str([task["vcpus"], task["memory_mib"]]))
"""

Work = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def payload(tmp_path: Path) -> dict[str, Any]:
    write_step(tmp_path, "copy", PROGRAM, DECLARATIONS, version="2")
    (tmp_path / "run").mkdir()
    items = []
    for name, text in (("a", "@a"), ("b", "bad"), ("w", "wait")):
        (tmp_path / f"{name}.fq").write_text(text)
        items.append(single_lane(name, tmp_path / f"{name}.fq"))
    links: dict[str, Any] = {"inputs": {"reads": "sample.reads"}, "publish": {"copy": "copies"}}
    return task_json("copy", items, stage="copies", **links)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Return `work(task, *arguments, NAME=value)`, which starts the worker."""

    def call(task: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        settings = {"TASK": task, "STEP": str(tmp_path / "copy"), "SCRATCH": str(tmp_path / "scratch")}
        settings |= {"BUCKETS": json.dumps({"RUN": str(tmp_path / "run")})}
        environment = {f"GENOMICS_PIPELINE_{name}": value for name, value in settings.items() if value}
        argv = [sys.executable, "-m", "genomics_pipeline.worker", *arguments]
        return subprocess.Popen(
            argv, env={**environment, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return call


def only(payload: dict[str, Any], *names: str) -> str:
    return json.dumps({**payload, "items": [item for item in payload["items"] if item["sample"] in names]})


def test_a_task_runs_with_the_cores_and_memory_of_the_environment(
    payload: dict[str, Any], work: Work, tmp_path: Path
) -> None:
    variables = {"GENOMICS_PIPELINE_VCPUS": "3", "GENOMICS_PIPELINE_MEMORY_MIB": "777"}
    process = work(only(payload, "a"), **variables, AWS_BATCH_JOB_ID="job-1", AWS_BATCH_JOB_ATTEMPT="2")
    out, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    assert (tmp_path / "run/results/copies/a.txt").read_text() == "[3, 777]"
    repetition, metrics = map(json.loads, out.splitlines())
    assert (repetition["Job"], repetition["Attempt"], repetition["LostHosts"]) == ("job-1", 2, 1)
    assert {name: metrics[name] for name in ("Stage", "Outcome", "Run", "Item", "Items", "OutputBytes")} == {
        "Stage": "copies",
        "Outcome": "succeeded",
        "Run": "r",
        "Item": "a",
        "Items": 1,
        "OutputBytes": 8,
    }
    job = json.loads((tmp_path / "run/steps/copies/a/job.json").read_bytes())
    assert (job["job_id"], job["attempt"]) == ("job-1", 2)


def test_the_first_attempt_reports_its_wait_and_each_item_the_bytes_it_read(
    payload: dict[str, Any], work: Work, tmp_path: Path
) -> None:
    submitted = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    job = {"AWS_BATCH_JOB_ID": "job-1", "AWS_BATCH_JOB_ATTEMPT": "1", "GENOMICS_PIPELINE_SUBMITTED": submitted}
    out, _ = work(only(payload, "a"), **job).communicate()
    wait, item = map(json.loads, out.splitlines())
    assert (wait["Stage"], wait["Job"], wait["Attempt"]) == ("copies", "job-1", 1)
    assert 3600 <= wait["QueueWait"] < 7200
    assert item["InputBytes"] == (tmp_path / "a.fq").stat().st_size == 2
    assert json.loads((tmp_path / "run/steps/copies/a/step.json").read_bytes())["input_bytes"] == 2
    again, _ = work(only(payload, "b"), **{**job, "AWS_BATCH_JOB_ATTEMPT": "2"}).communicate()
    assert "QueueWait" not in again
    for text in ("yesterday", "2026-11-28T14:32:55"):
        process = work(only(payload, "a"), **{**job, "GENOMICS_PIPELINE_SUBMITTED": text})
        assert process.communicate()[1] == (
            f"error: GENOMICS_PIPELINE_SUBMITTED: expected a time such as 2026-11-28T14:32:55.000Z, found {text!r}\n"
        )
        assert process.returncode == 65


def test_the_host_that_user_data_describes_is_recorded_for_the_costs(
    payload: dict[str, Any], work: Work, tmp_path: Path
) -> None:
    facts = {"instance_type": "c6id.4xlarge", "zone": "us-east-1b", "market": "spot"}
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch/host.json").write_text(json.dumps(facts))
    out, error = work(only(payload, "a", "b")).communicate()
    assert error == "error: b: bad\n"
    for line in map(json.loads, out.splitlines()):  # of a success and of a failure
        assert (line["InstanceType"], line["Zone"], line["Market"]) == ("c6id.4xlarge", "us-east-1b", "spot")
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage", "Outcome"]]
        name = "step.json" if line["Outcome"] == "succeeded" else "failure.json"
        record = json.loads((tmp_path / "run/steps/copies" / line["Item"] / name).read_bytes())
        dollars = task_dollars(facts, record["seconds"], record["vcpus"], record["memory_mib"])
        assert line["Cost"] == pytest.approx(dollars, rel=0.1), "as `cost RUN` counts it"
        assert line["Cost"] > 0
    assert json.loads((tmp_path / "run/steps/copies/a/step.json").read_bytes())["host"] == facts


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"instance_type": 1, "zone": "a b", "market": "spot"}', "{" * 9999])
def test_a_host_without_facts_runs_tasks(text: str, payload: dict[str, Any], work: Work, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch/host.json").write_text(text)
    process = work(only(payload, "a"))
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert json.loads((tmp_path / "run/steps/copies/a/step.json").read_bytes())["host"] == {}


def test_the_next_attempt_records_one_that_left_no_record(payload: dict[str, Any], work: Work, tmp_path: Path) -> None:
    folder = tmp_path / "run/steps/copies/a"
    folder.mkdir(parents=True)

    def attempts(lost: dict[str, Any], **job: str) -> list[tuple[Any, ...]]:
        lost = {"started": "2026-11-28T10:00:00+00:00", "vcpus": 1, "host": {"market": "spot"}, **lost}
        (folder / "job.json").write_text(json.dumps(lost))
        out, error = work(only(payload, "a"), **job).communicate()
        assert (bool(out), error) == (True, "")
        record = json.loads((folder / "step.json").read_bytes())
        (folder / "step.json").unlink()
        return [
            tuple(one[name] for name in ("class", "exit_code", "job_id", "attempt", "started", "host", "memory_mib"))
            for one in record.get("failed_attempts", ())
        ]

    start, end, host = "2026-11-28T10:00:00+00:00", "2026-11-28T10:01:00.000Z", {"market": "spot"}
    first = {"job_id": "job-1", "attempt": 1, "memory_mib": 777}
    again = {"AWS_BATCH_JOB_ID": "job-1", "AWS_BATCH_JOB_ATTEMPT": "2"}
    assert attempts(first, **again) == [("host_lost", None, "job-1", 1, start, host, 777)]
    tried, other = "GENOMICS_PIPELINE_TRIED", {"AWS_BATCH_JOB_ID": "job-3", "GENOMICS_PIPELINE_SUBMITTED": end}
    (never, killed) = attempts(first, **other, **{tried: "[image 512 job-0,timeout 777 job-1]"})
    assert never == ("image", None, "job-0", 1, "", {}, 512)
    assert killed == ("timeout", None, "job-1", 1, start, host, 777)
    unnamed = "[throttled 777 ,timeout 777 ]"  # by Step Functions, which does not name the job
    assert attempts(first, **other, **{tried: unnamed}) == [killed]
    repeated = attempts({**first, "job_id": "job-3", "attempt": 2}, **other, AWS_BATCH_JOB_ATTEMPT="3")
    assert [one[:5] for one in repeated] == [
        ("host_lost", None, "job-3", 1, ""),
        ("host_lost", None, "job-3", 2, start),
    ]
    assert attempts(first, **other) == []  # a rerun: its first attempt reads nothing
    (own,) = attempts({**first, "attempt": 2}, **again)  # of which the file says nothing
    assert own[:5] == ("host_lost", None, "job-1", 1, "")


def test_a_bad_item_does_not_stop_the_others_and_decides_the_exit_code(
    payload: dict[str, Any], work: Work, tmp_path: Path
) -> None:
    job = {"AWS_BATCH_JOB_ID": "job-1", "AWS_BATCH_JOB_ATTEMPT": "2"}
    process = work(json.dumps({**payload, "items": payload["items"][1::-1]}), **job)
    out, error = process.communicate()
    assert (process.returncode, error) == (65, "error: b: bad\n")
    assert [json.loads(line).get("Outcome") for line in out.splitlines()] == [None, "bad_input", "succeeded"]
    assert (tmp_path / "run/results/copies/a.txt").exists()
    record = json.loads((tmp_path / "run/steps/copies/b/failure.json").read_bytes())
    expected = {"class": "bad_input", "message": "bad", "exit_code": 65, "job_id": "job-1", "attempt": 2}
    assert expected.items() <= record.items()
    assert not (tmp_path / "run/steps/copies/a/failure.json").exists()


def test_sigterm_ends_the_program_and_is_never_success(payload: dict[str, Any], work: Work, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "w.fq.started")
    process = work(only(payload, "w"))
    (tmp_path / "w.fq.started").open().close()  # blocks until the program opens it
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate()
    message = "error: ended by SIGTERM: Spot host lost, timeout or cancelled\n"
    assert (process.returncode, out, error) == (143, "", message)
    assert list((tmp_path / "scratch").iterdir()) == []


BAD = {
    "none": ("", "expected GENOMICS_PIPELINE_TASK in the environment, found none"),
    "list": ("[]", "GENOMICS_PIPELINE_TASK: expected a JSON object, found list"),
    "no JSON": ("x", "GENOMICS_PIPELINE_TASK: expected JSON: Expecting value: line 1 column 1 (char 0)"),
    "no payload": (
        '{"stage": "x"}',
        "GENOMICS_PIPELINE_TASK: expected a task payload, found one in which 'step' is missing or wrong",
    ),
    "no object": ("s3://RUN/none.json", "s3://RUN/none.json: expected a file, found none"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_invalid_payload_is_reported(name: str, payload: object, work: Work) -> None:
    task, message = BAD[name]
    process = work(task)
    out, error = process.communicate()
    assert (process.returncode, out, error) == (65, "", f"error: {message}\n")


def test_an_unknown_argument_is_refused(payload: object, work: Work) -> None:
    message = "error: expected no argument but --version or --health, found --help\n"
    assert work("{}", "--help").communicate()[1] == message


VARIABLES = {
    "VCPUS": ("0", "expected a whole number of at least 1, found '0'"),
    "MEMORY_MIB": ("2G", "expected a whole number of at least 1, found '2G'"),
    "BUCKETS": ("x", "expected a JSON object of folders, found 'x'"),
    "TRIED": ("[late 1 j]", "expected failed attempts such as [timeout 4096 7c1f], found '[late 1 j]'"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_an_invalid_variable_is_reported(name: str, payload: dict[str, Any], work: Work) -> None:
    value, message = VARIABLES[name]
    process = work(only(payload, "a"), **{f"GENOMICS_PIPELINE_{name}": value})
    assert process.communicate() == ("", f"error: GENOMICS_PIPELINE_{name}: {message}\n")
    assert process.returncode == 65


def test_a_failure_of_the_machine_is_one_line_and_not_bad_input(
    payload: dict[str, Any], work: Work, tmp_path: Path
) -> None:
    (tmp_path / "scratch").write_text("a file where a folder must be")
    process = work(only(payload, "a"))
    out, error = process.communicate()
    assert (process.returncode, json.loads(out)["Outcome"], error.count("\n")) == (1, "tool_error", 1)
    assert error.startswith(f"error: a: {tmp_path}/scratch")


def test_health_checks_libraries_program_and_scratch_folder(payload: object, work: Work, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    process = work("", "--health")
    assert (*process.communicate(), process.returncode) == ("", "", 0)
    (tmp_path / "scratch").rmdir()
    declared = tmp_path / "copy/step.toml"
    declared.write_text(declared.read_text().replace("{python}", "{step_dir}/none"))
    process = work("", "--health")
    messages = [
        "error: {step_dir}/none: expected a program, found none that can be run\n",
        f"error: {tmp_path}/scratch: expected a folder that can be written to: No such file or directory\n",
    ]
    assert (*process.communicate(), process.returncode) == ("", "".join(messages), 1)


def test_another_steps_task_is_refused(payload: dict[str, Any], work: Work) -> None:
    process = work(json.dumps({**payload, "step": "sort"}))
    assert process.communicate()[1] == "error: GENOMICS_PIPELINE_TASK: expected a task of the step copy, found sort\n"


def test_large_payloads_and_items_are_read_from_their_uris(payload: dict[str, Any], work: Work, tmp_path: Path) -> None:
    (tmp_path / "run/items").mkdir()
    (tmp_path / "run/items/a.json").write_text(json.dumps(payload["items"][0]))
    short = {**payload, "items": [{"sample": "a", "uri": "s3://RUN/items/a.json"}]}
    (tmp_path / "run/task.json").write_text(json.dumps(short))
    process = work("s3://RUN/task.json")
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert (tmp_path / "run/results/copies/a.txt").exists()


def test_another_item_at_a_uri_is_refused(payload: dict[str, Any], work: Work, tmp_path: Path) -> None:
    (tmp_path / "run/b.json").write_text(json.dumps(payload["items"][1]))
    process = work(json.dumps({**payload, "items": [{"sample": "a", "uri": "s3://RUN/b.json"}]}))
    message = "error: s3://RUN/b.json: expected the item {'sample': 'a'}, found another one\n"
    assert process.communicate()[1] == message


def test_the_version_names_the_step(payload: object, work: Work) -> None:
    out, _ = work("", "--version").communicate()
    assert out.startswith("genomics-pipeline 0.1.0, step copy 2 (")

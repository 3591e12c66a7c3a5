"""`genomics-pipeline rerun` of a run on AWS; status, results, runs and cancel see one run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.runs.aws import cancel as use_case
from tests.cli.conftest import Ended
from tests.cli.test_cancel import wait_until_cancelled
from tests.cli.test_cohort_on_aws import JOINT, genotypes, on_s3
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import OUTPUT, by_item, output_key, payload_of, shipped_steps

if TYPE_CHECKING:
    from genomics_pipeline.engine.tasks.job import Job
    from tests.fakes.aws import FakeAws
    from tests.fakes.batch import Log

VARIANTS = "variant_calling/sample1/sample1.g.vcf.gz"
Cli = Callable[..., Ended]


def json_of(ended: Ended) -> Any:
    """Return what a command printed, as JSON."""
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.fixture
def failed_run(step_functions: FakeAws, stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> str:
    """Return a run of five samples that has ended: one ran out of memory, one has bad reads."""
    ends = {"big": JobEnd(137, "OutOfMemoryError: Container killed due to memory usage"), "bad": JobEnd(65, "no FASTQ")}
    step_functions.batch.run_job = by_item(lambda stage, item: ends.get(item, JobEnd(0)))
    sheet = stack.sheet(tmp_path / "cohort.csv", "a", "big", "c", "bad", "e")
    run = str(json_of(cli("submit", sheet, "--reference", reference, "--json"))["run"])
    step_functions.execution(run).wait()
    assert step_functions.execution(run).status == "SUCCEEDED"
    return run


def test_a_fixed_cohort_is_completed(stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli) -> None:
    cohort = tmp_path / "cohort"
    assert cli("simulate", "--out", cohort, "--samples", "3", "--length", "12000", "--depth", "20").code == 0
    ran: list[tuple[str, str]] = []
    steps = shipped_steps(tmp_path / "scratch")

    def run_job(job: Job, log: Log) -> JobEnd:
        payload = payload_of(job)
        ran.extend((payload.stage, item.get("sample", "-")) for item in payload.items)
        return steps(job, log)

    step_functions.batch.run_job = run_job
    sheet = on_s3(cohort, stack, tmp_path / "cohort.csv", broken="sample2")
    run = json_of(cli("submit", sheet, "--reference", cohort / "reference.fa", "--json"))["run"]
    step_functions.execution(run).wait()
    ran.clear()

    on_s3(cohort, stack, tmp_path / "cohort.csv", broken="")
    started = json_of(cli("rerun", run, "--json"))
    assert {name: started[name] for name in ("run", "execution", "status", "started", "samples", "first")} == {
        "run": run,
        "execution": f"{run}-r1",
        "status": "RUNNING",
        "started": True,
        "samples": 1,
        "first": ["sample2"],
    }
    step_functions.execution(f"{run}-r1").wait()
    stages = ["alignment", "variant_calling", "aggregation", "gather"]
    assert ran == [(stage, "sample2" if number < 2 else "-") for number, stage in enumerate(stages)]

    status = json_of(cli("status", run, "--json"))
    assert (status["status"], status["execution"], status["executions"]) == ("SUCCEEDED", f"{run}-r1", 2)
    assert [status["map_runs"][0][name] for name in ("total", "succeeded", "failed")] == [3, 3, 0]
    assert status["failures"]["items"] == []
    fetched = cli("results", run, "--json", "--download", tmp_path / "fetched")
    assert [json.loads(line)["state"] for line in fetched.out.splitlines()] == ["SUCCEEDED"] * 4

    here = ("--reference", cohort / "reference.fa", "--out", tmp_path / "here")
    assert cli("run", cohort / "cohort.csv", *here).code == 0
    assert genotypes(tmp_path / "fetched" / JOINT) == genotypes(tmp_path / "here/results" / JOINT)
    nothing = cli("rerun", run)
    assert (nothing.code, nothing.out) == (0, f"{run}: nothing to rerun: every sample succeeded\n")

    stack.s3.delete_object(Bucket=stack.bucket, Key=f"runs/{run}/results/{VARIANTS}")
    ran.clear()
    assert json_of(cli("rerun", run, "--json"))["first"] == ["sample1"]
    step_functions.execution(f"{run}-r2").wait()
    assert [stage for stage, item in ran if item == "sample1"] == ["alignment", "variant_calling"]
    assert cli("results", run, "--download", tmp_path / "again").code == 0
    for file in (VARIANTS, JOINT):
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "fetched" / file).read_bytes()


def test_only_a_class_with_more_memory_and_a_chain_of_two(
    failed_run: str, step_functions: FakeAws, stack: Deployed, cli: Cli
) -> None:
    dry = cli("rerun", failed_run, "--dry-run")
    assert dry.out == (
        f"{failed_run}: {failed_run}-r1 would run 2 samples, 1 out of memory, 1 bad input: big, bad; "
        "nothing was written or started\n"
    )
    assert stack.keys(f"runs/{failed_run}/reruns/") == []
    asked: list[tuple[str, str]] = []

    def run_job(job: Job, log: Log) -> JobEnd:
        asked.append((payload_of(job).stage, job.environment["GENOMICS_PIPELINE_MEMORY_MIB"]))
        return by_item(lambda stage, item: JobEnd(0))(job, log)

    step_functions.batch.run_job = run_job
    options = ("--class", "out_of_memory", "--memory", "alignment=65536", "--param", "variant_calling.ploidy=1")
    shown = cli("rerun", failed_run, *options)
    assert shown.out.splitlines()[0] == f"{failed_run}: {failed_run}-r1: 1 sample, 1 out of memory: big"
    step_functions.execution(f"{failed_run}-r1").wait()
    assert asked[0] == ("alignment", "65536")
    execution_input = stack.read(f"runs/{failed_run}/reruns/1/input.json")
    assert json.loads(step_functions.execution(f"{failed_run}-r1").text) == execution_input
    assert execution_input["memory_mib"] == {"alignment": 65536}
    assert execution_input["parameters"] == {
        "alignment": {"format": "cram"},
        "variant_calling": {"ploidy": 1},
    }
    assert execution_input["tolerated"] == {"percentage": 100, "count": 1}  # of five samples two may fail, and one has
    (whole,) = {key.split("/")[-2] for key in stack.keys(f"runs/{failed_run}/map-runs/Sample/") if "FAILED" in key}
    assert [details["Key"].split("/")[-2] for details in execution_input["earlier"]["Sample"]] == [whole]
    record = stack.read(f"runs/{failed_run}/reruns/1/run.json")
    assert (record["execution"], record["parent"], record["classes"]) == (
        f"{failed_run}-r1",
        failed_run,
        ["out_of_memory"],
    )

    incomplete = cli("status", failed_run, "--json")
    status = json.loads(incomplete.out)
    assert (incomplete.code, status["missing"]["accepted"]) == (1, False)
    assert [status["map_runs"][0][name] for name in ("total", "succeeded", "failed")] == [5, 4, 1]
    assert [one["item"] for one in status["failures"]["items"]] == ["bad"]
    (missing,) = map(json.loads, cli("results", failed_run, "--failed", "--json").out.splitlines())
    assert missing["sample"] == "bad"
    assert "==> alignment bad  " in cli("logs", failed_run, "--failed").out
    again = cli("rerun", failed_run, "--class", "out_of_memory")
    assert (again.code, again.out) == (
        1,
        f"{failed_run}: nothing to rerun: not selected: 1 sample that failed or never started\n",
    )

    assert json_of(cli("rerun", failed_run, "--json"))["execution"] == f"{failed_run}-r2"
    step_functions.execution(f"{failed_run}-r2").wait()
    execution_input = stack.read(f"runs/{failed_run}/reruns/2/input.json")
    assert execution_input["parameters"] == {"alignment": {"format": "cram"}}
    assert len(execution_input["earlier"]["Sample"]) == 2
    status = json_of(cli("status", failed_run, "--json"))
    assert [status["map_runs"][0][name] for name in ("total", "succeeded", "failed")] == [5, 5, 0]
    rows = [json.loads(line) for line in cli("runs", "--json").out.splitlines()]
    assert [(row["run"], row["status"], row["samples"]) for row in rows] == [(failed_run, "SUCCEEDED", 5)]


def test_a_running_rerun_prevents_another_and_can_be_cancelled(
    failed_run: str, step_functions: FakeAws, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "PAUSE_S", 0)
    step_functions.batch.run_job = wait_until_cancelled
    assert json_of(cli("rerun", failed_run, "--json"))["started"] is True
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    refused = cli("rerun", failed_run)
    assert (refused.code, refused.err) == (
        1,
        f"error: run {failed_run}: execution {failed_run}-r1 is running; wait for it "
        f"(genomics-pipeline status {failed_run} "
        f"--watch), or genomics-pipeline cancel {failed_run}\n",
    )
    assert json_of(cli("status", failed_run, "--json"))["map_runs"][0]["running"] == 2
    assert json_of(cli("cancel", failed_run, "--yes", "--json"))["status"] == "ABORTED"
    step_functions.execution(f"{failed_run}-r1").wait()
    rows = [json.loads(line) for line in cli("runs", "--json", "--status", "ABORTED").out.splitlines()]
    assert [row["run"] for row in rows] == [failed_run]
    assert cli("runs", "--json", "--status", "SUCCEEDED").out == ""
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    assert json_of(cli("rerun", failed_run, "--json"))["samples"] == 2  # the cancelled samples
    step_functions.execution(f"{failed_run}-r2").wait()
    status = json_of(cli("status", failed_run, "--json"))
    assert (status["executions"], status["map_runs"][0]["succeeded"]) == (3, 5)


def test_if_only_a_later_stage_failed_one_sample_is_included(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(1 if stage == "gather" else 0))
    sheet = stack.sheet(tmp_path / "cohort.csv", "a", "b")
    run = json_of(cli("submit", sheet, "--reference", reference, "--json"))["run"]
    step_functions.execution(run).wait()
    assert "led to a Fail state" in cli("redrive", run).err  # a redrive would enter it again
    assert cli("rerun", run, "--dry-run").out == (
        f"{run}: {run}-r1 would run only the stages after the samples; nothing was written or started\n"
    )
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    assert cli("rerun", run).out.splitlines()[0] == (
        f"{run}: {run}-r1: no sample failed; only the stages after the samples run"
    )
    step_functions.execution(f"{run}-r1").wait()
    (item,) = stack.s3.get_object(Bucket=stack.bucket, Key=f"runs/{run}/reruns/1/manifest.jsonl")["Body"].iter_lines()
    assert json.loads(item)["sample"] == "a"
    status = json_of(cli("status", run, "--json"))
    assert [status["map_runs"][0][name] for name in ("total", "succeeded", "failed")] == [2, 2, 0]
    assert (status["status"], status["executions"]) == ("SUCCEEDED", 2)


def test_after_a_later_stage_failed_samples_whose_records_are_damaged_run_again(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(1 if stage == "gather" else 0))
    run = json_of(cli("submit", stack.sheet(tmp_path / "s.csv", "a", "b"), "--reference", reference, "--json"))["run"]
    step_functions.execution(run).wait()
    stack.put(f"runs/{run}/steps/variant_calling/b/step.json", "{")
    chosen = json_of(cli("rerun", run, "--dry-run", "--json"))
    assert (chosen["samples"], chosen["first"], chosen["by_class"]) == (1, ["b"], {"pending": 1})


@pytest.fixture
def whole_run(step_functions: FakeAws, stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> str:
    """Return a run of five samples that has succeeded."""
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    sheet = stack.sheet(tmp_path / "cohort.csv", "a", "b", "c", "d", "e")
    run = str(json_of(cli("submit", sheet, "--reference", reference, "--json"))["run"])
    step_functions.execution(run).wait()
    assert cli("rerun", run).out == f"{run}: nothing to rerun: every sample succeeded\n"
    return run


def test_what_is_lost_after_success_is_shown_and_made_again(
    whole_run: str, stack: Deployed, step_functions: FakeAws, cli: Cli
) -> None:
    below = f"runs/{whole_run}"
    stack.s3.delete_object(Bucket=stack.bucket, Key=f"{below}/{output_key('alignment', 'b')}")
    stack.put(f"{below}/{output_key('variant_calling', 'c')}", OUTPUT[:-1])
    stack.put(f"{below}/steps/alignment/d/step.json", "{")

    shown = cli("status", whole_run, "--json")
    missing = json.loads(shown.out)["missing"]
    assert (shown.code, missing["first"], missing["by_class"]) == (1, ["b", "c", "d"], {"pending": 3})
    rows = [json.loads(line) for line in cli("results", whole_run, "--failed", "--json").out.splitlines()]
    assert [row["sample"] for row in rows] == ["b", "c", "d"]
    listed = [json.loads(line) for line in cli("results", whole_run, "--json").out.splitlines()]
    assert [one["item"] for one in listed if one["state"] == "PENDING"] == ["b", "c", "d"]

    chosen = json_of(cli("rerun", whole_run, "--dry-run", "--json"))
    assert (chosen["samples"], chosen["first"]) == (3, ["b", "c", "d"])
    assert json_of(cli("rerun", whole_run, "--sample", "c", "--dry-run", "--json"))["first"] == ["c"]
    assert cli("rerun", whole_run).code == 0
    step_functions.execution(f"{whole_run}-r1").wait()
    state = json_of(cli("status", whole_run, "--json"))
    assert (state["status"], "missing" in state) == ("SUCCEEDED", False)


def test_a_lost_output_of_the_cohort_is_made_again(
    whole_run: str, stack: Deployed, step_functions: FakeAws, cli: Cli
) -> None:
    stack.s3.delete_object(Bucket=stack.bucket, Key=f"runs/{whole_run}/{output_key('gather', 'cohort')}")
    assert json.loads(cli("status", whole_run, "--json").out)["missing"]["cohort"] is True
    started = cli("rerun", whole_run)
    assert "no sample failed; only the stages after the samples run" in started.out
    step_functions.execution(f"{whole_run}-r1").wait()
    assert "missing" not in json_of(cli("status", whole_run, "--json"))


def test_a_look_for_lost_outputs_lists_them(
    whole_run: str, cli: Cli, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moto logs its requests."""
    monkeypatch.setattr(logging.getLogger("werkzeug"), "level", logging.INFO)
    for command in (("rerun",), ("status", "--no-table"), ("results",)):
        caplog.clear()
        assert cli(*command, whole_run).code == 0
        requests = [record.getMessage() for record in caplog.records if record.name == "werkzeug"]
        about_outputs = [one for one in requests if "/results/" in one and "/results/gather/" not in one]
        assert ["list-type=2" in one for one in about_outputs] == [True], about_outputs
        assert len([one for one in requests if "/steps/alignment/" in one]) == 5, command


def test_a_redrive_continues_the_newest_execution(
    failed_run: str, step_functions: FakeAws, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "PAUSE_S", 0)
    step_functions.batch.run_job = wait_until_cancelled
    assert cli("rerun", failed_run).code == 0
    step_functions.batch.wait(lambda batch: len(batch.running()) == 2)
    assert cli("cancel", failed_run, "--yes").code == 0
    step_functions.execution(f"{failed_run}-r1").wait()
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    assert json_of(cli("redrive", failed_run, "--json"))["redriven"] is True
    step_functions.execution(f"{failed_run}-r1").wait()
    status = json_of(cli("status", failed_run, "--json"))
    assert (status["status"], status["execution"]) == ("SUCCEEDED", f"{failed_run}-r1")
    assert [status["map_runs"][0][name] for name in ("total", "succeeded", "failed")] == [5, 5, 0]
    assert cli("rerun", failed_run).out == f"{failed_run}: nothing to rerun: every sample succeeded\n"


def test_a_class_recorded_by_the_worker_takes_precedence(failed_run: str, stack: Deployed, cli: Cli) -> None:
    place = f"runs/{failed_run}/steps/alignment/bad"
    job = stack.read(f"{place}/job.json")
    failure = {
        "class": "tool_error",
        "message": "it is not the reads",
        "exit_code": 1,
        "job_id": job["job_id"],
        "attempt": 1,
        "seconds": 1.5,
        "vcpus": 1,
        "memory_mib": 2048,
        "host": {},
        "step": "alignment",
        "version": "1",
        "submitted": "",
        "started": "2026-11-28T10:00:00.000+00:00",
        "peak_memory_mib": 0,
        "processor_seconds": 0,
        "number": 1,
        "program": "",
    }
    stack.put(f"{place}/failure.json", json.dumps(failure))
    plan = json_of(cli("rerun", failed_run, "--dry-run", "--json"))
    assert plan["by_class"] == {"out_of_memory": 1, "tool_error": 1}
    assert json_of(cli("rerun", failed_run, "--dry-run", "--json", "--class", "tool_error"))["first"] == ["bad"]


def test_another_definition_is_deployed(failed_run: str, step_functions: FakeAws, stack: Deployed, cli: Cli) -> None:
    machine = step_functions.execution(failed_run).machine
    document = json.loads(machine.definition)
    document["Comment"] = "another"
    machine.definition = json.dumps(document)
    ended = cli("rerun", failed_run)
    assert ended.code == 1
    assert "expected the definition of this installation; `genomics-pipeline deploy` first: $.Comment" in ended.err
    assert stack.keys(f"runs/{failed_run}/reruns/") == []


def test_an_unknown_sample_or_stage_is_refused(failed_run: str, cli: Cli) -> None:
    ended = cli("rerun", failed_run, "--sample", "bd")
    assert (ended.code, ended.err) == (2, "error: --sample bd: no such sample in this run; did you mean 'bad'?\n")
    ended = cli("rerun", failed_run, "--memory", "aligment=9", "--memory", "calling=7")
    assert ended.err == (
        "error: --memory aligment=9: unknown stage 'aligment'; did you mean 'alignment'?\n"
        "error: --memory calling=7: unknown stage 'calling'; did you mean 'variant_calling'?\n"
    )
    ended = cli("rerun", failed_run, "--memory", "aligment=9", "--memory", "much", "--memory", "alignment=0")
    assert (ended.code, ended.err) == (
        2,
        "error: --memory much: expected [STAGE=]MIB, such as alignment=32768\n"
        "error: --memory alignment=0: expected [STAGE=]MIB, such as alignment=32768\n",
    )

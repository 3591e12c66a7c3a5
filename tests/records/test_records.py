"""Records: they are read as they were written, and records in an unknown form are reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model import budgets
from genomics_pipeline.model.execution_input import WAIT_S, ExecutionInput
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.provenance import InputVersion, Provenance
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.aws_run import AwsRunRecord, read_aws_run
from genomics_pipeline.records.completion import (
    CompletionRecord,
    FileRecord,
    OutputRecord,
    completion_version,
    delete_completion,
    read_completion,
    write_completion,
)
from genomics_pipeline.records.execution_input import input_text, read_input
from genomics_pipeline.records.failure import KEPT, FailureRecord, delete_failure, read_failure, write_failure
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.holder import Holder, read_holder, write_holder
from genomics_pipeline.records.job import BatchAttempt, StartedJob, read_job, write_job
from genomics_pipeline.records.local_run import read_local_run, write_local_run
from genomics_pipeline.records.rerun import ChosenSamples, RerunRecord, read_rerun, write_rerun
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import MissingObject
from tests.runs.records import local_run

RUN = RunPlace("r", "bucket", "runs/r/")
SHA256 = "ab" * 32
TIME = "2026-11-24T10:00:00+00:00"
INDEX = {"key": "k.i", "size_bytes": 1, "sha256": SHA256}
PROVENANCE = Provenance(
    "caller", "1.0", "p", {"ploidy": 2, "regions": None}, {"panel": "1-2"},
    {"bam": InputVersion(SHA256, 1, ("cd",)), "others": InputVersion(SHA256, 70)}, {"sample": "a"}, {"out": ""},
)  # fmt: skip
COMPLETION = CompletionRecord(
    "calling", "a", PROVENANCE, TIME, 1.5, 2, 300, 120,
    {"out": OutputRecord("results/a.vcf", 3, SHA256, (FileRecord("results/a.vcf.tbi", 1, SHA256),))},
    {"alignment.bam": "cd"}, tools={"samtools": "1.24"}, left_out_seconds=0.25,
)  # fmt: skip
AWS_RUN = AwsRunRecord(
    "r", "germline", "stack", "arn:machine", "arn:execution", "d", SHA256, {"calling": {"ploidy": 1}},
    {"percentage": 2.5, "count": 3}, {"percentage": 1, "count": 3}, "s3://b/ref.fa", "sheet.csv", "germline", 2, TIME,
)  # fmt: skip
CHOSEN = ChosenSamples("r-2", 1, {"image": 1}, ("a",), left_out=2)
CARRIED = ChosenSamples("r-2", 0, {}, (), left_out=0, carried="a")
LOCAL_RERUN = RerunRecord(
    1, "r-2", "r-1", "reruns/1/manifest.jsonl", ("image",), (), {}, {"calling": 512}, CHOSEN, TIME,
    accepted={"percentage": 100, "count": 3},
)  # fmt: skip
AWS_RERUN = RerunRecord(1, "r-2", "r-1", "reruns/1/manifest.jsonl", (), ("a",), {}, {}, CARRIED, TIME, "arn:e", 1)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "bucket").mkdir()
    return LocalStore({"bucket": tmp_path / "bucket"})


def test_a_completion_record_is_read_as_it_was_written(store: LocalStore) -> None:
    assert read_completion(store, RUN, "calling", "a") is None
    assert completion_version(store, RUN, "calling", "a") is None
    write_completion(store, RUN, COMPLETION)
    record = read_completion(store, RUN, "calling", "a")
    assert record is not None
    assert record.reused
    assert record.to_json() == COMPLETION.to_json()
    assert record.outputs == COMPLETION.outputs
    assert completion_version(store, RUN, "calling", "a") is not None
    delete_completion(store, RUN, "calling", "a")
    delete_completion(store, RUN, "calling", "a")
    assert read_completion(store, RUN, "calling", "a") is None


@pytest.mark.parametrize(
    "change",
    [
        {"program": 7},
        {"inputs": {"bam": {"digest": SHA256, "count": -1, "files": []}}},
        {"inputs": {"bam": {"digest": SHA256, "count": 1, "files": [1]}}},
        {"members": {"sample": []}},
        {"seconds": "1"},
        {"vcpus": True},
        {"outputs": []},
        {"outputs": {"out": {"key": "k", "size_bytes": 1, "sha256": SHA256}}},
        {"outputs": {"out": {"key": "k", "size_bytes": 1, "sha256": SHA256, "indexes": [7]}}},
        {"outputs": {"out": {"key": "k", "size_bytes": 1, "sha256": "x", "indexes": []}}},
        {"outputs": {"out": {"key": "k", "size_bytes": 1, "sha256": SHA256, "indexes": [{"key": "k.i"}]}}},
        {"stage": "another"},
        {"item": "another"},
        {"intermediate": None},
        {"outputs": {"out": {"key": "../k", "size_bytes": 1, "sha256": SHA256, "indexes": []}}},
        {"outputs": {"out": {"key": "/etc/k", "size_bytes": 1, "sha256": SHA256, "indexes": []}}},
        {"outputs": {"out": {"key": "a/\nk", "size_bytes": 1, "sha256": SHA256, "indexes": []}}},
        {
            "outputs": {
                "out": {
                    "key": "k",
                    "size_bytes": 1,
                    "sha256": SHA256,
                    "indexes": [{**INDEX, "key": "a/../k"}],
                }
            }
        },
        {"started": "noon"},
        {"parameters": {"ploidy": [2]}},
        {"sources": {"alignment.bam": None}},
        {"parameters": None},
    ],
)
def test_an_invalid_completion_record_means_not_done(store: LocalStore, change: dict[str, Any]) -> None:
    text = json.dumps({**COMPLETION.to_json(), **change})
    store.write(RUN.uri("steps/calling/a/step.json"), text.encode())
    assert read_completion(store, RUN, "calling", "a") is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_file_without_an_object_is_no_record(store: LocalStore, text: bytes) -> None:
    for name in ("step.json", "failure.json", "job.json"):
        store.write(RUN.uri(f"steps/calling/a/{name}"), text)
    store.write(RUN.uri("run.json"), text)
    assert read_completion(store, RUN, "calling", "a") is None
    assert read_failure(store, RUN, "calling", "a") is None
    with pytest.raises(UnreadableRecord, match=r"job\.json(:1.*)?: expected the record of a Batch job, found no"):
        read_job(store, RUN, "calling", "a")
    with pytest.raises(UnreadableRecord, match=r"run\.json(:1.*)?: expected the record of a run on AWS, found no"):
        read_aws_run(store, RUN)


def test_a_file_that_is_too_large_is_no_record(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "RECORD_SIZE", budgets.Budget(1 << 20, "bytes", "a record"))
    for name in ("steps/calling/a/step.json", "run.json"):
        store.write(RUN.uri(name), b" " * (1 << 20) + b"{}")
    assert read_completion(store, RUN, "calling", "a") is None
    with pytest.raises(UnreadableRecord, match=r"run\.json: expected at most 1 MiB, found more; "):
        read_aws_run(store, RUN)


@pytest.mark.parametrize("attempt", [None, BatchAttempt("job", 2)])
def test_a_failure_is_read_as_it_was_written(store: LocalStore, attempt: BatchAttempt | None) -> None:
    host = {"instance_type": "m6id.large", "zone": "us-east-1a", "market": "spot"}
    record = FailureRecord(FailureClass.OUT_OF_DISK, "the disk is full", 74, attempt, 61.5, 2, 4096, host)
    write_failure(store, RUN, "calling", "a", record)
    assert read_failure(store, RUN, "calling", "a") == record
    delete_failure(store, RUN, "calling", "a")
    delete_failure(store, RUN, "calling", "a")
    assert read_failure(store, RUN, "calling", "a") is None


def test_a_record_keeps_the_newest_attempts_that_failed_before(store: LocalStore) -> None:
    record: FailureRecord | None = None
    for number in range(KEPT + 5):
        record = FailureRecord(FailureClass.TOOL_ERROR, f"failure {number + 1}", None).after(record)
        write_failure(store, RUN, "calling", "a", record)
        record = read_failure(store, RUN, "calling", "a")
        assert record is not None
        assert record.number == number + 1
    assert record is not None
    assert [one.number for one in record.attempts] == list(range(6, KEPT + 6))
    assert not any(one.earlier for one in record.attempts)
    done = replace(COMPLETION, failed_attempts=record.attempts)
    write_completion(store, RUN, done)
    found = read_completion(store, RUN, "calling", "a")
    assert found is not None
    assert found.failed_attempts == record.attempts


def test_a_failure_of_an_unknown_class_is_ignored(store: LocalStore) -> None:
    store.write(RUN.uri("steps/calling/a/failure.json"), b'{"class": "bad_luck", "message": "m", "exit_code": 1}')
    assert read_failure(store, RUN, "calling", "a") is None


def test_a_job_is_read_as_it_was_written(store: LocalStore) -> None:
    assert read_job(store, RUN, "calling", "a") is None
    job = StartedJob(BatchAttempt("job", 2), TIME, 4, 1024, {"market": "spot"})
    write_job(store, RUN, "calling", "a", job)
    assert read_job(store, RUN, "calling", "a") == job
    written = store.read(RUN.uri("steps/calling/a/job.json"))
    assert json.loads(written) == {
        "job_id": "job",
        "attempt": 2,
        "started": TIME,
        "vcpus": 4,
        "memory_mib": 1024,
        "host": {"market": "spot"},
    }


@pytest.mark.parametrize("summary", [{}, {"seconds": 2.5, "error": "calling: no reads", "samples": []}])
def test_a_local_run_is_read_as_it_was_written(store: LocalStore, tmp_path: Path, summary: dict[str, Any]) -> None:
    record, uri = local_run(summary=summary, parameters={"calling": {"ploidy": 1}}), str(tmp_path / "run.json")
    assert read_local_run(store, uri) is None
    write_local_run(store, uri, record)
    assert read_local_run(store, uri) == record
    assert (record.seconds, record.error) == (summary.get("seconds"), summary.get("error"))


def without(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != name}


LOCAL = local_run().to_json()
ADVICE = "; repeat the command of the run: steps that are done are reused"


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (without(LOCAL, "digest"), "found no member 'digest'"),
        ({**LOCAL, "execution": "1"}, "found 'execution' that is not a whole number: '1'"),
        ({**LOCAL, "tolerated": {"count": "all"}}, "found 'tolerated.count' that is not a number: 'all'"),
        ({**LOCAL, "status": "DONE"}, "found 'status' that is not one of RUNNING, SUCCEEDED, FAILED, ABORTED: 'DONE'"),
        ({**LOCAL, "input": "../input.json"}, "found 'input' that is not a key below the run: '../input.json'"),
        ({**LOCAL, "parameters": {"calling": {"a": []}}}, "'parameters.calling.a' that is not a parameter's value: []"),
        ({**LOCAL, "parameters": {"calling": 1}}, "found 'parameters.calling' that is not an object: 1"),
        ({**LOCAL, "started": "noon"}, "found 'started' that is not a time such as 2026-01-31T12:00:00+00:00: 'noon'"),
        ({**LOCAL, "request": without(LOCAL["request"], "manifest")}, "found no member 'request.manifest'"),
        ({**LOCAL, "request": {**LOCAL["request"], "containers": 1}}, "'request.containers' that is not a string"),
        ({**LOCAL, "summary": {"samples": []}}, "found no member 'summary.seconds'"),
    ],
)
def test_an_invalid_record_of_a_local_run_is_reported(
    store: LocalStore, tmp_path: Path, members: dict[str, Any], problem: str
) -> None:
    uri = str(tmp_path / "run.json")
    store.write(uri, json.dumps(members).encode())
    with pytest.raises(UnreadableRecord) as error:
        read_local_run(store, uri)
    text = str(error.value)
    assert text.startswith(f"{uri}: expected the record of a run, ")
    assert problem in text
    assert text.endswith(ADVICE)


def test_a_run_on_aws_is_read_as_it_was_written(store: LocalStore) -> None:
    with pytest.raises(MissingObject):
        read_aws_run(store, RUN)
    store.write(RUN.uri("run.json"), AWS_RUN.to_bytes())
    assert read_aws_run(store, RUN) == AWS_RUN


def test_an_invalid_record_of_a_run_on_aws_is_reported(store: LocalStore, tmp_path: Path) -> None:
    store.write(RUN.uri("run.json"), AWS_RUN.to_bytes().replace(b'"arn:machine"', b"7"))
    with pytest.raises(UnreadableRecord) as error:
        read_aws_run(store, RUN)
    assert str(error.value) == (
        f"{tmp_path}/bucket/runs/r/run.json: expected the record of a run on AWS, found 'state_machine_arn' that is "
        "not a string: 7; submit the run again"
    )


@pytest.mark.parametrize("record", [LOCAL_RERUN, AWS_RERUN], ids=["folder", "aws"])
def test_a_rerun_is_read_as_it_was_written(store: LocalStore, record: RerunRecord) -> None:
    uri = RUN.uri("reruns/1/run.json")
    assert read_rerun(store, uri) is None
    write_rerun(store, uri, record)
    assert read_rerun(store, uri) == record
    names = list(json.loads(store.read(uri)))
    assert ("begun" in names, "submitted" in names) == ((True, False) if record is LOCAL_RERUN else (False, True))


def test_an_invalid_record_of_a_rerun_is_reported(store: LocalStore) -> None:
    uri = RUN.uri("reruns/1/run.json")
    store.write(uri, json.dumps(without(AWS_RERUN.to_json(), "carried")).encode())
    with pytest.raises(UnreadableRecord, match=r"expected the record of a rerun, found no member 'carried'"):
        read_rerun(store, uri)


def test_an_input_is_read_as_it_was_written(store: LocalStore) -> None:
    details = {"Bucket": "bucket", "Key": "runs/r/map-runs/Sample/c24b/manifest.json"}
    execution_input = ExecutionInput(
        RUN, "s3://b/ref.fa", {"calling": {"ploidy": 2}}, {"percentage": 50, "count": 3}, "reruns/1/manifest.jsonl",
        {"calling": 512}, {"Sample": [details]}, 60, {"call": "arn:aws:batch:us-east-1:1:job-definition/call:7"},
        20, first_attempts={"gather": FirstAttempt(640, 900)},
    )  # fmt: skip
    store.write(RUN.uri("input.json"), input_text(execution_input).encode())
    assert read_input(store, RUN.uri("input.json")) == execution_input
    members = execution_input.to_json()
    older = {name: value for name, value in members.items() if name not in ("wait_s", "job_definitions")}
    store.write(RUN.uri("input.json"), json.dumps(older).encode())
    assert read_input(store, RUN.uri("input.json")) == replace(execution_input, wait_s=WAIT_S, job_definitions={})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"run": {"name": "r", "bucket": "b"}}, "found no member 'run.prefix'"),
        ({"tolerated": {"count": None}}, "found 'tolerated.count' that is not a number: None"),
        ({"max_concurrency": 10_001}, "found 'max_concurrency' that is not a whole number from 1 to 10,000: 10001"),
        ({"manifest": "../manifest.jsonl"}, "found 'manifest' that is not a key below the run"),
        ({"earlier": {"Sample": [1]}}, "found 'earlier.Sample' that is not an array of objects: [1]"),
        ({"earlier": {"Sample": [{"Bucket": "b"}]}}, "found no member 'earlier.Sample[0].Key'"),
    ],
)
def test_an_invalid_input_of_an_execution_is_reported(store: LocalStore, change: dict[str, Any], problem: str) -> None:
    members = ExecutionInput(RUN, "ref.fa", {}, {"percentage": 0, "count": 0}).to_json()
    store.write(RUN.uri("input.json"), json.dumps({**members, **change}).encode())
    with pytest.raises(UnreadableRecord, match="expected the input of an execution") as error:
        read_input(store, RUN.uri("input.json"))
    assert problem in str(error.value)


def test_a_holder_is_read_as_it_was_written(store: LocalStore, tmp_path: Path) -> None:
    uri = str(tmp_path / "holder.json")
    assert read_holder(store, uri) is None
    write_holder(store, uri, Holder(7, "node", "boot", "pid:[1]", "15", "t"))
    assert read_holder(store, uri) == Holder(7, "node", "boot", "pid:[1]", "15", "t")
    store.write(uri, b'{"pid": "7"}')
    assert read_holder(store, uri) is None

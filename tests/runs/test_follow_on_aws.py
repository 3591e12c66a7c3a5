"""`status`, `logs` and `results` of a run on AWS, with unmodified boto3 against the fakes and moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from click.testing import CliRunner, Result

from genomics_pipeline.asl.canonical import canonical_digest, canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.cli.main import cli
from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.status import watch
from genomics_pipeline.stores.protocol import ObjectReader
from tests.fakes.jobs import by_item
from tests.fakes.shared_clients import shared_session

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws
    from tests.fakes.batch_job import BatchJob

STACK, BUCKET, RUN, LOG_GROUP = "genomics-pipeline", "lab-data", "r1", "/genomics-pipeline/tasks"
TEMPLATE = {
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}},
    "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}},
}
SAMPLES = ["a", "bad", "c"]
Command = Callable[..., Result]


def end_of(stage: str, item: str) -> JobEnd:
    """Return the end of a job; one sample's reads are bad."""
    if (stage, item) == ("alignment", "bad"):
        return JobEnd(65, "bad_R1.fq: record 3: expected '@', found '>'")
    return JobEnd(0)


@pytest.fixture
def started_run(step_functions: FakeAws) -> Iterator[FakeAws]:
    """Yield the services with a stack and one run of three samples, which has begun."""
    session = shared_session()
    cloudformation, s3 = session.client("cloudformation"), session.client("s3")
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(TEMPLATE))
    session.client("logs").create_log_group(logGroupName=LOG_GROUP)
    pipeline = load_pipeline("germline")[0]
    definition = canonical_json(generate(pipeline))
    states = session.client("stepfunctions")
    machine = states.create_state_machine(
        name=f"{STACK}-germline", definition=definition, roleArn="arn:aws:iam::000000000000:role/r"
    )["stateMachineArn"]
    items = [{"sample": name, "lanes": []} for name in SAMPLES]
    given = {
        "run": {"name": RUN, "bucket": BUCKET, "prefix": f"runs/{RUN}/"},
        "reference": "s3://x/r.fa",
        "parameters": {},
        "manifest": "manifest.jsonl",
        "tolerated": {"percentage": 50, "count": 100_000_000},
        "memory_mib": {},
        "wait_s": 3600,
        "job_definitions": {},
        "earlier": {},
    }
    files = {
        "definition.json": definition,
        "manifest.jsonl": "".join(f"{json.dumps(item)}\n" for item in items),
        "intervals.jsonl": '{"interval": "00000", "regions": ["chr1:1-100"]}\n',
        "input.json": json.dumps(given),
        "run.json": json.dumps(
            {
                "run": RUN,
                "pipeline": "germline",
                "stack": STACK,
                "state_machine_arn": machine,
                "execution_arn": machine.replace(":stateMachine:", ":execution:") + f":{RUN}",
                "digest": "d",
                "definition": canonical_digest(json.loads(definition)),
                "parameters": {},
                "tolerated": {"percentage": 50, "count": 100_000_000},
                "reference": "s3://x/r.fa",
                "manifest": "sheet.csv",
                "request": {"pipeline": "germline"},
                "samples": len(items),
                "submitted": "2026-11-24T10:00:00+00:00",
            }
        ),
    }
    for name, text in files.items():
        s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN}/{name}", Body=text.encode())
    step_functions.batch.run_job = by_item(end_of)
    states.start_execution(stateMachineArn=machine, name=RUN, input=json.dumps(given))
    yield step_functions
    step_functions.states.close()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", ()):
            s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    session.client("logs").delete_log_group(logGroupName=LOG_GROUP)
    cloudformation.delete_stack(StackName=STACK)


@pytest.fixture
def ended_run(started_run: FakeAws) -> FakeAws:
    """Return the services after that run has ended."""
    started_run.execution(RUN).wait()
    return started_run


def failed_job(fake: FakeAws) -> BatchJob:
    """Return the job that failed."""
    (job,) = (one for one in fake.batch.jobs.values() if one.end and one.end.exit_code)
    return job


@pytest.fixture
def command() -> Command:
    def call(*arguments: str) -> Result:
        return CliRunner().invoke(cli, list(arguments))

    return call


def test_status_shows_each_stage_and_why_samples_failed(ended_run: FakeAws, command: Command) -> None:
    shown = command("status", RUN)
    assert shown.exit_code == 1
    lines = shown.output.splitlines()
    stream = failed_job(ended_run).stream.replace("/", "$252F")
    assert lines[0].startswith("r1  SUCCEEDED  germline, ")
    assert [line.rstrip() for line in lines[1:-5]] == [
        "Sample    2 of 3 done, 1 failed",
        "Interval  1 of 1 done",
        "gather    done",
        "stage            tasks  time p50  p95    memory p50  p95",
        "alignment        2      1.0 s     1.0 s  1 MiB       1 MiB",
        "variant_calling  2      1.0 s     1.0 s  1 MiB       1 MiB",
        "aggregation      1      1.0 s     1.0 s  1 MiB       1 MiB",
        "gather           1      1.0 s     1.0 s  1 MiB       1 MiB",
        "Failures: 1 bad input",
        "  bad (alignment): bad input: bad_R1.fq: record 3: expected '@', found '>'",
        "    log in the console: https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/"
        f"log-group/$252Fgenomics-pipeline$252Ftasks/log-events/{stream}",
        "logs: genomics-pipeline logs s3://lab-data/runs/r1 --failed",
        "results: genomics-pipeline results s3://lab-data/runs/r1",
        "execution in the console: https://console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/"
        "arn:aws:states:us-east-1:000000000000:execution:genomics-pipeline-germline:r1",
        "logs in the console: https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/"
        "log-group/$252Fgenomics-pipeline$252Ftasks",
        "The cohort is incomplete, it has 2 of 3 samples: exit code 1; --tolerate 1 would accept that",
        "Missing: 1 of 3 samples (1 bad input): bad",
        "list them: genomics-pipeline results s3://lab-data/runs/r1 --failed",
        "run them again (what is done is kept): genomics-pipeline rerun s3://lab-data/runs/r1",
    ]
    assert [line.split() for line in lines[-5:]] == [
        [],
        ["Sample", "State", "Seconds"],
        ["a", "done", "2.0"],
        ["bad", "FAILED", "0.0"],
        ["c", "done", "2.0"],
    ]
    assert command("status", RUN, "--no-table").output.splitlines()[1:] == lines[1:-5]


def test_status_as_json(ended_run: FakeAws, command: Command) -> None:
    run_status = json.loads(command("status", "s3://lab-data/runs/r1/", "--json").output)
    assert {name: run_status[name] for name in ("run", "status", "pipeline", "place")} == {
        "run": "r1",
        "status": "SUCCEEDED",
        "pipeline": "germline",
        "place": "s3://lab-data/runs/r1",
    }
    counts = {one["label"]: [one[name] for name in ("total", "succeeded", "failed")] for one in run_status["map_runs"]}
    assert counts == {"Sample": [3, 2, 1], "Interval": [1, 1, 0]}
    assert run_status["failures"]["by_class"] == {"bad_input": 1}
    (failure,) = run_status["failures"]["items"]
    assert (failure["item"], failure["stage"], failure["exit_code"]) == ("bad", "alignment", 65)
    assert failure["console"].endswith(f"/log-events/{failed_job(ended_run).stream.replace('/', '$252F')}")
    arns = [one["arn"] for one in run_status["map_runs"]]
    assert [one.rpartition(":")[0] for one in arns] == [
        f"arn:aws:states:us-east-1:000000000000:mapRun:genomics-pipeline-germline/{label}" for label in counts
    ]


def test_times_by_stage_are_percentiles_of_the_records(ended_run: FakeAws, command: Command) -> None:
    s3, key = boto3.client("s3"), f"runs/{RUN}/steps/alignment/c/step.json"
    record = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    slow = {**record, "seconds": 7230.4, "peak_memory_mib": 14_321}
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(slow).encode())
    stages = json.loads(command("status", RUN, "--json").output)["stages"]
    assert [one["stage"] for one in stages] == ["alignment", "variant_calling", "aggregation", "gather"]
    assert stages[0] == {
        "stage": "alignment",
        "tasks": 2,
        "seconds": {"p50": 1, "p95": 7230},
        "peak_memory_mib": {"p50": 1, "p95": 14_300},
    }


@pytest.mark.parametrize("name", ["status", "results", "explain", "logs --failed"])
def test_each_record_of_a_sample_is_read_once(
    name: str, ended_run: FakeAws, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a request to S3; `explain` and `logs` need none of samples that did not fail."""
    looked: list[tuple[str, str]] = []

    def read(store: ObjectReader, run: RunPlace, stage: str, item: str) -> CompletionRecord | None:
        looked.append((stage, item))
        return read_completion(store, run, stage, item)

    monkeypatch.setattr("genomics_pipeline.records.completion.read_completion", read)
    shown = command(name.split()[0], RUN, *name.split()[1:])
    assert shown.output, shown.exception
    samples = [one for one in looked if one[1] in SAMPLES]
    assert len(samples) == len(set(samples))
    expected = {"status": ["a", "c"], "results": ["a", "bad", "c"]}.get(name, [])
    assert sorted({item for _, item in samples}) == expected


def test_watching_ends_with_the_run_and_asks_little(started_run: FakeAws, command: Command) -> None:
    run = find_run(RUN, STACK, adapters())
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        started_run.execution(RUN).wait()

    states = list(watch(run, wait))
    assert states[-1].status == "SUCCEEDED"
    assert len(states) <= 2
    assert all(seconds >= 5 for seconds in waited)  # DescribeMapRun refills once a second, for a whole account
    asked = len(started_run.states.calls.of("DescribeMapRun"))
    list(watch(run, wait))
    assert len(started_run.states.calls.of("DescribeMapRun")) == asked  # they have ended


def test_throttling_is_waited_out(ended_run: FakeAws, command: Command) -> None:
    ended_run.states.gate.throttle("DescribeMapRun", 2)
    shown = command("status", RUN)
    assert (shown.exit_code, "2 of 3 done" in shown.output) == (1, True)


def test_logs_of_the_failed_come_from_the_attempts_log_stream(ended_run: FakeAws, command: Command) -> None:
    (job,) = (
        one
        for one in ended_run.batch.jobs.values()
        if one.job.name == f"{RUN}-alignment-bad" and one.end and one.end.exit_code
    )
    assert command("logs", RUN, "--failed").output == (
        f"==> alignment bad  {LOG_GROUP} {job.stream}\n"
        "bad input: bad_R1.fq: record 3: expected '@', found '>'\n"
        "alignment bad: exit code 65\n"
    )


def test_logs_of_a_sample_are_found_by_its_job(ended_run: FakeAws, command: Command) -> None:
    shown = command("logs", RUN, "--sample", "a", "--stage", "alignment")
    assert shown.exit_code == 0
    assert shown.output.splitlines()[1:] == ["alignment a: exit code 0"]
    assert LOG_GROUP in shown.output.splitlines()[0]


REFUSED: dict[str, tuple[str, str]] = {
    "sample": ("--sample bat", "bat: no such sample in this run; did you mean 'bad'?"),
    "stage": ("--sample a --stage align", "--stage align: no such stage in this run; did you mean 'alignment'?"),
    "nothing": ("", "expected --sample NAME or --failed: a run has too many logs to show them all"),
    "attempt": (
        "--sample a --stage alignment --attempt 3",
        "a: expected attempt 3 of alignment, found 1",
    ),
    "not begun": ("--sample bad --stage variant_calling", "bad: expected a log of variant_calling, found none yet"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_logs_that_are_not_there(name: str, ended_run: FakeAws, command: Command) -> None:
    options, message = REFUSED[name]
    assert str(command("logs", RUN, *options.split()).exception) == message


def test_results_list_failures_and_what_is_missing(ended_run: FakeAws, command: Command) -> None:
    rows = [json.loads(line) for line in command("results", RUN, "--json").output.splitlines()]
    assert [(one["item"], one["state"]) for one in rows] == [
        ("a", "SUCCEEDED"),
        ("bad", "FAILED"),
        ("c", "SUCCEEDED"),
        ("cohort", "SUCCEEDED"),
    ]
    (failed,) = [json.loads(line) for line in command("results", RUN, "--failed", "--json").output.splitlines()]
    (job,) = (one for one in ended_run.batch.jobs.values() if one.end and one.end.exit_code)
    assert failed == {
        "sample": "bad",
        "scope": "sample",
        "stage": "alignment",
        "class": "bad_input",
        "attempts": 1,
        "memory_mib": [job.job.memory_mib],
        "message": "bad_R1.fq: record 3: expected '@', found '>'",
        "log": f"{LOG_GROUP} {job.stream}",
        "rerun": "genomics-pipeline rerun s3://lab-data/runs/r1 --sample bad",
        "exit_code": 65,
        "job_id": job.job.job_id,
    }
    line = command("results", RUN, "--failed", "--tsv").output.splitlines()[1].split("\t")
    assert line[:5] == ["bad", "alignment", "bad_input", "1", str(job.job.memory_mib)]


def test_what_never_ran_since_too_many_failed_is_listed_too(ended_run: FakeAws, command: Command) -> None:
    """Result files are those of AWS: a child that was aborted has no Error and no Cause."""
    s3 = boto3.client("s3")

    def failed_keys() -> set[str]:
        objects = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"runs/{RUN}/map-runs/Sample/")["Contents"]
        return {one["Key"] for one in objects if "FAILED_0" in one["Key"]}

    before = failed_keys()
    start_again(ended_run, lambda stage, item: JobEnd(1 if stage == "alignment" else 0, "torn"))
    (newest,) = failed_keys() - before
    lines = map(json.loads, s3.get_object(Bucket=BUCKET, Key=newest)["Body"].read().splitlines())
    # Which children ended before the others were aborted is a race: the first row is one that failed by itself.
    first, second, third = sorted(lines, key=lambda child: "torn" not in child.get("Cause", ""))
    samples = [json.loads(row["Input"])["item"]["sample"] for row in (first, second, third)]
    aborted = {name: second[name] for name in second.keys() - {"Error", "Cause"}} | {"Status": "ABORTED"}
    pending = {"Input": third["Input"], "InputDetails": third["InputDetails"], "Status": "PENDING"}
    folder = newest.rpartition("/")[0]
    manifest = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{folder}/manifest.json")["Body"].read())
    for name, children in {"FAILED": [first, aborted], "PENDING": [pending]}.items():
        body = "".join(f"{json.dumps(child)}\n" for child in children).encode()
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/{name}_0.jsonl", Body=body)
        manifest["ResultFiles"][name] = [{"Key": f"{folder}/{name}_0.jsonl", "Size": len(body)}]
    s3.put_object(Bucket=BUCKET, Key=f"{folder}/manifest.json", Body=json.dumps(manifest).encode())
    failures = [json.loads(line) for line in command("results", RUN, "--failed", "--json").output.splitlines()]
    assert {(one["sample"], one["class"], one["stage"], one["message"]) for one in failures} == {
        (samples[0], "tool_error", "alignment", "torn"),
        (samples[1], "cancelled", None, "aborted before it ended"),
        (samples[2], "pending", None, "never started: the Map Run ended first"),
    }
    classes = {"tool_error": 1, "cancelled": 1, "pending": 1}
    assert json.loads(command("status", RUN, "--json").output)["missing"]["by_class"] == classes


def test_result_files_that_are_not_there_yet_are_waited_for(ended_run: FakeAws, command: Command) -> None:
    s3 = boto3.client("s3")
    for one in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"runs/{RUN}/map-runs/Sample/")["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=one["Key"])
    expected = "expected the result files of a Map Run that ended, found none; AWS writes them after its end: try again"
    assert expected in str(command("results", RUN, "--failed").exception)


def test_results_are_downloaded_and_verified(ended_run: FakeAws, command: Command, tmp_path: Path) -> None:
    s3 = boto3.client("s3")
    record: dict[str, Any] = {
        "stage": "alignment",
        "item": "a",
        "step": "alignment",
        "version": "1",
        "program": "p",
        "files": {},
        "inputs": {},
        "members": {},
        "publish": {},
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
        "processor_seconds": 1.0,
        "vcpus": 1,
        "memory_mib": 1,
        "peak_memory_mib": 1,
        "input_bytes": 0,
        "parameter_bytes": 0,
        "parameters": {},
        "sources": {},
        "intermediate": False,
        "outputs": {
            "alignment": {
                "key": "results/preprocessing/a/a.bam",
                "size_bytes": 3,
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # of b"abc"
                "indexes": [
                    {
                        "key": "results/preprocessing/a/a.bam.bai",
                        "size_bytes": 5,
                        "sha256": sha256(b"index").hexdigest(),
                    }
                ],
            }
        },
    }
    for key, body in (
        ("steps/alignment/a/step.json", json.dumps(record).encode()),
        ("results/preprocessing/a/a.bam", b"abc"),
        ("results/preprocessing/a/a.bam.bai", b"index"),
    ):
        s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN}/{key}", Body=body)
    s3.delete_object(Bucket=BUCKET, Key=f"runs/{RUN}/steps/variant_calling/a/step.json")
    arguments = ("results", RUN, "--sample", "a", "--download", str(tmp_path / "here"))
    first = command(*arguments)
    assert first.output.splitlines() == [
        "a  PENDING  1 file copied",
        "  alignment.alignment  s3://lab-data/runs/r1/results/preprocessing/a/a.bam  3 bytes",
    ]
    assert (tmp_path / "here/preprocessing/a/a.bam").read_bytes() == b"abc"
    assert (tmp_path / "here/preprocessing/a/a.bam.bai").read_bytes() == b"index"
    assert "0 files copied" in command(*arguments).output
    s3.put_object(Bucket=BUCKET, Key=f"runs/{RUN}/results/preprocessing/a/a.bam", Body=b"abd")
    (tmp_path / "here/preprocessing/a/a.bam").unlink()
    message = str(command(*arguments).exception)
    assert message.startswith(
        "s3://lab-data/runs/r1/results/preprocessing/a/a.bam: expected content with the sha256 ba7816bf"
    )
    assert sorted(file.name for file in (tmp_path / "here/preprocessing/a").iterdir()) == ["a.bam.bai"]


def test_a_run_that_was_never_started_is_reported(ended_run: FakeAws, command: Command) -> None:
    s3, key = boto3.client("s3"), f"runs/{RUN}/run.json"
    record = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    arn = f"{record['execution_arn']}x"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({**record, "execution_arn": arn}).encode())
    reason = "it was never started, or ended more than 90 days ago; submit the run again"
    assert str(command("status", RUN).exception) == f"{arn}: expected an execution, found none: {reason}"


def fail(stage: str, item: str, end: JobEnd) -> Callable[[str, str], JobEnd]:
    """Return jobs of which one item of one stage fails."""
    return lambda at, of: end if (at, of) == (stage, item) else JobEnd(0)


def start_again(fake: FakeAws, ends: Callable[[str, str], JobEnd]) -> None:
    """Start the run again, with other ends, under another execution's name."""
    s3, states, key = boto3.client("s3"), boto3.client("stepfunctions"), f"runs/{RUN}/run.json"
    record = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    input_text = s3.get_object(Bucket=BUCKET, Key=f"runs/{RUN}/input.json")["Body"].read().decode()
    fake.batch.run_job = by_item(ends)
    arn = states.start_execution(stateMachineArn=record["state_machine_arn"], name="again", input=input_text)[
        "executionArn"
    ]
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({**record, "execution_arn": arn}).encode())
    fake.execution("again").wait()


def test_the_workers_message_is_shown_where_batch_has_only_an_exit_code(ended_run: FakeAws, command: Command) -> None:
    start_again(ended_run, fail("alignment", "c", JobEnd(1)))
    (before,) = json.loads(command("status", RUN, "--json").output)["failures"]["items"]
    assert (before["class"], before["message"]) == ("tool_error", "Essential container in task exited")
    failure = {"class": "out_of_disk", "message": "no space left", "exit_code": 1, "job_id": before["job_id"]}
    failure |= {"seconds": 1.5, "vcpus": 1, "memory_mib": 2048, "host": {}, "step": "alignment", "version": "1"}
    failure |= {"peak_memory_mib": 20, "processor_seconds": 1.0, "number": 1, "program": "0" * 64, "because": []}
    key = f"runs/{RUN}/steps/alignment/c/failure.json"
    for attempt, expected in (
        (2, ("tool_error", "Essential container in task exited")),  # of another attempt
        (1, ("out_of_disk", "no space left")),
    ):
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps({**failure, "attempt": attempt}).encode())
        (after,) = json.loads(command("status", RUN, "--json").output)["failures"]["items"]
        assert (after["class"], after["message"]) == expected


def test_a_stage_of_the_cohort_that_failed_is_listed_with_its_log(ended_run: FakeAws, command: Command) -> None:
    start_again(ended_run, fail("gather", "cohort", JobEnd(1, "the shards do not fit together")))
    shown = command("status", RUN)
    lines = [line.rstrip() for line in shown.output.splitlines()]
    assert shown.exit_code == 1
    assert [lines[3], *(line for line in lines[4:] if "the shards" in line or "Failures" in line)] == [
        "gather    pending",
        "Failures: 1 tool error",
        "  cohort (gather): tool error: the shards do not fit together",
        "error: gather: the shards do not fit together",
    ]
    assert command("logs", RUN, "--failed").output.splitlines()[1:] == [
        "tool error: the shards do not fit together",
        "gather cohort: exit code 1",
    ]
    (failed,) = [json.loads(line) for line in command("results", RUN, "--failed", "--json").output.splitlines()]
    row = (
        failed["sample"],
        failed["scope"],
        failed["stage"],
        failed["class"],
        failed["rerun"],
    )
    assert row == ("cohort", "cohort", "gather", "tool_error", "genomics-pipeline rerun s3://lab-data/runs/r1")


def test_an_interval_that_failed_is_among_the_failed_results(ended_run: FakeAws, command: Command) -> None:
    start_again(ended_run, fail("aggregation", "00000", JobEnd(65, "no records")))
    shown = command("results", RUN, "--failed").output.splitlines()
    (job,) = (one for one in ended_run.batch.jobs.values() if one.end and one.end.reason == "no records")
    assert shown == [
        f"00000  aggregation  bad input  1 attempt, {job.job.memory_mib:,} MiB requested",
        "  no records",
        f"  log: {LOG_GROUP} {job.stream}",
        "  rerun: genomics-pipeline rerun s3://lab-data/runs/r1",
    ]


def test_watching_outlives_more_throttling_than_boto3_does(ended_run: FakeAws) -> None:
    impatient = Config(retries={"total_max_attempts": 1})
    ports = adapters()
    run = find_run(RUN, STACK, ports)
    ports.clients.states = boto3.client("stepfunctions", config=impatient)
    ended_run.states.gate.throttle("DescribeExecution")
    waited: list[float] = []
    (state,) = watch(run, waited.append)
    assert (state.status, waited) == ("SUCCEEDED", [10.0])


def test_an_expired_log_is_reported(ended_run: FakeAws, command: Command) -> None:
    logs = boto3.client("logs")
    for stream in logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]:
        logs.delete_log_stream(logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"])
    assert command("logs", RUN, "--sample", "a", "--stage", "alignment").output.splitlines() == [
        f"==> alignment a  s3://{BUCKET}/runs/{RUN}/steps/alignment/a/log.txt",
        "(no log: the program was never started, or its log has expired)",
    ]


def test_an_unknown_sample_is_refused_among_the_failed_too(ended_run: FakeAws, command: Command) -> None:
    message = "bat: no such sample in this run; did you mean 'bad'?"
    assert str(command("logs", RUN, "--failed", "--sample", "bat").exception) == message
    assert str(command("results", RUN, "--failed", "--sample", "bat").exception) == f"--sample {message}"

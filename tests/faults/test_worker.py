"""The worker with a failing S3: no file is lost, incomplete or damaged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.stores import transfer
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import read_step
from genomics_pipeline.worker.task_resources import TaskResources
from tests.faults.proxy import FAULTS, Choice, FaultyS3, seeded
from tests.small_project import write_step

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 1 << 20
SEED = 15  # each fault is among the first eighty choices
READS = Random(7).randbytes(9 * MIB)  # two parts of a fetch, three of a stream; the joined files are three of an upload

DECLARATIONS = """
[inputs.reads]
type = "reads"
stream = STREAM

[outputs.joined]
path = "{sample}.bin"
indexes = ["idx"]

[parameters.take]
type = "string"
summary = "all, some or none of the reads"
default = "all"
"""

PROGRAM = """
import json, os, stat, sys
task = json.load(open(sys.argv[1]))
take = task["parameters"]["take"]
paths = [path for lane in task["inputs"]["reads"] for path in (lane["fastq_1"], lane["fastq_2"]) if path]
kinds = ["pipe" if stat.S_ISFIFO(os.stat(path).st_mode) else "file" for path in paths]
files = [open(path, "rb") for path in paths] if take != "none" else []
with open(task["outputs"]["joined"], "wb") as out:
    for file in files:
        while piece := file.read(1 << 20):
            out.write(piece)
            if take == "some":
                break
open(task["outputs"]["joined"] + ".idx", "w").write(" ".join(kinds))
"""


@pytest.fixture(autouse=True)
def parts_of_8_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upload in parts of 8 MiB, so that small files have several."""
    monkeypatch.setattr(transfer, "UPLOAD", transfer.WHOLE)


@pytest.fixture
def faults() -> dict[str, Choice]:
    """Return the proxy's choice of faults, which a test sets."""
    return {"choose": lambda method, path: None}


@pytest.fixture
def bad_s3(s3: S3Client, aws: str, faults: dict[str, Choice], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """Point boto3 at the failing S3; the client `s3` uses the working one."""
    for name in ("a", "b"):
        s3.put_object(Bucket="reads", Key=f"{name}.bin", Body=READS + name.encode(), ChecksumAlgorithm="CRC64NVME")
    with FaultyS3(aws, lambda method, path: faults["choose"](method, path)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


def write_join(folder: Path, stream: bool) -> Path:
    """Write the step, whose reads come as files or as pipes."""
    return write_step(folder, "join", PROGRAM, DECLARATIONS.replace("STREAM", str(stream).lower()))


def run(
    folder: Path, task: TaskPayload, *, stream: bool, cancelled: threading.Event | None = None
) -> list[CompletionRecord]:
    """Run a task."""
    return run_task(
        task,
        read_step(write_join(folder, stream)),
        object_store(),
        TaskResources(
            vcpus=1,
            memory_mib=100,
            scratch=folder / "scratch",
            cache=folder / "cache",
            cancelled=cancelled or threading.Event(),
            environment=os.environ,
        ),
    )


def work(folder: Path, *, stream: bool, second: str | None = "b", **parameters: Any) -> CompletionRecord:
    """Run a task of one sample."""
    (record,) = run(folder, payload(second, **parameters), stream=stream)
    return record


def payload(second: str | None, **parameters: Any) -> TaskPayload:
    mate = second and f"s3://reads/{second}.bin"
    return TaskPayload(
        stage="joining",
        step="join",
        scope="sample",
        run=RunPlace("r", "reads", "runs/r/"),
        reference="",
        parameters=parameters,
        inputs={"reads": "sample.reads"},
        publish={"joined": "joined"},
        items=({"sample": "x", "lanes": [{"lane": "1", "fastq_1": "s3://reads/a.bin", "fastq_2": mate}]},),
        upstream={},
    )


def content(s3: S3Client, key: str) -> bytes:
    return s3.get_object(Bucket="reads", Key=f"runs/r/{key}")["Body"].read()


JOINED = READS + b"a" + READS + b"b"


@pytest.mark.parametrize("stream", [False, True])
def test_a_run_without_faults(bad_s3: FaultyS3, s3: S3Client, tmp_path: Path, stream: bool) -> None:
    record = work(tmp_path, stream=stream)
    assert record.outputs["joined"].sha256 == sha256(JOINED).hexdigest()
    assert content(s3, "results/joined/x.bin") == JOINED
    assert content(s3, "results/joined/x.bin.idx") == (b"pipe pipe" if stream else b"file file")
    assert list((tmp_path / "scratch").iterdir()) == []
    assert work(tmp_path, stream=stream).reused


@pytest.mark.parametrize("stream", [False, True])
def test_faults_at_5_percent_of_the_requests_lose_nothing(
    bad_s3: FaultyS3, s3: S3Client, faults: dict[str, Choice], tmp_path: Path, stream: bool
) -> None:
    faults["choose"] = seeded(SEED, 0.05)
    small = {"lane": "1", "fastq_1": "s3://reads/small.bin", "fastq_2": None}
    samples = [f"small-{number}" for number in range(8)]
    s3.put_object(Bucket="reads", Key="small.bin", Body=b"few")
    task = payload("b")
    task = replace(task, items=(*task.items, *({"sample": name, "lanes": [small]} for name in samples)))
    records = run(tmp_path, task, stream=stream)
    assert [record.item for record in records] == ["x", *samples]
    for record, joined in zip(records, [JOINED, *[b"few"] * len(samples)], strict=True):
        assert record.outputs["joined"].sha256 == sha256(joined).hexdigest()
        assert content(s3, f"results/joined/{record.item}.bin") == joined
    assert all(bad_s3.counts[fault] for fault in FAULTS), bad_s3.counts
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="reads")


def first_of(method: str, words: str, fault: str) -> Choice:
    """Choose the fault for the first request of a method whose path contains the words."""
    pending = [fault]
    return lambda request_method, path: (
        pending.pop() if pending and request_method == method and words in path else None
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_part_is_retried(
    bad_s3: FaultyS3, faults: dict[str, Choice], tmp_path: Path, fault: str
) -> None:
    faults["choose"] = first_of("GET", "a.bin", fault)
    joined = work(tmp_path, stream=True, second=None).outputs["joined"]
    assert joined.sha256 == sha256(READS + b"a").hexdigest()
    assert bad_s3.counts[fault] == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_flipped_bit_in_a_download_fails_the_step(
    bad_s3: FaultyS3, s3: S3Client, faults: dict[str, Choice], tmp_path: Path, stream: bool
) -> None:
    faults["choose"] = first_of("GET", "b.bin", "flip")
    with pytest.raises(StepFailed, match=r"^s3://reads/b.bin: expected content with the CRC64NVME ") as caught:
        work(tmp_path, stream=stream)
    assert (caught.value.failure_class, caught.value.task_exit_code) == (FailureClass.TOOL_ERROR, 1)
    results = s3.list_objects_v2(Bucket="reads", Prefix="runs/r/results/")
    assert results["KeyCount"] == 0
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not work(tmp_path, stream=stream).reused, "the next task succeeds"


@pytest.mark.parametrize("words", ["partNumber=2", "x.bin.idx"])
def test_a_flipped_bit_in_an_upload_fails_the_step(
    bad_s3: FaultyS3, s3: S3Client, faults: dict[str, Choice], tmp_path: Path, words: str
) -> None:
    faults["choose"] = first_of("PUT", words, "flip")
    with pytest.raises(StepFailed, match=r"^s3://reads/runs/r/results/joined/x.bin\S*: .*BadDigest") as caught:
        work(tmp_path, stream=False)
    assert (caught.value.failure_class, caught.value.task_exit_code) == (FailureClass.TOOL_ERROR, 1)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="reads")
    assert s3.list_objects_v2(Bucket="reads", Prefix="runs/r/results/joined/x.bin")["KeyCount"] == (
        1 if words.startswith("part") else 0
    ), "the index is uploaded first, the file is missing"


def test_a_download_that_always_breaks_fails_the_step(
    bad_s3: FaultyS3, faults: dict[str, Choice], tmp_path: Path
) -> None:
    faults["choose"] = lambda method, path: "short" if method == "GET" and "b.bin" in path else None
    with pytest.raises(StepFailed, match=r"^s3://reads/b.bin: expected an object that can be read: ") as caught:
        work(tmp_path, stream=True)
    assert caught.value.task_exit_code == 1


@pytest.mark.parametrize("take", ["some", "none"])
def test_a_program_need_not_read_the_whole_file(bad_s3: FaultyS3, s3: S3Client, tmp_path: Path, take: str) -> None:
    work(tmp_path, stream=True, take=take)
    assert len(content(s3, "results/joined/x.bin")) == (2 * MIB if take == "some" else 0)


@pytest.mark.parametrize("words", ["partNumber=3", "a.bin"])
def test_cancelling_a_task_during_a_transfer(
    bad_s3: FaultyS3, s3: S3Client, faults: dict[str, Choice], tmp_path: Path, words: str
) -> None:
    cancelled = threading.Event()

    def choose(method: str, path: str) -> None:
        if words in path and method in ("PUT", "GET"):
            cancelled.set()

    faults["choose"] = choose
    with pytest.raises(StepFailed) as caught:
        run(tmp_path, payload("b"), stream=False, cancelled=cancelled)
    assert (caught.value.failure_class, caught.value.task_exit_code) == (FailureClass.CANCELLED, 143)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="reads")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_sigterm_during_an_upload_leaves_no_upload_behind(
    bad_s3: FaultyS3, s3: S3Client, faults: dict[str, Choice], tmp_path: Path
) -> None:
    process: list[subprocess.Popen[str]] = []
    signalled = threading.Event()

    def choose(method: str, path: str) -> None:
        if method == "PUT" and "partNumber=2" in path and not signalled.is_set():
            signalled.set()
            process[0].send_signal(signal.SIGTERM)

    faults["choose"] = choose
    step, scratch = write_join(tmp_path, stream=False), tmp_path / "scratch"
    scratch.mkdir()
    lanes = [{"lane": str(lane), "fastq_1": "s3://reads/a.bin", "fastq_2": None} for lane in range(8)]  # two parts
    task = replace(payload("b"), items=({"sample": "x", "lanes": lanes},))
    variables = {"TASK": json.dumps(task.to_json()), "STEP": str(step), "SCRATCH": str(scratch)}
    environment = {**os.environ, **{f"GENOMICS_PIPELINE_{name}": value for name, value in variables.items()}}
    argv = [sys.executable, "-m", "genomics_pipeline.worker"]
    process.append(subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    out, error = process[0].communicate()
    assert (process[0].returncode, out) == (143, "")
    assert error == "error: ended by SIGTERM: Spot host lost, timeout or cancelled\n"
    assert signalled.is_set()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="reads")
    names = [entry["Key"] for entry in s3.list_objects_v2(Bucket="reads", Prefix="runs/").get("Contents", ())]
    assert names == ["runs/r/results/joined/x.bin.idx", "runs/r/steps/joining/x/log.txt"]
    assert list(scratch.iterdir()) == []

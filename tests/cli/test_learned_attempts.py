"""`submit --history`: first attempts that are learned stand in the uploaded items, and not in the run's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.runs.catalog import load_step
from tests.cli.conftest import Ended
from tests.fakes.batch import Log
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import by_item, payload_of
from tests.runs.records import NO_PROVENANCE

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
READS = 1000  # in each file of a sample of size 1, of 9 bytes each
SIZES = {f"H{number:02}": 1 + number / 4 for number in range(12)}
KILLED = JobEnd(137, reason="OutOfMemoryError: Container killed due to memory usage")


def sheet(stack: Deployed, folder: Path, sizes: dict[str, float]) -> Path:
    rows = ["sample,fastq_1,fastq_2"]
    for sample, size in sizes.items():
        pair = (stack.put(f"reads/{sample}_R{number}.fastq", b"@r\nA\n+\nF\n" * int(READS * size)) for number in (1, 2))
        rows.append(",".join([sample, *pair]))
    file = folder / f"{next(iter(sizes))}.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.fixture
def submit(stack: Deployed, step_functions: FakeAws, reference: str, cli: Cli) -> Callable[..., dict[str, Any]]:
    """Return `submit(sheet, *options)`, which returns the answer once the execution has ended."""

    def call(file: Path, *options: str) -> dict[str, Any]:
        ended = cli("submit", file, "--reference", reference, "--json", *options)
        assert ended.code == 0, ended.err
        answer: dict[str, Any] = json.loads(ended.out)
        for execution in step_functions.states.executions.values():
            execution.wait()
        return answer

    return call


@pytest.fixture
def history(stack: Deployed, step_functions: FakeAws, submit: Any, tmp_path: Path) -> str:
    """Return a run with records of alignment: 1000 MiB and 500 for each unit of size, and 100 s for each of these."""
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    run: str = submit(sheet(stack, tmp_path, SIZES))["run"]
    step = load_step("alignment").spec
    for sample, size in SIZES.items():
        key = f"runs/{run}/steps/alignment/{sample}/step.json"
        needs = {"vcpus": 8, "seconds": 100 * size, "input_bytes": int(2 * READS * 9 * size)}
        about = {"step": step.name, "version": step.version, "peak_memory_mib": int(1000 + 500 * size)}
        stack.put(key, json.dumps({**stack.read(key), **about, **needs}))
    return run


def manifest(stack: Deployed, key: str) -> dict[str, Any]:
    body = stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read().decode()
    return {item["sample"]: item.get("first_attempts") for item in map(json.loads, body.splitlines())}


def test_items_have_first_attempts_of_their_own_and_the_run_its_name(
    stack: Deployed, step_functions: FakeAws, history: str, submit: Any, tmp_path: Path, cli: Cli
) -> None:
    """The second sample needs more than was learned, the third more than the ladder has."""
    file = sheet(stack, tmp_path, {"S1": 1, "S2": 2, "S3": 3, "far": 99})
    needed, jobs = {"S2": 5_000, "S3": 10**6}, list[tuple[str, int]]()

    def run_job(job: Job, log: Log) -> JobEnd:
        payload = payload_of(job)
        assert all("first_attempts" not in item for item in payload.items)
        name = str(payload.items[0].get("sample", ""))
        if payload.stage == "alignment":
            jobs.append((name, job.memory_mib))
            if job.memory_mib < needed.get(name, 0):
                return KILLED
        return by_item(lambda stage, item: JobEnd(0))(job, log)

    step_functions.batch.run_job = run_job
    name = submit(file, "--dry-run")["run"]
    answer = submit(file, "--history", history)
    assert answer["run"] == name
    expected = (
        "alignment: the first attempt has 1,712 to 2,768 MiB, which 99 of 100 jobs do not exceed, in place of 14,500"
    )
    assert answer["first_attempts"][0].startswith(f"{expected}, and 900 to 1,260 s (12 tasks of earlier runs on")
    assert answer["first_attempts"][0].endswith(
        "; for 1 of 4, the first attempt has 14,500 MiB, as in step.toml: expected inputs of at most 2 times the "
        "largest of the records, 67,500 bytes"
    )
    assert answer["first_attempts"][1].startswith("variant_calling: the first attempt has 4,096 MiB, as in step.toml")
    assert manifest(stack, f"runs/{name}/manifest.jsonl") == {
        "S1": {"alignment": {"memory_mib": 1712, "timeout_s": 900}},
        "S2": {"alignment": {"memory_mib": 2240, "timeout_s": 900}},
        "S3": {"alignment": {"memory_mib": 2768, "timeout_s": 1260}},
        "far": None,
    }
    by_sample = {one: [mib for sample, mib in jobs if sample == one] for one in ("S1", "S2", "S3", "far")}
    ladder = [14_500, 32_768, 65_536]
    assert by_sample == {"S1": [1712], "S2": [2240, 14_500], "S3": [2768, *ladder], "far": [14_500]}
    jobs.clear()
    assert cli("rerun", name).code == 0
    for execution in step_functions.states.executions.values():
        execution.wait()
    assert jobs == [("S3", 65_536)]


def test_bad_histories(stack: Deployed, step_functions: FakeAws, submit: Any, tmp_path: Path, cli: Cli) -> None:
    """Too few records, those of another version or of another step give no first attempt; no records are an error."""
    step_functions.batch.run_job = by_item(lambda stage, item: JobEnd(0))
    run = submit(sheet(stack, tmp_path, {"H": 1}))["run"]
    step, key = load_step("alignment").spec, f"runs/{run}/steps/alignment/H/step.json"
    record = stack.read(key)
    assert record["step"] == NO_PROVENANCE.step
    file = sheet(stack, tmp_path, {"S": 1})

    def lacks() -> str:
        answer = submit(file, "--dry-run", "--history", run)
        text: str = answer["first_attempts"][0]
        return text.removeprefix("alignment: the first attempt has 14,500 MiB, as in step.toml: ")

    expected = f"expected 10 records of alignment {step.version} with 8 cores or more, found"
    assert lacks() == f"{expected} 0"
    stack.put(key, json.dumps({**record, "step": step.name, "version": "0.1"}))
    assert lacks() == f"{expected} 0, and some of 0.1"
    stack.put(key, json.dumps({**record, "step": step.name, "version": step.version}))
    assert lacks() == f"{expected} 0 and 1 with fewer"
    for found in stack.keys(f"runs/{run}/steps/"):
        stack.s3.delete_object(Bucket=stack.bucket, Key=found)
    reference = f"s3://{stack.bucket}/ref/tiny.fa"
    ended = cli("submit", file, "--reference", reference, "--dry-run", "--history", run)
    assert ended.code == 1
    uri = f"s3://{stack.bucket}/runs/{run}"
    assert f"error: --history {uri}: expected completion records of tasks, found none" in ended.err
    ended = cli("submit", file, "--reference", reference, "--dry-run", "--history", "no-such-run")
    assert (ended.code, "error: no-such-run: " in ended.err) == (1, True)

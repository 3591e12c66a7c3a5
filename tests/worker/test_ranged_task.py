"""A ranged input from the worker's environment to its completion record, with files in S3 and on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pysam
import pytest

from genomics_pipeline.engine.distributed_map.result_rows import ended_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import (
    CompletionRecord,
    FileRecord,
    OutputRecord,
    read_completion,
    write_completion,
)
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.s3 import S3Store
from tests.faults.proxy import FaultyS3
from tests.random_gvcf import write_gvcf
from tests.runs.records import NO_PROVENANCE
from tests.small_project import task_json, write_step

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JOIN = """
import json, sys
import pysam
task = json.load(open(sys.argv[1]))
contig, _, bounds = task["item"]["regions"][0].rpartition(":")
start, end = map(int, bounds.split("-"))
with open(task["outputs"]["lines"], "w") as out:
    for path in task["inputs"]["gvcfs"]:
        with pysam.TabixFile(path) as file:
            out.writelines(f"{line}\\n" for line in file.fetch(contig, max(0, start - 1 - 1000), end + 1000))
"""
JOIN_DECLARATIONS = """
[inputs.gvcfs]
type = "files"
indexes = ["tbi", "csi"]
ranged = true
margin_bp = 1000
[outputs.lines]
path = "{interval}.txt"
"""
REGION = ("chr1", 20_000_001, 21_000_000)
SAMPLES = ("a", "b", "c")
STARTED = "2026-01-01T00:00:00+00:00"


class Cohort:
    """gVCFs of a stage `calling`, which an interval gathers.

    Attributes:
        folder: A folder with the gVCFs.
        store: The store of the run.
        place: The place of the run.
        buckets: The folder of each bucket that is one.
    """

    def __init__(self, folder: Path, store: Store, place: RunPlace, buckets: dict[str, str]) -> None:
        self.folder, self.store, self.place, self.buckets = folder, store, place, buckets
        write_step(folder, "join", JOIN, JOIN_DECLARATIONS)
        for seed, sample in enumerate(SAMPLES):
            write_gvcf(folder / f"{sample}.g.vcf.gz", seed)
            self.publish(sample)
        items = [{"sample": sample, "lanes": []} for sample in SAMPLES]
        store.write(place.uri("manifest.jsonl"), "".join(f"{json.dumps(item)}\n" for item in items).encode())
        self.map_runs: list[dict[str, str]] = []
        self.end_map_run(*SAMPLES)

    def end_map_run(self, *samples: str) -> None:
        """Write the results of a Map Run in which the samples succeeded."""
        child = {"status": "SUCCEEDED", "name": "n", "start": 1, "stop": 2, "output": "{}"}
        inputs = [json.dumps({"item": {"sample": sample, "lanes": []}}) for sample in samples]
        rows = [ended_row({**child, "input": text}, "m") for text in inputs]
        to = Destination(self.store, self.place.bucket, f"{self.place.prefix}map-runs/Sample", "NONE", "JSONL", 1 << 20)
        to.write("arn", uuid := f"uuid-{len(self.map_runs)}", rows, self.folder)
        self.map_runs.append(to.manifest(uuid))

    def publish(self, sample: str) -> None:
        """Publish a sample's gVCF, and write its completion record as the worker does."""
        path = self.folder / f"{sample}.g.vcf.gz"
        files = []
        for one in (Path(f"{path}.tbi"), path):
            data, key = one.read_bytes(), f"results/{one.name}"
            self.store.write(self.place.uri(key), data)
            files.append(FileRecord(key, len(data), sha256(data).hexdigest()))
        index, file = files
        info = self.store.stat(self.place.uri(file.key))
        assert info is not None
        version = "" if self.buckets else info.version
        outputs = {"gvcf": OutputRecord(file.key, file.size_bytes, file.sha256, (index,), version)}
        record = CompletionRecord("calling", sample, NO_PROVENANCE, STARTED, 1, 1, 1, 1, outputs)
        write_completion(self.store, self.place, record)

    def join(self, interval: str = "00000", **variables: str) -> subprocess.CompletedProcess[str]:
        payload = task_json(
            "join",
            [{"interval": interval, "regions": [f"{REGION[0]}:{REGION[1]}-{REGION[2]}"]}],
            scope="interval",
            run={"name": "r", "bucket": self.place.bucket, "prefix": self.place.prefix},
            inputs={"gvcfs": "calling.gvcf"},
            publish={"lines": "lines"},
            upstream={"calling": self.map_runs},
        )
        settings = {
            "TASK": json.dumps(payload),
            "STEP": str(self.folder / "join"),
            "SCRATCH": str(self.folder / "scratch"),
            "BUCKETS": json.dumps(self.buckets),
        }
        environment = {
            **os.environ,
            **variables,
            **{f"GENOMICS_PIPELINE_{name}": value for name, value in settings.items()},
        }
        argv = [sys.executable, "-m", "genomics_pipeline.worker"]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)

    def record(self) -> CompletionRecord | None:
        return read_completion(self.store, self.place, "join", "00000")

    def lines(self) -> str:
        return self.store.read(self.place.uri("results/lines/00000.txt")).decode()


@pytest.fixture(params=["S3", "here"])
def cohort(request: pytest.FixtureRequest, tmp_path: Path) -> Cohort:
    if request.param == "S3":
        return on_s3(tmp_path, request.getfixturevalue("s3"))
    store = LocalStore({"RUN": tmp_path / "run"})
    return Cohort(tmp_path, store, RunPlace("r", "RUN", ""), {"RUN": str(tmp_path / "run")})


def on_s3(folder: Path, s3: S3Client) -> Cohort:
    return Cohort(folder, S3Store(s3), RunPlace("r", "reads", "runs/r/"), {})


def expected(cohort: Cohort) -> str:
    lines = []
    for sample in SAMPLES:
        with pysam.TabixFile(str(cohort.folder / f"{sample}.g.vcf.gz")) as file:
            lines += [f"{line}\n" for line in file.fetch(REGION[0], REGION[1] - 1 - 1000, REGION[2] + 1000)]
    return "".join(lines)


def test_a_step_gets_the_records_of_its_interval(cohort: Cohort) -> None:
    ended = cohort.join()
    assert ended.returncode == 0, ended.stderr
    assert cohort.lines() == expected(cohort)
    record = cohort.record()
    assert record is not None
    whole = sum(path.stat().st_size for path in cohort.folder.glob("*.g.vcf.gz*"))
    assert (record.input_bytes == whole) if cohort.buckets else (record.input_bytes < whole / 2)
    again = cohort.join()
    assert (again.returncode, bool(ended.stdout), again.stdout) == (0, True, "")  # without metrics: it was not run


def test_an_output_that_was_made_again_makes_the_interval_run_again(cohort: Cohort) -> None:
    assert cohort.join().returncode == 0
    before = cohort.record()
    write_gvcf(cohort.folder / "b.g.vcf.gz", seed=77)
    cohort.publish("b")
    cohort.end_map_run("b")
    ended = cohort.join()
    assert ended.returncode == 0, ended.stderr
    now = cohort.record()
    assert before is not None
    assert now is not None
    assert before.provenance.inputs != now.provenance.inputs
    assert cohort.lines() == expected(cohort)


@pytest.mark.parametrize("ending", ["", ".tbi"])
def test_an_output_that_is_damaged_is_made_again_by_its_stage(tmp_path: Path, s3: S3Client, ending: str) -> None:
    cohort = on_s3(tmp_path, s3)
    key = f"results/b.g.vcf.gz{ending}"
    data = bytearray(cohort.store.read(cohort.place.uri(key)))
    data[len(data) // 2] ^= 1
    cohort.store.write(cohort.place.uri(key), bytes(data))
    ended = cohort.join()
    assert ended.returncode == 65
    assert "b.g.vcf.gz" in ended.stderr
    assert ended.stderr.rstrip().endswith("; calling of b has to run again")
    assert [read_completion(cohort.store, cohort.place, "calling", sample) is None for sample in SAMPLES] == [
        False,
        True,
        False,
    ]


def test_a_job_asks_for_three_parts_of_each_gvcf_and_for_no_record_of_a_sample(
    tmp_path: Path, s3: S3Client, aws: str
) -> None:
    cohort = on_s3(tmp_path, s3)
    assert cohort.join().returncode == 0  # makes the list of outputs
    asked: list[str] = []
    with FaultyS3(aws, lambda method, path: asked.append(f"{method} {path.partition('?')[0]}")) as proxy:
        ended = cohort.join("00001", AWS_ENDPOINT_URL=proxy.url)
    assert ended.returncode == 0, ended.stderr
    of_gvcfs = [one for one in asked if ".g.vcf.gz" in one]
    assert Counter(of_gvcfs) == Counter(
        [f"GET /reads/runs/r/results/{name}.g.vcf.gz{ending}" for name in SAMPLES for ending in (".tbi", "", "")]
    )
    others = [one for one in asked if one not in of_gvcfs]
    assert not [one for one in others if "steps/calling/" in one or "map-runs" in one]
    assert len(others) <= 20, others

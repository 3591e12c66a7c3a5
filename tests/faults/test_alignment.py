"""A shipped step with reads and reference from a failing S3."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.cli.main import main
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.task_resources import TaskResources
from tests.faults.proxy import FaultyS3, seeded

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SEED = 3


def test_pipes_and_files_give_the_same_outputs(
    s3: S3Client, aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(SystemExit):
        main(["simulate", "--out", str(tmp_path / "cohort"), "--samples", "1", "--length", "20000", "--depth", "10"])
    reads = sorted((tmp_path / "cohort").rglob("*.fastq.gz"))
    reference = tmp_path / "cohort" / "reference.fa"
    for file in (*reads, reference):
        s3.upload_file(str(file), "reads", file.name)

    step = load_step("alignment")

    def digests(uris: Mapping[Path, str], run: RunPlace) -> list[str]:
        lane = {"lane": "1", "fastq_1": uris[reads[0]], "fastq_2": uris[reads[1]]}
        task = TaskPayload(
            stage="alignment",
            step="alignment",
            scope="sample",
            run=run,
            reference=uris[reference],
            parameters={},
            inputs={"reads": "sample.reads", "reference": "reference"},
            publish=dict.fromkeys(step.spec.outputs, "out"),
            items=({"sample": "a", "lanes": [lane]},),
            upstream={},
        )
        store = object_store().with_buckets({"here": tmp_path / "here"})
        (record,) = run_task(
            task,
            step,
            store,
            TaskResources(
                vcpus=2,
                memory_mib=1000,
                scratch=tmp_path / "scratch",
                cache=tmp_path / "cache",
                cancelled=threading.Event(),
                environment=os.environ,
            ),
        )
        return [output.sha256 for output in record.outputs.values()]

    local_digests = digests({file: str(file) for file in (*reads, reference)}, RunPlace("r", "here", ""))
    with FaultyS3(aws, seeded(SEED, 0.2)) as proxy:  # a high rate, since there are few requests
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        remote_digests = digests(
            {file: f"s3://reads/{file.name}" for file in (*reads, reference)}, RunPlace("r", "reads", "r/")
        )
    assert remote_digests == local_digests
    assert set(proxy.counts) - {None}

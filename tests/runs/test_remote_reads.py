"""The alignment step over reads in S3 and on web servers, through pipes: same outputs as from local files."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.step import ACCESS_DENIED_EXIT_CODE
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.runs.manifests import read_manifest
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.task_resources import TaskResources
from tests.fakes.web_files import WebFiles
from tests.faults.proxy import DENIED, FaultyS3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def item(cohort: Path) -> dict[str, Any]:
    """Return the first sample's line of the manifest, with its files on this machine."""
    sample = read_manifest(str(cohort / "cohort.csv"))[0]
    row: dict[str, Any] = json.loads(json.dumps(sample.to_json()))
    return row


def align(item: dict[str, Any], reference: str, bucket: str, store: RoutedStore, scratch: Path) -> dict[str, str]:
    """Run the alignment step and return the sha256 of each output."""
    step = load_step("alignment")
    payload = TaskPayload(
        stage="align",
        step="alignment",
        scope="sample",
        run=RunPlace("r", bucket, "runs/r/"),
        reference=reference,
        parameters={},
        inputs={"reads": "sample.reads", "reference": "reference"},
        publish=dict.fromkeys(step.spec.outputs, "a"),
        items=(item,),
        upstream={},
    )
    event = threading.Event()
    (record,) = run_task(payload, step, store, TaskResources(2, 2000, scratch, scratch, event, os.environ))
    return {name: output.sha256 for name, output in record.outputs.items()}


def in_s3(item: dict[str, Any], s3: S3Client) -> dict[str, Any]:
    """Return the sample with its files in S3."""
    lanes = []
    for lane in item["lanes"]:
        moved = dict(lane)
        for name in ("fastq_1", "fastq_2"):
            key = f"reads/{Path(lane[name]).name}"
            s3.upload_file(lane[name], "reads", key)
            moved[name] = f"s3://reads/{key}"
        lanes.append(moved)
    return {**item, "lanes": lanes}


def test_the_outputs_are_the_same(
    item: dict[str, Any], cohort: Path, s3: S3Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bucket").mkdir()
    here = align(
        item,
        str(cohort / "reference.fa"),
        "here",
        object_store().with_buckets({"here": tmp_path / "bucket"}),
        tmp_path / "scratch",
    )
    s3.upload_file(str(cohort / "reference.fa"), "reads", "refs/reference.fa")
    there = align(in_s3(item, s3), "s3://reads/refs/reference.fa", "reads", object_store(), tmp_path / "scratch")
    assert there == here


def test_the_outputs_of_files_of_a_web_server_are_the_same(item: dict[str, Any], cohort: Path, tmp_path: Path) -> None:
    names = ("fastq_1", "fastq_2")
    with WebFiles() as server:
        lanes = [{**lane, **{name: f"{server.url}{lane[name]}" for name in names}} for lane in item["lanes"]]
        for lane in item["lanes"]:
            for name in names:
                server.put(lane[name], Path(lane[name]).read_bytes())
        outputs = []
        for where, one in (("here", item), ("there", {**item, "lanes": lanes})):
            (tmp_path / where).mkdir()
            store = object_store().with_buckets({where: tmp_path / where})
            outputs.append(align(one, str(cohort / "reference.fa"), where, store, tmp_path / "scratch"))
    assert outputs[0] == outputs[1]
    assert len([one for one in server.requests if one.method == "GET"]) == len(names) * len(lanes)


def test_a_truncated_file_is_reported_with_its_name_and_record(
    item: dict[str, Any], cohort: Path, s3: S3Client, tmp_path: Path
) -> None:
    lane = in_s3(item, s3)["lanes"][0]
    key = lane["fastq_1"].removeprefix("s3://reads/")
    whole = s3.get_object(Bucket="reads", Key=key)["Body"].read()
    s3.put_object(Bucket="reads", Key=key, Body=whole[: len(whole) // 2])
    with pytest.raises(StepFailed, match=rf"{Path(key).name}: record \d+: expected a whole gzip file, found its end"):
        align({**item, "lanes": [lane]}, str(cohort / "reference.fa"), "reads", object_store(), tmp_path / "scratch")


def test_reads_that_may_not_be_decrypted_are_reported_with_the_right_that_is_missing(
    item: dict[str, Any], cohort: Path, s3: S3Client, aws: str, tmp_path: Path
) -> None:
    moved = in_s3(item, s3)
    user = "arn:aws:sts::1:assumed-role/demo-JobRole/t"
    denied = f"{DENIED}User: {user} is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:r:1:key/k"
    with FaultyS3(aws, lambda method, path: denied if method == "GET" and "fastq" in path else None) as proxy:
        store = RoutedStore(lambda: boto3.client("s3", endpoint_url=proxy.url))
        with pytest.raises(StepFailed, match="the role demo-JobRole lacks the right kms:Decrypt on arn") as failed:
            align(moved, str(cohort / "reference.fa"), "reads", store, tmp_path / "scratch")
    assert failed.value.failure_class is FailureClass.ACCESS_DENIED
    assert failed.value.task_exit_code == ACCESS_DENIED_EXIT_CODE

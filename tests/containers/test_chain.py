"""The whole chain: the engine, the Batch API, real containers and S3, with both APIs by moto."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.interval_limits import interval_limits
from genomics_pipeline.cli.adapters import adapters, object_store
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.manifest import manifest_lines
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.intervals import interval_lines
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.documents.execute import execute
from genomics_pipeline.runs.documents.request import ExecuteRequest
from genomics_pipeline.runs.manifests import read_manifest
from tests.conftest import AWS_ENVIRONMENT
from tests.containers.conftest import SHARED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DATA = SHARED / "data" / "1000g-3sample-chr21-chr22"
SAMPLES = ("NA12878", "NA19401", "NA20359")
BUCKET, RUN = "genomics", "runs/chain"
NAMES = ResourceNames()


@pytest.fixture
def bucket(aws: str, missing: Callable[[str], None]) -> Iterator[S3Client]:
    """Return a client of S3, with reads and reference in a bucket that is removed after the test."""
    if not DATA.is_dir():
        missing(f"no real sequencing data in {DATA}")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for file in DATA.glob("*.fa*.gz"):
        client.upload_file(str(file), BUCKET, f"reads/{file.name}")
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": entry["Key"]} for entry in page["Contents"]]})
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def stack(aws: str, images: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Create the queue and the job definitions that the pipeline's definition names.

    moto runs a job's container with its image, command, environment and mounts, and nothing else of its definition:
    no memory limit, no read-only root, no retries, no role, and no ``AWS_BATCH_JOB_ATTEMPT``; those are tested with
    the images alone (`test_images.py`) and in the template. The container reaches moto by the host's network, and by
    the environment that stands for the role's credentials.
    """
    monkeypatch.setenv("MOTO_DOCKER_NETWORK_MODE", "host")
    iam, batch = boto3.client("iam"), boto3.client("batch")
    role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    hosts = batch.create_compute_environment(computeEnvironmentName="hosts", type="UNMANAGED", serviceRole=role)
    order: Any = [{"order": 1, "computeEnvironment": hosts["computeEnvironmentArn"]}]
    batch.create_job_queue(jobQueueName=NAMES.job_queue, state="ENABLED", priority=1, computeEnvironmentOrder=order)
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o777)
    scratch.chmod(0o777)  # as on AWS, the owner of the instance's disk is not the container's user
    environment = {**AWS_ENVIRONMENT, "AWS_ENDPOINT_URL": aws, "GENOMICS_PIPELINE_VCPUS": "1"}
    for step, image in images.items():
        container: Any = {
            "image": image,
            "readonlyRootFilesystem": True,
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "volumes": [{"name": "scratch", "host": {"sourcePath": str(scratch)}}],
            "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": False}],
        }
        name = NAMES.job_definition(step)
        batch.register_job_definition(jobDefinitionName=name, type="container", containerProperties=container)
    yield
    batch.delete_job_queue(jobQueue=NAMES.job_queue)
    batch.delete_compute_environment(computeEnvironment="hosts")
    for step in images:
        batch.deregister_job_definition(jobDefinition=f"{NAMES.job_definition(step)}:1")
    iam.delete_role(RoleName="batch")


def upload(client: S3Client, tmp_path: Path) -> None:
    """Upload the files of a run: definition, input, manifest and intervals."""
    pipeline, _ = load_pipeline("germline")
    reference = prepare(str(DATA / "reference.fa.gz"), ["fai"], object_store(), tmp_path / "cache")
    reads = f"s3://{BUCKET}/reads"
    tolerated = pipeline.maps["sample"].tolerance()
    execution_input = ExecutionInput(RunPlace("chain", BUCKET, f"{RUN}/"), f"{reads}/reference.fa.gz", {}, tolerated)
    files = {
        "manifest.jsonl": "".join(manifest_lines(read_manifest(str(sheet(tmp_path / "s3.csv", reads))))),
        "intervals.jsonl": interval_lines(read_contigs(reference), interval_limits(pipeline.maps["interval"])),
        "definition.json": canonical_json(generate(pipeline)),
        "input.json": json.dumps(execution_input.to_json()),
    }
    for name, text in files.items():
        body = text if isinstance(text, bytes) else text.encode()
        client.put_object(Bucket=BUCKET, Key=f"{RUN}/{name}", Body=body)


def sheet(file: Path, reads: str) -> Path:
    """Write a sample sheet of the three samples."""
    rows = [f"{name},{reads}/{name}_R1.fastq.gz,{reads}/{name}_R2.fastq.gz" for name in SAMPLES]
    file.write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
    return file


def local_digests(tmp_path: Path) -> dict[str, str]:
    """Run the same samples on this machine and return the sha256 of each output."""
    arguments = ["run", sheet(tmp_path / "here.csv", str(DATA)), "--reference", DATA / "reference.fa.gz"]
    argv = [sys.executable, "-m", "genomics_pipeline", *map(str, arguments), "--out", str(tmp_path / "here"), "--json"]
    process = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return digests([file.read_bytes() for file in (tmp_path / "here").glob("steps/*/*/step.json")])


def digests(records: list[bytes]) -> dict[str, str]:
    return {
        f"{record['stage']}/{record['item']}/{name}": output["sha256"]
        for record in map(json.loads, records)
        for name, output in record["outputs"].items()
    }


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # moto leaves a pipe open when it determines its own address
@pytest.mark.usefixtures("stack")
def test_three_samples_to_the_joint_vcf_through_batch_and_s3(bucket: S3Client, tmp_path: Path) -> None:
    upload(bucket, tmp_path)
    run_uri = f"s3://{BUCKET}/{RUN}"
    request = ExecuteRequest(f"{run_uri}/definition.json", f"{run_uri}/input.json", name="chain", batch="batch")
    result = execute(request, replace(adapters(), cache=tmp_path / "cache"))
    assert result.status == "SUCCEEDED", result
    store = object_store()
    records = [info.uri for info in store.list(f"{run_uri}/steps/") if info.uri.endswith("/step.json")]
    remote_digests = digests([store.read(uri) for uri in records])
    assert remote_digests == local_digests(tmp_path)
    assert {name.partition("/")[0] for name in remote_digests} == {
        "alignment",
        "variant_calling",
        "aggregation",
        "gather",
    }
    gathered = json.loads(store.read(f"{run_uri}/steps/gather/cohort/step.json"))
    assert store.stat(f"{run_uri}/{gathered['outputs']['vcf']['key']}"), "the joint VCF"
    jobs = [
        json.loads(store.read(info.uri)) for info in store.list(f"{run_uri}/steps/") if info.uri.endswith("/job.json")
    ]
    assert len(jobs) == len(records)
    described = boto3.client("batch").describe_jobs(jobs=sorted({job["job_id"] for job in jobs}))["jobs"]
    assert {job["status"] for job in described} == {"SUCCEEDED"}

"""Shared fixtures: skipping, node programs, moto, and the fakes of AWS services."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.request import Request, urlopen

import botocore.session
import pytest
from filelock import FileLock

from tests.cached_files import leave_files_in_cache
from tests.patience import PATIENCE_S
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, named_reads, stage_toml

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.fakes.aws import FakeAws

os.environ["MOTO_ACCOUNT_ID"] = "000000000000"  # that of the engine, so that all ARNs are of one account

# Without bytecode files, each process that a test starts would compile the package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

leave_files_in_cache()

os.environ["GENOMICS_PIPELINE_KEEP_TASKS"] = "no"  # no plan of a test depends on the runs of others, or of a developer

# All sessions of a process share the models of services; parsing them for each test would take 0.3 s.
botocore.session.create_loader = cache(botocore.session.create_loader)

AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name cases of bytes by their argument: workers must agree on names, and gzip writes the time into its header."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Return `missing(what)`, which skips the test with a message, or fails it in continuous integration."""

    def call(what: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"{what}: this must run in continuous integration")
        pytest.skip(f"SKIPPED: {what}")

    return call


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    """Return a folder for small steps, a pipeline of them, and samples."""
    return SmallProject(tmp_path)


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    """Return a project of two stages that copy the reads of the samples A and B; those of B are called torn."""
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(
        stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}),
        stage_toml("ending", "./copy", "ends", {"reads": "sample.reads"}),
    )
    project.samples({"A": named_reads("a"), "B": named_reads("torn")})
    return project


@pytest.fixture(scope="session")
def node(missing: Callable[[str], NoReturn]) -> Callable[[Path], str]:
    """Return `node(folder)`, which returns node's path and installs the folder's locked packages on first use."""

    def call(folder: Path) -> str:
        program, npm = shutil.which("node"), shutil.which("npm")
        if program is None or npm is None:
            missing("no node/npm on this machine")
        with FileLock(Path(tempfile.gettempdir()) / f"genomics-pipeline-{folder.name}.lock"):
            lock = (folder / "package-lock.json").read_bytes()
            installed = folder / "node_modules" / ".installed"
            if not installed.exists() or installed.read_bytes() != lock:
                command = [npm, "ci", "--no-fund", "--no-audit", "--ignore-scripts"]
                process = subprocess.run(
                    command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S
                )
                if process.returncode:
                    missing(f"npm could not install {folder.name}: {process.stderr.strip()[-300:]}")
                installed.write_bytes(lock)
        return str(program)

    return call


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """Yield the URL of moto's server, one for all tests of a process."""
    from moto.server import ThreadedMotoServer

    from tests.fakes.quick_moto import quick_moto

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with quick_moto():
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of moto's server, after setting AWS's standard environment variables to it."""
    for name, value in {**AWS_ENVIRONMENT, "AWS_ENDPOINT_URL": aws_endpoint}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return aws_endpoint


@pytest.fixture
def checked_calls(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Check every request to AWS and every response against botocore's models of the services.

    Yields:
        The problems so far, of which there must be none at the end.
    """
    import boto3

    from genomics_pipeline.aws.clients import Clients
    from tests.fakes.shared_clients import shared_session

    session = shared_session()
    session.problems.clear()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    monkeypatch.setattr(Clients, "_session", session)
    yield session.problems
    assert session.problems == []


@pytest.fixture
def step_functions(
    aws: str, checked_calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeAws]:
    """Yield fakes of Step Functions and Batch (`tests/fakes`), which boto3 then uses; all other services are moto's.

    A job succeeds at once unless the test sets `step_functions.batch.run_job`. All calls are checked.
    """
    from tests.fakes.aws import FakeAws

    fake = FakeAws(tmp_path / "step-functions", aws)
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    with fake.serving():
        yield fake


@pytest.fixture
def cloudformation(aws: str) -> Iterator[str]:
    """Yield the URL of moto without resources, with the parts of CloudFormation that moto lacks."""
    from tests.aws.cloudformation import patch_cloudformation

    def reset() -> None:
        urlopen(Request(f"{aws}/moto-api/reset", method="POST")).close()

    reset()
    with patch_cloudformation():
        yield aws
    reset()


@pytest.fixture
def s3(aws: str) -> Iterator[S3Client]:
    """Yield a client of moto's S3, with an empty bucket `reads`."""
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket="reads")
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="reads"):
        for entry in page.get("Contents", ()):
            client.delete_object(Bucket="reads", Key=entry["Key"])
    client.delete_bucket(Bucket="reads")
    client.close()

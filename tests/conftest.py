"""What tests of several rooms share: what is missing, programs of node from their lock files, an AWS of our own."""

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
from hypothesis import settings

from tests.small_project import SmallProject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.fakes.aws import FakeAws

settings.register_profile("unhurried", deadline=None)  # no test times: a busy machine makes nothing wrong
settings.load_profile("unhurried")

os.environ["MOTO_ACCOUNT_ID"] = "000000000000"  # the engine's, so that ARNs of both are of one account

# Where the machine switches bytecode files off, each process that a test starts would compile the package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Sessions of a process share the service descriptions they read; to parse them again for each test takes 0.3 s.
botocore.session.create_loader = cache(botocore.session.create_loader)

AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """`missing(what)`: skip, so that it is seen; in continuous integration, where nothing may be missing, fail."""

    def call(what: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"{what}: this must run in continuous integration")
        pytest.skip(f"SKIPPED: {what}")

    return call


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    """A folder for small steps, a pipeline of them, and samples."""
    return SmallProject(tmp_path)


@pytest.fixture(scope="session")
def node(missing: Callable[[str], NoReturn]) -> Callable[[Path], str]:
    """`node(folder)`: the program, with what the folder's package.json asks for installed beside it on first use."""

    def call(folder: Path) -> str:
        program, npm = shutil.which("node"), shutil.which("npm")
        if program is None or npm is None:
            missing("no node/npm on this machine")
        with FileLock(Path(tempfile.gettempdir()) / f"genomics-pipeline-{folder.name}.lock"):
            lock = (folder / "package-lock.json").read_bytes()
            installed = folder / "node_modules" / ".installed"
            if not installed.exists() or installed.read_bytes() != lock:
                command = [npm, "ci", "--no-fund", "--no-audit", "--ignore-scripts"]
                ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
                if ended.returncode:
                    missing(f"npm could not install {folder.name}: {ended.stderr.strip()[-300:]}")
                installed.write_bytes(lock)
        return str(program)

    return call


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """The URL of moto's server on this machine, one for all tests of a process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, where everything that asks AWS's standard environment is led to it."""
    for name, value in {**AWS_ENVIRONMENT, "AWS_ENDPOINT_URL": aws_endpoint}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return aws_endpoint


@pytest.fixture
def checked_calls(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every call to AWS of the code under test, and every answer, is checked against botocore's models of the services.

    The problems so far; there must be none at the end.
    """
    import boto3

    from genomics_pipeline.aws.clients import Clients
    from tests.fakes.shapes import watch

    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    problems = watch(session)
    monkeypatch.setattr(Clients, "_session", session)
    yield problems
    boto3.DEFAULT_SESSION = None
    assert problems == []


@pytest.fixture
def step_functions(
    aws: str, checked_calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeAws]:
    """Step Functions and Batch of our own (`tests/fakes`), where boto3 is led to; all else is moto's.

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
    """The same, empty, with what moto's CloudFormation leaves out."""
    from tests.aws.cloudformation import completed

    def reset() -> None:
        urlopen(Request(f"{aws}/moto-api/reset", method="POST")).close()

    reset()
    with completed():
        yield aws
    reset()


@pytest.fixture
def s3(aws: str) -> Iterator[S3Client]:
    """A client of moto's. The bucket `reads` is empty."""
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket="reads")
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="reads"):
        for found in page.get("Contents", ()):
            client.delete_object(Bucket="reads", Key=found["Key"])
    client.delete_bucket(Bucket="reads")
    client.close()

"""Runs whose reads are on a web server: streamed, reused until they change, and checked before the first job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.fakes.web_files import WebFiles
from tests.fuzz.harness import run_command
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

MD5 = hashlib.md5(READS.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def server() -> Iterator[WebFiles]:
    with WebFiles() as one:
        for name in ("a", "b"):
            one.put(f"/{name}.fastq", READS.encode())
        yield one


@pytest.fixture
def copying(project: SmallProject, server: WebFiles) -> SmallProject:
    """Return a project that copies the reads of two samples behind URLs, the first one with a checksum."""
    project.step("copying", COPY, COPY_DECLARATIONS.replace('"reads"\n', '"reads"\nstream = true\n', 1))
    project.pipeline(stage_toml("copying", "./copying", "copies", {"reads": "sample.reads"}))
    project.sheet({"a": f"{server.url}/a.fastq#md5={MD5}", "b": f"{server.url}/b.fastq"})
    return project


def transfers(server: WebFiles) -> list[str]:
    return [one.path for one in server.requests if one.method == "GET"]


def test_files_are_streamed_once_until_they_change(copying: SmallProject, server: WebFiles) -> None:
    assert run_command(*copying.arguments()).code == 0
    assert (copying.run / "results/copies/a.txt").read_text() == READS
    assert sorted(transfers(server)) == ["/a.fastq", "/b.fastq"]
    for name in ("a", "b"):  # the checksum identifies a; b may be another file
        server.files[f"/{name}.fastq"].etag = '"2"'
    assert run_command(*copying.arguments()).code == 0
    assert sorted(transfers(server)) == ["/a.fastq", "/b.fastq", "/b.fastq"]


def test_files_that_cannot_be_read_are_reported_before_the_first_job(copying: SmallProject, server: WebFiles) -> None:
    del server.files["/a.fastq"]
    server.files["/b.fastq"].headers = {"Content-Type": "text/html"}
    ended = run_command(*copying.arguments())
    assert ended.code == 1
    where, url = f"error: {copying.folder}/sheet.csv", server.url
    assert ended.err.splitlines() == [
        f"{where}:2:fastq_1: sample a, lane L001: {url}/a.fastq#md5={MD5}: expected a file, found none",
        f"{where}:3:fastq_1: sample b, lane L001: {url}/b.fastq: expected a file, found a web page (text/html), "
        "such as one for logging in",
    ]
    assert transfers(server) == []
    assert not copying.run.exists()


def test_content_with_another_checksum_fails_its_sample(copying: SmallProject, server: WebFiles) -> None:
    server.put("/a.fastq", READS.replace("A", "C").encode())
    assert run_command(*copying.arguments()).code == 1
    failure = json.loads((copying.run / "steps/copying/a/failure.json").read_bytes())
    assert failure["message"].startswith(f"{server.url}/a.fastq: expected content with the md5 {MD5}, found ")
    assert not (copying.run / "results/copies/a.txt").exists()
    assert (copying.run / "results/copies/b.txt").exists()

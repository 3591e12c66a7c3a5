"""Passwords in URIs: refused wherever a URI is given, shown nowhere, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.conftest import AWS_ENVIRONMENT

Cli = Callable[..., Any]

SHEET = "sample,fastq_1\na,a.fastq\n"
HIDDEN = "://***@host/"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.fastq").write_text("@r\nACGT\n+\nFFFF\n")
    Path("a.csv").write_text(SHEET)
    Path("with_key.csv").write_text("sample,fastq_1\na,s3://KEY:s3cret@host/a.fastq\n")
    Path("r.fa").write_text(">c\nACGT\n")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "https://ann:s3cret@host/a.csv", "--reference", "r.fa", "--out", "run"],
        ["run", "with_key.csv", "--reference", "r.fa", "--out", "run"],
        ["run", "a.csv", "--reference", "https://ann:s3cret@host/r.fa", "--out", "run"],
        ["run", "a.csv", "--reference", "s3://KEY:s3/cret@host/r.fa", "--out", "run"],
        [
            "run",
            "a.csv",
            "--reference",
            "r.fa",
            "--out",
            "run",
            "--param",
            "variant_calling.regions=s3://K:s3cret@host/a",
        ],
        ["manifest", "validate", "with_key.csv"],
        ["manifest", "validate", "s3://KEY:s3cret@host/a.csv", "--json"],
        ["manifest", "init", "s3://KEY:s3cret@host/"],
        ["execute", "s3://KEY:s3cret@host/d.json"],
        ["explain", "s3://KEY:s3cret@host/cause.json"],
    ],
    ids=range(10),
)
def test_a_password_is_refused(cli: Cli, folder: Path, arguments: list[str]) -> None:
    before = sorted(folder.rglob("*"))
    ended = cli(*arguments)
    assert ended.code in (1, 2)
    text = ended.out + ended.err
    assert "cret" not in text
    assert HIDDEN in text
    assert "expected a URI without user and password" in text
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("command", [["status", "s3://bucket/runs/x"], ["runs"]])
@pytest.mark.parametrize(
    "endpoint", ["u:s3cret@host", "http://[u:s3cret", "http://u:s3cret℀@h", "ftp://u:s3cret@h", "http://u:s3cret@h"]
)
@pytest.mark.parametrize("place", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_{service}", "profile"])
def test_an_endpoint_that_is_no_plain_url_is_refused_and_not_shown(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], endpoint: str, place: str
) -> None:
    for name, value in AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    if place == "profile":
        (folder / "config").write_text(f"[default]\nendpoint_url = {endpoint}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    else:
        monkeypatch.setenv(place.format(service="S3" if "status" in command else "CLOUDFORMATION"), endpoint)
    ended = cli(*command)
    assert ended.code == 2
    assert "cret" not in ended.out + ended.err
    assert ended.err.startswith("error: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_… of the service")
    assert ended.err.count("\n") == 1

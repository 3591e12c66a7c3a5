"""Passwords in URIs: refused wherever a URI is given, shown nowhere, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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

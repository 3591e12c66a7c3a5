"""Fixtures of the command line's tests: the commands in this process, FASTQ files, and a stack."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genomics_pipeline.cli.main import main
from tests.fakes.deployed import Deployed, deployed

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

SEQUENCE = "ACGTTGCAAGCTTGCACCATGGTACCTTAGCA" * 20
FASTA = f">chr1\n{SEQUENCE}\n>chr2\n{SEQUENCE[::-1]}\n"
FAI = "chr1\t640\t6\t640\t641\nchr2\t640\t653\t640\t641\n"
MINIBWA = ("fa.l2b", "fa.mbw", "dict")
BWA = ("fa.amb", "fa.ann", "fa.bwt", "fa.pac", "fa.sa", "dict")


@dataclass(frozen=True)
class Ended:
    """The end of a command: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def call(*arguments: str | Path) -> Ended:
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        code = end.value.code or 0
        assert isinstance(code, int)
        return Ended(code, out, err)

    return call


@pytest.fixture
def reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return `reads(name, *names)`, which writes a FASTQ file of reads with those names into the current folder."""
    monkeypatch.chdir(tmp_path)

    def call(name: str, *names: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join(f"@{one}\nACGT\n+\n#FFF\n" for one in names).encode()
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        return path

    return call


@pytest.fixture
def stack(request: pytest.FixtureRequest, step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    """Deploy `germline`, or the pipelines of an indirect parameter."""
    with deployed(aws, getattr(request, "param", ("germline",))) as made:
        yield made
        for execution in step_functions.states.executions.values():
            execution.wait()


@pytest.fixture
def reference(stack: Deployed) -> str:
    """Return the URI of a reference on S3 with the indexes of both aligners."""
    stack.put("ref/tiny.fa.fai", FAI)
    for ending in (*BWA, *MINIBWA):
        stack.put(f"ref/tiny.{ending}", "x")
    return stack.put("ref/tiny.fa", FASTA)

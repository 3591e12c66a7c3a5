"""The command line in this process, and FASTQ files for it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

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
    """`reads(name, *names)`: a FASTQ file below the current folder, `tmp_path`, with reads of those names."""
    monkeypatch.chdir(tmp_path)

    def call(name: str, *names: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join(f"@{one}\nACGT\n+\n#FFF\n" for one in names).encode()
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        return path

    return call

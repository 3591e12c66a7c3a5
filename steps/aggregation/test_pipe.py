"""bcftools in forks: how the pipe ends where one of them does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pysam.bcftools
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from pipe import CommandFailed, run


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What SIGTERM does."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGKILL, 137, "a bcftools command was killed; it may have run out of memory"),
        (signal.SIGTERM, 1, "a bcftools command failed"),
    ],
)
def test_a_command_that_was_killed_is_told_from_one_that_failed(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int, message: str
) -> None:
    monkeypatch.setattr(pysam.bcftools, "merge", lambda *_, **__: os.kill(os.getpid(), number))
    with pytest.raises(CommandFailed) as caught:
        run(["merge"])
    assert (caught.value.exit_code, str(caught.value)) == (code, message)

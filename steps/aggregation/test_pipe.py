"""A pipe of bcftools commands of which one fails."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pysam.bcftools
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from common.forks import ForkFailed
from pipe import WaitingFork


@pytest.fixture(autouse=True)
def sigterm_handler() -> Iterator[None]:
    """Restore the handler of SIGTERM after each test."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGKILL, 137, "bcftools view was killed by signal 9; it may have run out of memory"),
        (signal.SIGTERM, 1, "bcftools view ended with exit code -15"),
    ],
)
def test_a_killed_command_differs_from_a_failed_one(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int, message: str
) -> None:
    monkeypatch.setattr(pysam.bcftools, "view", lambda *_, **__: os.kill(os.getpid(), number))
    with pytest.raises(ForkFailed) as caught, WaitingFork(["view"]) as waiting, waiting.output() as output:
        assert output.read() == b""
    assert (caught.value.exit_code, str(caught.value)) == (code, message)

"""Parallel jobs of which one fails."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common.forks import ForkFailed, run


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGKILL, 137, "a forked process was killed by signal 9; it may have run out of memory"),
        (signal.SIGTERM, 1, "a forked process ended with exit code -15"),
    ],
)
def test_a_killed_job_differs_from_a_failed_one(number: signal.Signals, code: int, message: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(ForkFailed) as caught:
            run([lambda: None, lambda: os.kill(os.getpid(), number)], at_once=2)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (caught.value.exit_code, str(caught.value)) == (code, message)

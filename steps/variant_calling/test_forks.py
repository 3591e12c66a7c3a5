"""Work in forks: how it ends where one of them does."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import forks


@pytest.mark.parametrize(
    ("number", "kind", "message"),
    [
        (signal.SIGKILL, forks.WorkKilled, "a worker was killed by signal 9; it may have run out of memory"),
        (signal.SIGTERM, forks.WorkFailed, "a worker ended with -15"),
    ],
)
def test_a_worker_that_was_killed_is_told_from_one_that_failed(
    number: signal.Signals, kind: type[Exception], message: str
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(forks.WorkFailed) as caught:
            forks.run([lambda: None, lambda: os.kill(os.getpid(), number)], at_once=2)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (type(caught.value), str(caught.value)) == (kind, message)

"""A chain of samtools commands, one of which ends badly."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import samtools_chain
from common.forks import ForkFailed
from samtools_chain import Chain, Command


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGKILL, "samtools sort was killed by signal 9; it may have run out of memory"),
        (signal.SIGTERM, "samtools sort ended with exit code -15"),
    ],
)
def test_the_command_that_was_killed_is_reported_not_the_others(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, message: str
) -> None:
    def run(command: Command, printed: str | None = None) -> None:
        if command[0] == "sort":
            if number == signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)  # whatever the process of the tests does with it
            os.kill(os.getpid(), number)
        if command[0] == "view" and number == signal.SIGKILL:
            sys.exit(3)  # it found nothing to read

    monkeypatch.setattr(samtools_chain, "_run", run)
    chain = Chain([["sort"]], [(["view"], None), (["stats"], None)])
    os.close(chain.input)
    with pytest.raises(ForkFailed) as caught:
        chain.wait()
    assert (str(caught.value), caught.value.killed) == (message, number == signal.SIGKILL)

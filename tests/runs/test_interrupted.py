"""Interruption by Ctrl-C or SIGTERM: the run stops at once, says how to resume, and can be resumed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STEPS = 4 * 2 + 2  # two of each sample, one interval, one cohort


def in_background() -> None:
    """Ignore SIGINT, as in a command that a shell script starts with ``&``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(("number", "before"), [(signal.SIGINT, None), (signal.SIGTERM, in_background)])
def test_an_interrupted_run_says_how_to_go_on_and_does(
    cohort: Path,
    run: Callable[..., dict[str, Any]],
    tmp_path: Path,
    number: signal.Signals,
    before: Callable[[], None] | None,
) -> None:
    out = tmp_path / "run"
    argv = [sys.executable, "-m", "genomics_pipeline", "run", str(cohort / "cohort.csv")]
    argv += ["--reference", str(cohort / "reference.fa"), "--out", str(out)]
    with subprocess.Popen(
        argv, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=before
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("alignment "):  # one task is done, others run
                process.send_signal(number)
                break
        stderr = process.stderr.read()
    assert process.returncode == 130
    assert f"interrupted; the same command with --resume continues the run: {out}\n" in stderr
    assert "Traceback" not in stderr
    assert not list((out / ".scratch").glob("*"))
    after = run(out, "--resume")
    assert after["status"] == "SUCCEEDED"
    assert after["steps"]["run"] < STEPS  # what was done is not done again

"""`plan` of a million samples: the most memory that its process has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MOST_MIB = 500
# A process of its own: the peak that wait4 reports begins with the memory of the process that started it.
MEASURED = """
import sys
from genomics_pipeline.cli.main import main
try:
    main(sys.argv[1:])
finally:
    with open("/proc/self/status") as status:
        print(next(line for line in status if line.startswith("VmHWM:")).split()[1], file=sys.stderr)
"""


@pytest.mark.petabytes
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc of Linux")
def test_a_million_samples_are_planned_in_bounded_memory() -> None:
    command = [sys.executable, "-c", MEASURED, "plan", "--samples", "1000000", "--gigabytes", "75"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "1,000,000 samples" in ended.stdout
    peak_mib = int(ended.stderr.split()[-1]) / 1024
    assert 50 < peak_mib < MOST_MIB

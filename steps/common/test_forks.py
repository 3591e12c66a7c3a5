"""Forks end in every case, and never go on as their parent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from common.forks import fork, wait_for
from common.program import BadInput

def work():
    raise BadInput("expected reads, found none")

print(wait_for(fork(work)), flush=True)
"""


def test_a_fork_whose_message_finds_no_room_ends_with_its_exit_code() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", PROGRAM]
        ended = subprocess.run(
            command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, stderr=full, text=True, check=False
        )
    assert ended.stdout == "65\n"

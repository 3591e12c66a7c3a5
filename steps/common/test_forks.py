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


SHARED = """
import os, sys
from common.forks import ForkFailed, run_shared

def work(number):
    os.write(1, f"{number}\\n".encode())  # one write, which the other fork cannot interrupt
    if number == int(sys.argv[1]):
        raise ValueError("expected another number")

try:
    run_shared(work, 5, 2)
except ForkFailed as error:
    print(error)
"""


def run_jobs(failing: int) -> list[str]:
    command = [sys.executable, "-c", SHARED, str(failing)]
    folder = Path(__file__).parents[1]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()


def test_each_job_is_done_once_by_one_of_the_forks() -> None:
    assert sorted(run_jobs(failing=9)) == list("01234")


def test_a_job_that_fails_ends_all() -> None:
    assert run_jobs(failing=1)[-1] == "a forked process ended with exit code 1"


def test_a_fork_whose_message_finds_no_room_ends_with_its_exit_code() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", PROGRAM]
        ended = subprocess.run(
            command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, stderr=full, text=True, check=False
        )
    assert ended.stdout == "65\n"

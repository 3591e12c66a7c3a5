"""A chain of samtools commands of which one fails."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import samtools_chain
from common.forks import ForkFailed
from samtools_chain import Chain, Command, Reader, samtools_consumer

COPY = Reader("copy", lambda _: None)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGKILL, "samtools sort was killed by signal 9; it may have run out of memory"),
        (signal.SIGTERM, "samtools sort ended with exit code -15"),
    ],
)
def test_of_failed_commands_the_killed_one_is_reported(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, message: str
) -> None:
    def run(command: Command, *_: str | None) -> None:
        if command[0] == "sort":
            if number == signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)  # the test process may handle it
            os.kill(os.getpid(), number)
        if command[0] == "view" and number == signal.SIGKILL:
            sys.exit(3)  # its input is empty

    monkeypatch.setattr(samtools_chain, "_run_logged", run)
    chain = Chain([["sort"]], COPY, [samtools_consumer(["view"], "."), samtools_consumer(["stats"], ".")], ".")
    os.close(chain.input)
    with pytest.raises(ForkFailed) as caught:
        chain.wait()
    assert (str(caught.value), caught.value.killed) == (message, number == signal.SIGKILL)


def test_few_descriptors_are_enough(tmp_path: Path) -> None:
    code = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
sys.path[1:1] = [FOLDER, FOLDER + "/.."]
from samtools_chain import Chain, Reader, samtools_consumer
def copy(targets):
    while piece := os.read(0, 1000):
        for target in targets:
            os.write(target, piece)
outputs = [None, "b.txt", "c.txt", "d"]
commands = [["view", "-h", "-o", "a.sam"], ["stats"], ["flagstat", "-"], ["view", "-c"]]
consumers = [samtools_consumer(one, ".", output) for one, output in zip(commands, outputs)]
chain = Chain([["view", "-u"]], Reader("copy", copy), consumers, ".")
os.write(chain.input, b"@SQ\\tSN:c\\tLN:9\\n")
os.close(chain.input)
chain.wait()
"""
    program = code.replace("FOLDER", repr(str(Path(__file__).parent)))
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / "a.sam").read_text().startswith("@SQ\tSN:c\tLN:9")
    assert (tmp_path / "c.txt").read_text().startswith("0 + 0 in total")
    assert (tmp_path / "d").read_text() == "0\n"


def test_a_user_with_too_many_large_pipes_gets_one_of_the_usual_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> int:
        raise PermissionError

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    begin, end = samtools_chain.large_pipe()
    os.write(end, b"x")
    assert os.read(begin, 2) == b"x"
    os.close(begin)
    os.close(end)

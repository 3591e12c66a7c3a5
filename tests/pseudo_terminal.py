"""Commands in a pseudo-terminal, as a user at a terminal runs them."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Timer

from tests.patience import PATIENCE_S

PROGRAM = "import sys; from genomics_pipeline.cli.main import main; main()"


@dataclass
class InTerminal:
    """A command in a pseudo-terminal.

    Attributes:
        process: Its process.
        leading: The descriptor of our end of the terminal.
        printed: What it has printed so far.
    """

    process: subprocess.Popen[bytes]
    leading: int
    printed: bytes = b""

    def resize(self, columns: int, rows: int = 24) -> None:
        """Give the terminal another size; the kernel sends SIGWINCH."""
        fcntl.ioctl(self.leading, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        """Press keys, such as Ctrl-C."""
        os.write(self.leading, keys)


def run_in_terminal(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    columns: int = 80,
    on_output: Callable[[InTerminal], object] = lambda _: None,
) -> InTerminal:
    """Run a command of `genomics-pipeline` in a terminal to its end.

    Args:
        arguments: Its arguments.
        environment: The variables that differ.
        columns: The width of the terminal.
        on_output: Called after each piece of output.
    """
    leading, following = pty.openpty()
    fcntl.ioctl(leading, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    size = ("COLUMNS", "LINES")  # pytest-xdist sets them, and they count more than the size of the terminal
    inherited = {name: value for name, value in os.environ.items() if name not in size}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdin=following,
        stdout=following,
        stderr=following,
        env={**inherited, "TERM": "xterm-256color", **environment},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(following, termios.TIOCSCTTY, 0),  # the terminal's keys signal the command
    )
    os.close(following)
    deadline = Timer(PATIENCE_S, process.kill)
    deadline.start()
    terminal = InTerminal(process, leading)
    while True:
        try:
            piece = os.read(leading, 1 << 16)
        except OSError:  # the command has closed its end
            break
        if not piece:
            break
        terminal.printed += piece
        on_output(terminal)
    process.wait()
    deadline.cancel()
    os.close(leading)
    return terminal

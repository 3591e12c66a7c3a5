"""Signals that end a command."""

from __future__ import annotations

import signal


def end_on_sigterm() -> None:
    """Let SIGTERM end a command as Ctrl-C does: the command ends what it runs, and reports how to resume.

    A shell script starts what it puts into the background with SIGINT ignored; then SIGTERM would be lost too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))

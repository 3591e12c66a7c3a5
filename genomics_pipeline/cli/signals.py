"""Signals that end a command."""

from __future__ import annotations

import signal


def end_on_sigterm() -> None:
    """Let SIGTERM end a command as Ctrl-C does, so that it ends its processes and reports how to resume.

    SIGINT is enabled if it is ignored, as in a background command of a shell script: SIGTERM would otherwise be ignored
    too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))

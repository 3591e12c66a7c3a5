"""What the signals that end a command do."""

from __future__ import annotations

import signal


def end_on_sigterm() -> None:
    """SIGTERM ends a command as Ctrl-C does: what it runs is ended, and it says how to go on.

    A shell script starts what it puts into the background with SIGINT ignored; then SIGTERM would be lost too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))

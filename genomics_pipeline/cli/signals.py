"""Signals that end a command."""

from __future__ import annotations

import signal

END_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end a command as Ctrl-C does.

    The command then ends its processes and reports how to resume. SIGHUP stays ignored below `nohup`. SIGINT is enabled
    if it is ignored, as in a background command of a shell script: SIGTERM would otherwise be ignored too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in END_SIGNALS:
        if number is signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))

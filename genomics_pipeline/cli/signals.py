"""Signals that end or stop a command."""

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
    if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
        signal.signal(signal.SIGTSTP, _stop)


def _stop(number: int, _frame: object) -> None:
    """Stop this process at Ctrl-Z with the programs of its steps, whose groups a terminal does not reach."""
    from genomics_pipeline.worker.process_groups import GROUPS

    GROUPS.signal(signal.SIGSTOP)
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)  # returns at SIGCONT
    signal.signal(number, _stop)
    GROUPS.signal(signal.SIGCONT)

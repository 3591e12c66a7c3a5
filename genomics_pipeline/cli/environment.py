"""The environment of a command, made equal on all machines before anything reads it."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import MutableMapping

from genomics_pipeline.stores.client_config import honour_region

# Variables that would change how the programs of steps run: PYTHONSAFEPATH hides the modules beside a program, and a
# program that failed would end with 0 under PYTHONINSPECT. PYTHONIOENCODING is for this process's own streams.
NOT_FOR_STEPS = ("PYTHONIOENCODING", "PYTHONSAFEPATH", "PYTHONINSPECT")


def prepare_environment(environment: MutableMapping[str, str]) -> None:
    """Let AWS_REGION count, and let the programs of steps write UTF-8, whatever the encoding of this terminal is.

    Call this once the standard streams have their encoding.
    """
    honour_region(environment)
    for name in NOT_FOR_STEPS:
        environment.pop(name, None)


def use_utf8(environment: MutableMapping[str, str]) -> None:
    """Start this process again in Python's UTF-8 mode where the locale has another encoding.

    The names of files are bytes. Records, programs of steps and libraries agree on their text only in one encoding,
    which is UTF-8. What is printed keeps the encoding of the terminal.
    """
    if sys.flags.utf8_mode or locale.getencoding().lower().replace("-", "") == "utf8":
        return
    environment["PYTHONUTF8"] = "1"  # for the programs of steps
    environment.setdefault("PYTHONIOENCODING", locale.getencoding())
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606

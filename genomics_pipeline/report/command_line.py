"""Commands of this program in messages, ready to be copied into a shell."""

from __future__ import annotations

import os
import shlex

from genomics_pipeline.model.printable import has_control, printable

PROGRAM = "genomics-pipeline"


def command_line(command: str, run: str, *options: str) -> str:
    """Return a command over a run, quoted for a shell; a run whose name begins with a hyphen comes last, behind ``--``.

    Args:
        command: The command, such as ``rerun``.
        run: The run's folder, URI or name.
        options: The options with their values, a word each.

    >>> command_line("rerun", "/my run", "--sample", "NA12878")
    "genomics-pipeline rerun '/my run' --sample NA12878"
    >>> command_line("results", "-run", "--failed")
    'genomics-pipeline results --failed -- -run'
    """
    words = [*options, "--", run] if run.startswith("-") else [run, *options]
    return " ".join([PROGRAM, command, *map(_quoted, words)])


def _quoted(word: str) -> str:
    r"""Return a word for a shell, also after it was printed, which changes some characters.

    Such a word is quoted as ``$'…'`` with the bytes of these characters (POSIX.1-2024, 2.2.4 "Dollar-Single-Quotes").

    >>> print(_quoted("a b"), _quoted("it's\t\x1b[31m"))
    'a b' $'it\047s\011\033[31m'
    """
    if not has_control(word) and printable(word) == word:
        return shlex.quote(word)
    return "$'" + "".join(map(_character, word)) + "'"


def _character(one: str) -> str:
    if one in "\\'" or has_control(one) or printable(one) != one:
        return "".join(f"\\{byte:03o}" for byte in os.fsencode(one))
    return one

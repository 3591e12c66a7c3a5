"""Commands of this program in messages, ready to be copied into a shell."""

from __future__ import annotations

import shlex

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
    return shlex.join([PROGRAM, command, *words])

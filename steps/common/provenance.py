"""The commands that ran, for headers and logs, without what differs between machines, and the versions of tools.

The bytes of results must not depend on the machine. So a file is shown by its name only, and options for threads,
memory and temporary files are left out.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from pysam.version import __bcftools_version__, __htslib_version__, __samtools_version__

from common.program import say

SAMTOOLS_VERSION, BCFTOOLS_VERSION, HTSLIB_VERSION = __samtools_version__, __bcftools_version__, __htslib_version__

INDEX = "##idx##"  # between the names of an output and of its index


def shown(words: Iterable[str], local: Collection[str] = ()) -> str:
    """Return a command as it is shown: files by their names, without options that concern this machine only.

    Args:
        words: The command.
        local: The options to leave out, with their values; long ones have none.

    >>> shown(["view", "-@", "2", "-o", "/x/a.bam##idx##/x/a.bam.bai", "--no-PG", "-"], ["-@", "--no-PG"])
    "view -o 'a.bam##idx##a.bam.bai' -"
    """
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in local:
            if not word.startswith("--"):
                next(rest)
        else:
            kept.append(INDEX.join(map(_name, word.split(INDEX))))
    return shlex.join(kept)


def _name(word: str) -> str:
    return Path(word).name if word.startswith(("/", "out/")) else word


def step_command(task: dict[str, Any], files: Iterable[str]) -> str:
    """Return the command that runs the step of a task by itself, with all parameters that have a value.

    Args:
        task: The task.
        files: Its files but the reference.
    """
    words = ["genomics-pipeline", "step", task["step"], *files, "--reference", task["inputs"]["reference"]]
    for name, value in task["parameters"].items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            words += ["--param", f"{name}={_name(text)}"]
    return shown(words)


def write_versions(task: dict[str, Any], versions: dict[str, str]) -> None:
    """Write the versions of the tools that were used to the file that the worker reads."""
    Path(task["versions"]).write_text(json.dumps(versions))


def log_commands(commands: Sequence[str]) -> None:
    """Print commands to the log, as at the prompt of a shell."""
    for command in commands:
        say(f"$ {command}")


def log_messages(name: str, messages: str | bytes | Sequence[str] | None) -> None:
    """Print what a tool said to the log.

    Args:
        name: The tool.
        messages: Its messages, as `get_messages` of pysam returns them.
    """
    text = messages if isinstance(messages, str) else "\n".join(map(str, messages or ()))
    for line in text.splitlines():
        if line.strip():
            say(f"{name}: {line.rstrip()}")

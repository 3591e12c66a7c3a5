"""The header of a VCF: what made it, from which reference, and the MD5 of each contig (VCF specification, 1.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.dictionary import read_digests
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, shown, step_command

LOCAL = ("--no-version", "-o", "-R", "-l", "--no-index")  # options of bcftools for files of this machine
_CONTIG = re.compile(r"##contig=<ID=(.*),length=\d+(?=>$)")
_MADE_BY = re.compile(r"##(source|reference|bcftools_\w+|genomics_pipeline_command)=")


def provenance_lines(task: dict[str, Any], files: Iterable[str], commands: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines that say what made a VCF.

    Args:
        task: The task.
        files: Its files but the reference, as far as they are to be named.
        commands: The commands of bcftools, in order.
    """
    lines = [
        f"##source=genomics-pipeline {task['step']} {task['version']}",
        f"##reference={Path(task['inputs']['reference']).name}",
        f"##genomics_pipeline_command={step_command(task, files)}",
    ]
    for command in commands:
        name = command[0]
        lines.append(f"##bcftools_{name}Version={BCFTOOLS_VERSION}+htslib-{HTSLIB_VERSION}")
        lines.append(f"##bcftools_{name}Command={shown(command, LOCAL)}")
    return [f"{line}\n" for line in lines]


class VcfHeader:
    """The header of the VCFs of a task.

    Args:
        task: The task.
        files: Its files but the reference, as far as they are to be named.
        commands: The commands of bcftools, in order.
    """

    def __init__(self, task: dict[str, Any], files: Iterable[str], commands: Sequence[Sequence[str]]) -> None:
        self._lines = provenance_lines(task, files, commands)
        self._digests = read_digests(task["inputs"]["reference"])

    def describe(self, header: Iterable[str]) -> list[str]:
        """Return the lines of a header with what made it in the place of what bcftools says, and MD5s of contigs."""
        described = []
        for line in header:
            if line.startswith("##fileformat="):
                described += [line, *self._lines]
            elif not _MADE_BY.match(line):
                described.append(self._with_digest(line))
        return described

    def _with_digest(self, line: str) -> str:
        contig = _CONTIG.match(line.rstrip("\n"))
        digest = self._digests.get(contig[1]) if contig else None
        return f"{line.rstrip()[:-1]},md5={digest}>\n" if digest else line

"""The programs that made the alignments, as lines @PG of the header (SAM specification, 1.3).

All lines are written once, at the beginning: samtools would add its own with paths of this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from aligner import Aligner
from common.provenance import SAMTOOLS_VERSION, shown, step_command
from lanes import Lane

# Options of samtools' commands for this machine; the threads, the memory and the temporary files of each.
_LOCAL = {
    "ampliconclip": ("--no-PG",),
    "fixmate": ("--no-PG",),
    "sort": ("--no-PG", "-@", "-m", "-T"),
    "calmd": ("--no-PG",),
    "markdup": ("--no-PG", "-T"),
    "view": ("--no-PG", "-@"),
}


def aligner_lines(task: dict[str, Any], aligner: type[Aligner], lanes: Sequence[Lane]) -> list[dict[str, str]]:
    """Return a line for each lane, in order; its version is that of the wheel, where the library has none of its own.

    Args:
        task: The task.
        aligner: The aligner.
        lanes: The lanes.
    """
    name = aligner.command[0]
    wheel = "" if aligner.wheel == name else f"{aligner.wheel}-"
    lines = []
    for lane in lanes:
        options = ["-p"] if lane.paired and len(lane.files) == 1 else []
        words = [*aligner.command, *options, task["inputs"]["reference"], *(file.path for file in lane.files)]
        lines.append({"PN": name, "VN": f"{wheel}{version(aligner.wheel)}", "CL": shown(words)})
    return lines


def program_lines(
    task: dict[str, Any], aligner: type[Aligner], lanes: Sequence[Lane], commands: Sequence[Sequence[str]]
) -> list[dict[str, str]]:
    """Return the lines: the step, the aligner for each lane, and each command of samtools; each names the one before.

    Args:
        task: The task.
        aligner: The aligner.
        lanes: The lanes.
        commands: The commands of samtools.
    """
    step = {"PN": f"genomics-pipeline-{task['step']}", "VN": task["version"]}
    lines = [
        {**step, "CL": step_command(task, dict.fromkeys(file.path for lane in lanes for file in lane.files))},
        *aligner_lines(task, aligner, lanes),
        *(
            {"PN": "samtools", "VN": SAMTOOLS_VERSION, "CL": f"samtools {shown(command, _LOCAL[command[0]])}"}
            for command in commands
        ),
    ]
    return _chained(lines)


def _chained(lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Give each line an ID, as samtools does, and the ID of the line before it."""
    chained: list[dict[str, str]] = []
    for line in lines:
        number = sum(other["PN"] == line["PN"] for other in chained)
        before = {"PP": chained[-1]["ID"]} if chained else {}
        chained.append({"ID": f"{line['PN']}.{number}" if number else line["PN"], **before, **line})
    return chained

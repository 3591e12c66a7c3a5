"""The programs that made the alignments, as lines @PG of the header (SAM specification, 1.3).

All lines are written once, at the beginning: samtools would add its own with paths of this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from typing import Any

from aligner import Aligner
from common.provenance import SAMTOOLS_VERSION, shown, step_command
from lanes import Extraction, Lane
from trimming import trimming_of

# Options of samtools' commands for this machine; the threads, the memory and the temporary files of each.
_LOCAL = {
    "split": ("--no-PG", "-@"),
    "collate": ("--no-PG", "-@", "-T"),
    "fastq": ("-@",),
    "ampliconclip": ("--no-PG",),
    "fixmate": ("--no-PG",),
    "sort": ("--no-PG", "-@", "-m", "-T"),
    "calmd": ("--no-PG",),
    "markdup": ("--no-PG", "-T"),
    "view": ("--no-PG", "-@"),
}


def aligner_lines(task: dict[str, Any], aligner: type[Aligner], lanes: Sequence[Lane]) -> list[dict[str, str]]:
    """Return a line for each lane, in order, behind that of cutadapt if reads are trimmed.

    An aligner's version is that of the wheel, where the library has none of its own.

    Args:
        task: The task.
        aligner: The aligner.
        lanes: The lanes.
    """
    name, trimming = aligner.command[0], trimming_of(task["parameters"])
    wheel = "" if aligner.wheel == name else f"{aligner.wheel}-"
    lines = []
    for lane in lanes:
        if trimming:
            lines.append({"PN": "cutadapt", "VN": wheel_version("cutadapt"), "CL": shown(trimming.command(lane))})
        options = ["-p"] if lane.paired and len(lane.files) == 1 else []
        words = [*aligner.command, *options, task["inputs"]["reference"], *(file.path for file in lane.files)]
        lines.append({"PN": name, "VN": f"{wheel}{wheel_version(aligner.wheel)}", "CL": shown(words)})
    return lines


def wheel_version(package: str) -> str:
    """Return the version of the wheel that has a package of its own name, from the name of its folder of metadata.

    Importing `importlib.metadata` takes longer than reading the start of a sample.
    """
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    beside = Path(spec.submodule_search_locations[0]).parent
    return next(beside.glob(f"{package}-*.dist-info")).stem.removeprefix(f"{package}-")


def program_lines(
    task: dict[str, Any], aligner: type[Aligner], lanes: Sequence[Lane], commands: Sequence[Sequence[str]]
) -> list[dict[str, str]]:
    """Return the lines, each of which names the one before.

    They are those of the step, of what takes reads from given alignments, of cutadapt and the aligner by lane, and of
    samtools.

    Args:
        task: The task.
        aligner: The aligner.
        lanes: The lanes.
        commands: The commands of samtools.
    """
    files = dict.fromkeys(file.path for lane in lanes for file in lane.files)
    lines = [
        {**_step(task), "CL": step_command(task, files)},
        *(_samtools(one.command) for one in extractions(lanes)),
        *aligner_lines(task, aligner, lanes),
        *map(_samtools, commands),
    ]
    return _chained(lines, ())


def extractions(lanes: Sequence[Lane]) -> list[Extraction]:
    """Return the commands that take the reads of lanes from given alignments, each once, in order."""
    return list({one.messages: one for lane in lanes for one in lane.extractions}.values())


def pass_on_lines(
    task: dict[str, Any], before: Sequence[Mapping[str, str]], commands: Sequence[Sequence[str]]
) -> list[dict[str, str]]:
    """Return the lines of a file that is taken as aligned, behind its own: the step, and each command of samtools.

    Args:
        task: The task.
        before: The lines of the file.
        commands: The commands of samtools.
    """
    return _chained([_step(task), *map(_samtools, commands)], before)


def _step(task: dict[str, Any]) -> dict[str, str]:
    return {"PN": f"genomics-pipeline-{task['step']}", "VN": task["version"]}


def _samtools(command: Sequence[str]) -> dict[str, str]:
    return {"PN": "samtools", "VN": SAMTOOLS_VERSION, "CL": f"samtools {shown(command, _LOCAL[command[0]])}"}


def _chained(lines: Sequence[dict[str, str]], before: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Give each line an ID, as samtools does, and the ID of the line before it.

    Args:
        lines: The lines.
        before: The lines before them, which have IDs.
    """
    chained: list[dict[str, str]] = []
    taken = {line["ID"] for line in before}
    previous = before[-1]["ID"] if before else None
    for line in lines:
        names = chain([line["PN"]], (f"{line['PN']}.{number}" for number in count(1)))
        identity = next(name for name in names if name not in taken)
        chained.append({"ID": identity, **({"PP": previous} if previous else {}), **line})
        taken.add(identity)
        previous = identity
    return chained

"""The tasks that ran on a machine, kept in the user's cache: later bars and plans of this machine start from them.

A file for each kind of machine, one task a line. It holds the newest tasks of each step and size, so that neither many
small tasks nor many of one run take the place of the others. A line that cannot be read is as none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.records.fields import Fields, RecordKind, UnreadableRecord
from genomics_pipeline.stores.bounded_file import read_plain_file
from genomics_pipeline.stores.protocol import IrregularFile, OversizedObject
from genomics_pipeline.stores.publish import publish_bytes

FOLDER = "tasks"  # of the cache
SUFFIX = ".jsonl"
NEWEST = 12  # of the tasks of a step that have the same number of binary digits in the size of their inputs
MOST = 2_000  # of all steps
KIND = RecordKind("a task of an earlier run", "remove the file")


@dataclass(frozen=True, slots=True)
class MachineTask:
    """A task that succeeded on a machine.

    Attributes:
        step: The step's name.
        version: The step's version.
        parameters: A digest of the parameters that its time may depend on.
        alignment_format: The format of the alignments of its run; empty if it made none.
        reads_alignments: Whether its inputs are alignments.
        input_bytes: The size of its inputs, without the reference.
        reference_bases: The length of the reference, or of the task's interval.
        samples: The number of samples that it read; 1 for a task of one sample.
        vcpus: The cores that it could use.
        seconds: Its duration, staging included.
        processor_seconds: The time on all cores.
        peak_memory_mib: The highest use of memory in MiB.
        outputs: The size of each output.
    """

    step: str
    version: str
    parameters: str
    alignment_format: str
    reads_alignments: bool
    input_bytes: int
    reference_bases: int
    samples: int
    vcpus: int
    seconds: float
    processor_seconds: float
    peak_memory_mib: int
    outputs: Mapping[str, int]


def tasks_file(cache: Path, machine: str) -> Path:
    """Return the file of the tasks of a machine.

    Args:
        cache: The user's cache folder.
        machine: The machine, for people.

    >>> tasks_file(Path("cache"), "AMD EPYC (TM), 2 cores").as_posix()
    'cache/tasks/amd-epyc-tm-2-cores.jsonl'
    """
    words = "".join(each if each.isascii() and each.isalnum() else " " for each in machine.lower()).split()
    return cache / FOLDER / f"{'-'.join(words)}{SUFFIX}"


def task_files(cache: Path) -> list[Path]:
    """Return the files of all machines in a user's cache, by name."""
    return sorted(file for file in (cache / FOLDER).glob(f"*{SUFFIX}") if file.is_file() and not file.is_symlink())


def read_machine_tasks(file: Path) -> list[MachineTask]:
    """Return the tasks in a file, the newest last; none where there is no file, or one that cannot be read."""
    try:
        lines = read_plain_file(file, budgets.MACHINE_TASKS_SIZE).splitlines()
    except (OSError, OversizedObject, IrregularFile):
        return []
    return list(_tasks(lines, file))


def keep_machine_tasks(file: Path, tasks: Iterable[MachineTask]) -> None:
    """Add tasks to a file, in place of older ones; of two processes that do so at once, one may lose its tasks.

    Raises:
        OSError: for a file that cannot be written.
    """
    kept = _newest([*read_machine_tasks(file), *tasks])
    publish_bytes(file, "".join(f"{json.dumps(asdict(one))}\n" for one in kept).encode())


def _newest(tasks: list[MachineTask]) -> list[MachineTask]:
    """Return the newest tasks of each step and size, the newest last."""
    found, counts = list[MachineTask](), defaultdict[tuple[str, int], int](int)
    for one in reversed(tasks):
        key = one.step, one.input_bytes.bit_length()
        counts[key] += 1
        if counts[key] <= NEWEST:
            found.append(one)
    return found[:MOST][::-1]


def _tasks(lines: Iterable[bytes], file: Path) -> Iterator[MachineTask]:
    for number, line in enumerate(lines, 1):
        with suppress(ValueError, UnreadableRecord):
            members = parse_json(line)
            if isinstance(members, dict):
                yield _task(Fields(f"{file}:{number}", KIND, members))


def _task(fields: Fields) -> MachineTask:
    outputs = fields.object("outputs")
    return MachineTask(
        step=fields.text("step"),
        version=fields.text("version"),
        parameters=fields.text("parameters"),
        alignment_format=fields.text("alignment_format"),
        reads_alignments=fields.flag("reads_alignments"),
        input_bytes=fields.integer("input_bytes", 0),
        reference_bases=fields.integer("reference_bases", 0),
        samples=fields.integer("samples", 1),
        vcpus=fields.integer("vcpus", 1),
        seconds=_amount(fields, "seconds"),
        processor_seconds=_amount(fields, "processor_seconds"),
        peak_memory_mib=fields.integer("peak_memory_mib", 0),
        outputs={name: outputs.integer(name, 0) for name in outputs.members},
    )


def _amount(fields: Fields, name: str) -> float:
    """Return a number of seconds that a task can have taken."""
    number = fields.number(name)
    if not 0 <= number < float("inf"):
        raise fields.error(name, "a number of seconds")
    return number

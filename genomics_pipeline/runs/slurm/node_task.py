"""The files by which the head of a run and its jobs on the nodes speak: a task, its start and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.engine.tasks.job_runner import JobReport
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.records.fields import Fields, RecordKind
from genomics_pipeline.stores.publish import publish_bytes

KIND = RecordKind("a file of a job on a cluster", "repeat the command of the run with --resume")
TASKS = "tasks.json"  # of an array, in its folder
ARRAY = "job.txt"  # its ID in Slurm, once it is known
STARTED, ENDED, CANCELLED = ".started", ".ended", ".cancelled"  # after the key of a job


@dataclass(frozen=True, slots=True)
class NodeTask:
    """One attempt of a job, as its node reads it.

    Attributes:
        key: The key of the attempt.
        run: The folder of the run.
        step: The folder of the step.
        payload: The payload, or its URI.
        job_id: The job's ID in the run.
        name: The job's name.
        definition: The name of its definition.
        vcpus: Its cores.
        memory_mib: Its memory.
        scratch: The folder for temporary files; empty for that of the node.
        cache: The user's cache folder.
    """

    key: str
    run: str
    step: str
    payload: str
    job_id: str
    name: str
    definition: str
    vcpus: int
    memory_mib: int
    scratch: str
    cache: str


def write_tasks(path: Path, tasks: Sequence[NodeTask], root: Path) -> None:
    """Write the tasks of an array, in the order of their indexes.

    Args:
        path: The file.
        tasks: The tasks.
        root: The folder of the run.
    """
    publish_bytes(path, compact({"tasks": [asdict(task) for task in tasks]}).encode(), root)


def read_tasks(path: Path) -> list[NodeTask]:
    """Read the tasks of an array.

    Raises:
        UnreadableRecord: for another form.
    """
    return [_task(fields) for fields in _fields(path).objects("tasks")]


def _task(fields: Fields) -> NodeTask:
    texts = ("key", "run", "step", "payload", "job_id", "name", "definition", "scratch", "cache")
    return NodeTask(
        **{name: fields.text(name) for name in texts},
        vcpus=fields.integer("vcpus", 1),
        memory_mib=fields.integer("memory_mib", 1),
    )


def write_end(path: Path, end: JobEnd, root: Path) -> None:
    """Write the end of a job on its node.

    Args:
        path: The file.
        end: The end.
        root: The folder of the run.
    """
    report = {"ran": sorted(end.report.ran), "reused": sorted(end.report.reused)}
    members = {"exit_code": end.exit_code, "reason": end.reason, "log": end.log_stream, **report}
    publish_bytes(path, compact(members).encode(), root)


def read_end(path: Path) -> JobEnd | None:
    """Read the end of a job; None while it has not written it.

    Raises:
        UnreadableRecord: for another form.
    """
    if not path.exists():
        return None
    fields = _fields(path)
    members: Mapping[str, object] = fields.members
    ran, reused = (
        frozenset((str(stage), str(item)) for stage, item in fields.members[name]) for name in ("ran", "reused")
    )
    reason, log = (str(members[name]) if members[name] is not None else None for name in ("reason", "log"))
    return JobEnd(fields.integer("exit_code", 0, 255), reason, log, report=JobReport(ran, reused))


def _fields(path: Path) -> Fields:
    return Fields(str(path), KIND, parse_json(path.read_bytes()))

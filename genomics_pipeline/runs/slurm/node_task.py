"""The files by which the head of a run and its jobs on the nodes speak: a task, who runs it, and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.engine.tasks.job_runner import JobReport
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.records.fields import Fields, RecordKind, UnreadableRecord
from genomics_pipeline.stores.publish import publish_bytes, publish_new

KIND = RecordKind("a file of a job on a cluster", "repeat the command of the run with --resume")
TASKS = "tasks.json"  # of an array, in its folder
ARRAY = "job.txt"  # its ID in Slurm, once it is known
TAKEN = "taken"  # there once jobs have taken all of its tasks
STARTED, ENDED, CANCELLED, LOG = ".started", ".ended", ".cancelled", ".log"  # after the index of a task, or of a job
STOPPED = ".stopped"  # likewise: its job got SIGTERM while it ran


@dataclass(frozen=True, slots=True)
class NodeTask:
    """One attempt of a job, as its node reads it.

    Attributes:
        key: The key of the attempt.
        run: The folder of the run.
        step: The folder of the step.
        payload: The payload, or its URI.
        job_id: The job's ID in the run.
        attempt: The number of the attempt, from 1.
        name: The job's name.
        definition: The name of its definition.
        vcpus: Its cores.
        memory_mib: Its memory.
        minutes: Its time limit; 0 for that of the partition.
        scratch: The folder for temporary files; empty for that of the node.
        cache: The user's cache folder.
        image: The file of the image that Apptainer runs the task in; empty for no container.
    """

    key: str
    run: str
    step: str
    payload: str
    job_id: str
    attempt: int
    name: str
    definition: str
    vcpus: int
    memory_mib: int
    minutes: int
    scratch: str
    cache: str
    image: str = ""


@dataclass(frozen=True, slots=True)
class TaskClaim:
    """The job that runs a task, which may be another one of the same array.

    Attributes:
        index: The index of the job.
        before: The number of tasks that it ran before.
        node: Its node.
    """

    index: int
    before: int
    node: str


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
    texts = ("key", "run", "step", "payload", "job_id", "name", "definition", "scratch", "cache", "image")
    return NodeTask(
        **{name: fields.text(name) for name in texts},
        attempt=fields.integer("attempt", 1),
        vcpus=fields.integer("vcpus", 1),
        memory_mib=fields.integer("memory_mib", 1),
        minutes=fields.integer("minutes", 0),
    )


def write_claim(path: Path, claim: TaskClaim, root: Path) -> bool:
    """Write who runs a task, unless another job does, and return whether it was written.

    Args:
        path: The file.
        claim: The job.
        root: The folder of the run.
    """
    return publish_new(path, compact(asdict(claim)).encode(), root)


def read_claim(path: Path) -> TaskClaim | None:
    """Read who runs a task; None as long as the file cannot be read here."""
    try:
        fields = _fields(path)
        return TaskClaim(fields.integer("index", 0), fields.integer("before", 0), fields.text("node"))
    except (OSError, UnreadableRecord, ValueError):
        return None


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
    """Read the end of a job; None as long as it cannot be read here.

    A file server may show a file of another node seconds later, or its name before its content.
    """
    try:
        fields = _fields(path)
        members: Mapping[str, object] = fields.members
        ran, reused = (
            frozenset((str(stage), str(item)) for stage, item in fields.members[name]) for name in ("ran", "reused")
        )
        reason, log = (str(members[name]) if members[name] is not None else None for name in ("reason", "log"))
        return JobEnd(fields.integer("exit_code", 0, 255), reason, log, report=JobReport(ran, reused))
    except (OSError, UnreadableRecord, KeyError, TypeError, ValueError):
        return None


def _fields(path: Path) -> Fields:
    return Fields(str(path), KIND, parse_json(path.read_bytes()))

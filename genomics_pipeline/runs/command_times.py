"""The time that the command of a run takes beside its jobs, from the records of earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from genomics_pipeline.model import run_layout
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.local_run import LocalRunRecord, read_local_run
from genomics_pipeline.runs.run_files import RunFiles

_TOLERANCE_S = 1  # the start of a run is recorded in whole seconds


@dataclass(frozen=True, slots=True)
class CommandTimes:
    """The time that a command takes beside its jobs.

    Attributes:
        outside_s: Before its first job and after its last one: checks, the reference and its indexes, the summary.
        between_s: From the end of a job to the start of the next one on its cores.
    """

    outside_s: float
    between_s: float


def command_times(runs: Iterable[RunFiles], *, on_cluster: bool = False) -> CommandTimes | None:
    """Return the median times of the runs whose newest execution ran every task; None without any.

    Args:
        runs: The runs.
        on_cluster: Whether those count whose jobs ran on a Slurm cluster, not those of this machine.
    """
    found = [times for files in runs if not files.is_on_aws and (times := _of_run(files, on_cluster)) is not None]
    if not found:
        return None
    return CommandTimes(median(one.outside_s for one in found), median(one.between_s for one in found))


def _of_run(files: RunFiles, on_cluster: bool) -> CommandTimes | None:
    try:
        record = read_local_run(files.store, files.place.uri(run_layout.RECORD))
    except UnreadableRecord:
        return None
    if record is None or record.status != "SUCCEEDED" or record.seconds is None:
        return None
    if on_cluster is (record.arguments.slurm is None):
        return None
    return _times(record, [_span(task) for task in files.completions()])


def _times(record: LocalRunRecord, spans: Sequence[tuple[float, float]]) -> CommandTimes | None:
    """Return the times of a run from the start and the end of each of its tasks."""
    begun = datetime.fromisoformat(record.started).timestamp() - _TOLERANCE_S
    if not spans or record.seconds is None or min(start for start, _ in spans) < begun:
        return None  # some tasks are of an earlier execution
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    ends = sorted(end for _, end in spans)
    gaps = [start - before[-1] for start, _ in spans if (before := [end for end in ends if end <= start])]
    return CommandTimes(max(0.0, record.seconds - (last - first)), median(gaps) if gaps else 0.0)


def _span(task: CompletionRecord) -> tuple[float, float]:
    start = datetime.fromisoformat(task.started).timestamp()
    return start, start + task.seconds

"""Cancel a run: on AWS its execution and whatever jobs are left of it; here the process that runs in its folder."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from genomics_pipeline.aws.executions import find_execution, stop_execution
from genomics_pipeline.aws.jobs import active_jobs, terminate
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, RunPlace
from genomics_pipeline.records.holder import Holder
from genomics_pipeline.runs.find_run import CloudRun, LocalRun
from genomics_pipeline.runs.reruns.chain import started_chain
from genomics_pipeline.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

CAUSE = "cancelled by `genomics-pipeline cancel`"
SWEEPS = 10  # at most: children that are not stopped yet may submit another job
PAUSE_S = 2.0
GRACE_S = 30.0  # a process of ours ends its steps before it ends


def cancel(run: LocalRun | CloudRun, note: Callable[[str], None], pause: Callable[[float], None] = time.sleep) -> Any:
    """Cancel a run. One that has ended stays as it ended.

    Args:
        run: The run.
        note: Is told what happens.
        pause: Waits so many seconds.

    Returns:
        ``run, status, jobs_ended`` of one on AWS; ``run, status, process`` of one here.

    Raises:
        RunError: if it cannot be ended.
    """
    return _local(run.folder, note) if isinstance(run, LocalRun) else _cloud(run, note, pause)


def _cloud(run: CloudRun, note: Callable[[str], None], pause: Callable[[float], None]) -> dict[str, Any]:
    arn = started_chain(run)[-1].arn
    found = find_execution(arn, run.clients)
    status = "NOT_STARTED" if found is None else found["status"]
    if status == "RUNNING":
        note("stopping the execution")
        stop_execution(arn, CAUSE, run.clients)
        status = "ABORTED"
    ended = 0 if status == "SUCCEEDED" else _end_jobs(run, note, pause)
    return {"run": run.name, "status": status, "jobs_ended": ended}


def _end_jobs(run: CloudRun, note: Callable[[str], None], pause: Callable[[float], None]) -> int:
    """End the jobs that Step Functions left; it stops them as well as it can, and not all at once."""
    told: set[str] = set()
    names, queues = _job_names(run), run.deployment.names
    for sweep in range(SWEEPS):
        found = (job for queue in (queues.job_queue, queues.on_demand_queue) for job in _jobs(run, queue, names))
        left = [job for job in found if job not in told]
        if not left and sweep:
            break
        if left:
            note(f"ending {len(left)} jobs")
            terminate(left, CAUSE, run.clients)
            told.update(left)
        pause(PAUSE_S)
    return len(told)


def _job_names(run: CloudRun) -> set[str]:
    """What the run's definition calls its jobs."""
    document = json.loads(run.store.read(run.place.uri(run_layout.DEFINITION)))
    return {state.node["Arguments"]["JobName"] for state in walk_states(document) if state.kind == "Task"}


def _jobs(run: CloudRun, queue: str, names: set[str]) -> Iterator[str]:
    for job in active_jobs(queue, names, run.clients):
        if _is_of(run.place, job) and not job.get("isTerminated"):
            yield job["jobId"]


def _is_of(place: RunPlace, job: JobDetailTypeDef) -> bool:
    """Whether a job is of this run: other runs of the pipeline have jobs of the same name in the queue."""
    environment = job.get("container", {}).get("environment", ())
    text = next((one["value"] for one in environment if one["name"] == PAYLOAD_VARIABLE), "")
    if text.startswith("s3://"):
        return text.startswith(place.uri(""))
    try:
        return bool(RunPlace(**json.loads(text)["run"]) == place)
    except (ValueError, KeyError, TypeError):
        return False


def _local(folder: RunFolder, note: Callable[[str], None]) -> dict[str, Any]:
    holder = folder.holder()
    if holder is not None:
        _end(folder, holder, note)
    return {"run": folder.name, "status": folder.status(), "process": holder and holder.pid}


def _end(folder: RunFolder, holder: Holder, note: Callable[[str], None]) -> None:
    import psutil

    if holder.host != socket.gethostname():
        raise RunError(f"{folder.path}: process {holder.pid} runs on {holder.host}; cancel it there")
    try:
        process = psutil.Process(holder.pid)
        for number in (signal.SIGINT, signal.SIGTERM):
            note(f"ending process {holder.pid} ({number.name})")
            process.send_signal(number)
            if not psutil.wait_procs([process], GRACE_S)[1]:
                return
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise RunError(f"{folder.path}: process {holder.pid} is another user's; they can cancel it") from None
    raise RunError(f"{folder.path}: process {holder.pid} still runs {2 * GRACE_S:g} s after SIGINT and SIGTERM")

"""The program that a container runs, as its first process: one task, from the environment.

========================================  ========================================================================
``GENOMICS_PIPELINE_TASK``                the payload: JSON, or the ``s3://`` URI of it
``GENOMICS_PIPELINE_STEP``                the step's folder
``GENOMICS_PIPELINE_SCRATCH``             a folder for temporary files
``GENOMICS_PIPELINE_VCPUS``               cores; all there are where it is not set
``GENOMICS_PIPELINE_MEMORY_MIB``          memory; the container's limit where it is not set
``GENOMICS_PIPELINE_BUCKETS``             JSON: folders here by bucket, for runs that lie on this machine
``AWS_BATCH_JOB_ID``                      set by AWS Batch, with ``AWS_BATCH_JOB_ATTEMPT``
========================================  ========================================================================

It ends with the step's exit code, 143 (128 + SIGTERM) when it was told to end: AWS Batch takes 0 for success.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from genomics_pipeline import __version__
from genomics_pipeline.model.errors import DataError, PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload, item_id
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker import emf
from genomics_pipeline.worker.completion import CompletionRecord, folder
from genomics_pipeline.worker.machine import capacity
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.run import CANCELLED_EXIT_CODE, StepFailed, run_task
from genomics_pipeline.worker.step_folder import StepFolder, read_step

VARIABLE = "GENOMICS_PIPELINE_"


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the task that the environment gives; what the process is to end with.

    Args:
        arguments: ``--version`` tells what is in this container, and no more.
        environment: See above.
    """
    try:
        step = read_step(Path(_needed(environment, "STEP")))
        if arguments == ["--version"]:
            print(f"genomics-pipeline {__version__}, step {step.spec.name} {step.spec.version} ({step.digest[:16]})")
            return 0
        if arguments:
            raise DataError(f"expected no argument but --version, found {' '.join(arguments)}")
        return _run(step, environment)
    except PipelineError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        return BAD_INPUT_EXIT_CODE
    except KeyboardInterrupt:
        print("error: told to end (SIGTERM): spot host lost, timeout or cancelled", file=sys.stderr)
        return CANCELLED_EXIT_CODE


def _run(step: StepFolder, environment: Mapping[str, str]) -> int:
    buckets = json.loads(environment.get(f"{VARIABLE}BUCKETS", "{}"))
    store = RoutedStore({name: Path(path) for name, path in buckets.items()})
    payload = read_payload(_needed(environment, "TASK"), store)
    if payload.step != step.spec.name:
        raise DataError(f"{PAYLOAD_VARIABLE}: expected a task of the step {step.spec.name}, found {payload.step}")
    _write_jobs(payload, store, environment)
    cores, memory_mib = capacity()
    try:
        run_task(
            payload,
            step,
            store,
            vcpus=int(environment.get(f"{VARIABLE}VCPUS", cores)),
            memory_mib=int(environment.get(f"{VARIABLE}MEMORY_MIB", memory_mib)),
            scratch=Path(_needed(environment, "SCRATCH")),
            cancelled=threading.Event(),  # whoever tells this process to end interrupts it
            ended=lambda end: _tell(payload, end),
        )
    except StepFailed as failure:
        return failure.task_exit_code
    return 0


def _needed(environment: Mapping[str, str], name: str) -> str:
    if f"{VARIABLE}{name}" not in environment:
        raise DataError(f"expected {VARIABLE}{name} in the environment, found none")
    return environment[f"{VARIABLE}{name}"]


def _write_jobs(payload: TaskPayload, store: RoutedStore, environment: Mapping[str, str]) -> None:
    """``job.json`` of each item: which Batch job it is in, so that its log is found while it runs."""
    if "AWS_BATCH_JOB_ID" not in environment:
        return
    job = {
        "job_id": environment["AWS_BATCH_JOB_ID"],
        "attempt": int(environment.get("AWS_BATCH_JOB_ATTEMPT", 1)),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for item in payload.items:
        uri = payload.run.uri(f"{folder(payload.stage, item_id(item))}/job.json")
        store.write(uri, json.dumps(job).encode() + b"\n")


def _tell(payload: TaskPayload, end: CompletionRecord | StepFailed) -> None:
    """One item's end: a line of metrics, and what went wrong in words."""
    if isinstance(end, CompletionRecord):
        if not end.reused:
            print(emf.succeeded(payload, end, time.time()), flush=True)
        return
    for line in str(end).splitlines():
        print(f"error: {end.item}: {line}", file=sys.stderr)
    print(emf.failed(payload, end.item, FailureClass(end.failure_class), time.time()), flush=True)


def _interrupt_once(*_: object) -> None:
    """SIGTERM and SIGINT interrupt what runs, so that it cleans up; a second one does not interrupt that."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt_once)
    signal.signal(signal.SIGINT, _interrupt_once)
    sys.exit(main(sys.argv[1:], os.environ))

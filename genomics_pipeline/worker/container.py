"""The commands of a container: run the task in its environment, print its version, check its health."""

from __future__ import annotations

import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from genomics_pipeline import __version__
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError, PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.index_order import INDEX_VARIABLE
from genomics_pipeline.model.printable import printable
from genomics_pipeline.model.rights import RIGHTS_VARIABLE, RightsRequest
from genomics_pipeline.model.secrets import redact
from genomics_pipeline.model.stage_try import parse_tries
from genomics_pipeline.model.step import (
    ACCESS_DENIED_EXIT_CODE,
    BAD_INPUT_EXIT_CODE,
    OUT_OF_DISK_EXIT_CODE,
    OUT_OF_MEMORY_EXIT_CODE,
)
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, SUBMITTED_VARIABLE, TRIED_VARIABLE, TaskPayload
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.reference.build import KilledBuild
from genomics_pipeline.stores.layered import LAYER_VARIABLE, with_layer
from genomics_pipeline.stores.protocol import DeniedAccess, Store, TransferFailed
from genomics_pipeline.worker import emf
from genomics_pipeline.worker.dollars import task_dollars
from genomics_pipeline.worker.failure import DISK_FULL, StepFailed
from genomics_pipeline.worker.health import problems
from genomics_pipeline.worker.host_facts import given_facts, host_facts
from genomics_pipeline.worker.lost_attempt import AttemptStart, note_start
from genomics_pipeline.worker.machine import capacity
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.reference_indexes import build_indexes_of_order
from genomics_pipeline.worker.rights import check_rights
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import StepFolder, read_step
from genomics_pipeline.worker.task_resources import TaskResources
from genomics_pipeline.worker.usage_file import USAGE_VARIABLE, UsageFile

VARIABLE = "GENOMICS_PIPELINE_"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MakeStore = Callable[[dict[str, Path]], Store]


def main(arguments: list[str], environment: Mapping[str, str], cache: Path, make_store: MakeStore) -> int:
    """Run the task in the environment and return the exit code of the process.

    Args:
        arguments: Empty to run the task; ``--version`` to print the container's versions; ``--health`` to check it.
        environment: The variables that `worker.__main__` lists.
        cache: The folder of the user's caches.
        make_store: Returns the store of the task's files, for local folders by bucket.
    """
    try:
        step = read_step(Path(variable(environment, "STEP")))
        if arguments == ["--version"]:
            print(f"genomics-pipeline {__version__}, step {step.spec.name} {step.spec.version} ({step.digest[:16]})")
            return 0
        if arguments == ["--health"]:
            return _health(step, Path(variable(environment, "SCRATCH")))
        if arguments:
            raise DataError(f"expected no argument but --version or --health, found {' '.join(arguments)}")
        if text := environment.get(RIGHTS_VARIABLE):
            return _check_rights(text, environment, make_store)
        if text := environment.get(INDEX_VARIABLE):
            return _build_indexes(text, environment, cache, make_store)
        return _run(step, environment, cache, make_store)
    except PipelineError as error:
        if isinstance(error, DeniedAccess):
            code = ACCESS_DENIED_EXIT_CODE
        elif isinstance(error, KilledBuild):
            code = OUT_OF_MEMORY_EXIT_CODE
        else:
            code = 1 if isinstance(error, TransferFailed) else BAD_INPUT_EXIT_CODE
        for problem in error.problems:
            _log(f"error: {problem}")
        return code
    except OSError as error:  # such as a full disk, or a folder without permission
        file = f"{error.filename}: " if error.filename else ""
        _log(f"error: {file}{error.strerror or error}")
        return OUT_OF_DISK_EXIT_CODE if error.errno in DISK_FULL else 1
    except Exception as error:  # a bug: the log is all that remains of a container
        _log(traceback.format_exc().rstrip())
        _log(f"error: {type(error).__name__}: {error}")
        return 1


def _log(message: str) -> None:
    """Write a message to the log, which is also what a terminal shows of a container."""
    print(printable(redact(message)), file=sys.stderr)


def _health(step: StepFolder, scratch: Path) -> int:
    code = 0
    for problem in problems(step, scratch):
        _log(f"error: {problem}")
        code = 1
    return code


def _check_rights(text: str, environment: Mapping[str, str], make_store: MakeStore) -> int:
    scratch, job = Path(variable(environment, "SCRATCH")), _job(environment)
    store = make_store(buckets_of(environment))
    report = check_rights(RightsRequest.from_text(text), store, scratch, job.job_id if job else "")
    print(report.to_text(), flush=True)
    return ACCESS_DENIED_EXIT_CODE if any(check.problem for check in report.checks) else 0


def _build_indexes(text: str, environment: Mapping[str, str], cache: Path, make_store: MakeStore) -> int:
    memory_mib = _number(environment, "MEMORY_MIB", capacity(environment).memory_mib)
    build_indexes_of_order(text, make_store(buckets_of(environment)), cache, memory_mib, _log)
    return 0


def _run(step: StepFolder, environment: Mapping[str, str], cache: Path, make_store: MakeStore) -> int:
    began = time.time()
    store = with_layer(make_store(buckets_of(environment)), environment.get(LAYER_VARIABLE), f"{run_layout.ENGINE}/")
    usage = UsageFile(Path(environment[USAGE_VARIABLE]) if USAGE_VARIABLE in environment else None)
    payload = read_payload(variable(environment, "TASK"), store)
    if payload.step != step.spec.name:
        raise DataError(f"{PAYLOAD_VARIABLE}: expected a task of the step {step.spec.name}, found {payload.step}")
    job, tried = _job(environment), parse_tries(environment.get(TRIED_VARIABLE, "[]"))
    machine, scratch = capacity(environment), Path(variable(environment, "SCRATCH"))
    host = given_facts(environment) or host_facts(scratch)
    resources = TaskResources(
        vcpus=_number(environment, "VCPUS", machine.cores),
        memory_mib=_number(environment, "MEMORY_MIB", machine.memory_mib),
        scratch=scratch,
        cache=cache,
        cancelled=threading.Event(),  # a signal interrupts this process instead
        environment=environment,
        host=host,
        job=job,
        submitted=environment.get(SUBMITTED_VARIABLE, ""),
        keep_scratch=f"{VARIABLE}KEEP_SCRATCH" in environment,
        report_memory=usage.report_memory,
        report_progress=usage.report_progress,
        report_reading=usage.report_reading,
        limit_programs=False,
    )
    if job:
        note_start(payload, step, store, resources, AttemptStart(job, _time_text(began), tried))
        _report_start(payload, job, began, environment, host)
    try:
        run_task(payload, step, store, resources, on_item=lambda outcome: _report(payload, outcome, resources))
    except StepFailed as failure:
        return failure.task_exit_code
    return 0


def variable(environment: Mapping[str, str], name: str) -> str:
    """Return the value of a variable of ours.

    Raises:
        DataError: if there is none.
    """
    if f"{VARIABLE}{name}" not in environment:
        raise DataError(f"expected {VARIABLE}{name} in the environment, found none")
    return environment[f"{VARIABLE}{name}"]


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(f"{VARIABLE}{name}", str(default))
    if not _NUMBER.fullmatch(text):
        raise DataError(f"{VARIABLE}{name}: expected a whole number of at least 1, found {text!r}")
    return int(text)


def buckets_of(environment: Mapping[str, str]) -> dict[str, Path]:
    """Return the local folders that stand for buckets.

    Raises:
        DataError: for another value than a JSON object of folders.
    """
    text = environment.get(f"{VARIABLE}BUCKETS", "{}")
    try:
        return {name: Path(path) for name, path in parse_json(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise DataError(f"{VARIABLE}BUCKETS: expected a JSON object of folders, found {text!r}") from None


def _job(environment: Mapping[str, str]) -> BatchAttempt | None:
    """Return this attempt of a Batch job; None outside of AWS Batch."""
    if "AWS_BATCH_JOB_ID" not in environment:
        return None
    return BatchAttempt(environment["AWS_BATCH_JOB_ID"], int(environment.get("AWS_BATCH_JOB_ATTEMPT", 1)))


def _time_text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _report_start(
    payload: TaskPayload, job: BatchAttempt, began: float, environment: Mapping[str, str], host: Mapping[str, str]
) -> None:
    """Print the metrics of an attempt's start: how long the first one waited; that a later one replaces a lost one.

    Args:
        payload: The task.
        job: The attempt.
        began: The start of the worker, in seconds since the epoch.
        environment: The variables that `worker.__main__` lists.
        host: The facts of the host.
    """
    if job.attempt > 1:  # its wait began at the end of the attempt before, which only Batch knows
        print(emf.repetition_line(payload, job, began, host), flush=True)
    elif text := environment.get(SUBMITTED_VARIABLE):
        # Not below 0: the clock of the host may be behind that of Step Functions.
        wait = max(began - _moment(text), 0)
        print(emf.wait_line(payload, job, wait, began, host), flush=True)


def _moment(text: str) -> float:
    """Return the seconds since the epoch of a time with an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise DataError(f"{SUBMITTED_VARIABLE}: expected a time such as 2026-11-28T14:32:55.000Z, found {text!r}")
    return moment.timestamp()


def _report(payload: TaskPayload, outcome: CompletionRecord | StepFailed, resources: TaskResources) -> None:
    """Print the outcome of an item: a line of metrics, and the message of a failure."""
    host = resources.host
    dollars = task_dollars(host, outcome.seconds, resources.vcpus, resources.memory_mib)
    if isinstance(outcome, CompletionRecord):
        if not outcome.reused:
            print(emf.success_line(payload, outcome, time.time(), dollars), flush=True)
        return
    for line in str(outcome).splitlines():
        _log(f"error: {outcome.item}: {line}")
    failure_class = FailureClass(outcome.failure_class)
    print(emf.failure_line(payload, outcome.item, failure_class, time.time(), host, dollars), flush=True)

"""Jobs for tests: the shipped steps in the worker, or results that a function returns for each item."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from io import StringIO
from pathlib import Path

import boto3

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.batch_retry import SIGTERM_EXIT_CODE
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload, item_id
from genomics_pipeline.records.completion import CompletionRecord, OutputRecord, delete_completion, write_completion
from genomics_pipeline.records.job import BatchAttempt, StartedJob, write_job
from genomics_pipeline.runs.catalog import load_step, step_names
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.container import main as worker_main
from tests.fakes.batch import Log, RunJob
from tests.fakes.thread_output import ThreadOutput
from tests.runs.records import NO_PROVENANCE

OUTPUT = b"done\n"


def payload_of(job: Job) -> TaskPayload:
    """Return the payload of a job."""
    return TaskPayload.from_json(json.loads(job.environment[PAYLOAD_VARIABLE]))


def begin(job: Job) -> TaskPayload:
    """Write ``job.json`` of each item, as a container does when it starts."""
    payload, store = payload_of(job), object_store()
    for item in payload.items:
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        started_job = StartedJob(BatchAttempt(job.job_id, 1), started, job.vcpus, job.memory_mib, {})
        write_job(store, payload.run, payload.stage, item_id(item), started_job)
    return payload


def finish(payload: TaskPayload, item: str) -> None:
    """Write an output, `OUTPUT`, and the completion record of an item, as the worker does at its end."""
    store, started = object_store(), datetime.now(UTC).isoformat(timespec="milliseconds")
    output = OutputRecord(output_key(payload.stage, item), len(OUTPUT), sha256(OUTPUT).hexdigest())
    store.write(payload.run.uri(output.key), OUTPUT)
    done = CompletionRecord(payload.stage, item, NO_PROVENANCE, started, 1, 1, 1, 1, {"text": output})
    write_completion(store, payload.run, done)


def shipped_steps(scratch: Path) -> RunJob:
    """Return a runner of the shipped steps in this process, with files in S3."""
    store = object_store()
    worker = WorkerJobs({name: load_step(name) for name in step_names()}, store, scratch, scratch / "cache", os.environ)

    def run(job: Job, log: Log) -> JobEnd:
        payload = begin(job)
        end = worker.run_attempt(job)
        for item in payload.items:
            uri = _uri(payload, item_id(item), "log.txt")
            for line in store.read(uri).decode().splitlines() if store.stat(uri) else ():
                log(line)
        return end

    return run


def containers(scratch: Path, s3: str) -> RunJob:
    """Return a runner of the worker of containers, in this process, whose output is the log of its job.

    Args:
        scratch: A folder.
        s3: The URL of S3 for the worker, which may refuse more than that of the commands.
    """
    client = boto3.Session().client("s3", endpoint_url=s3)
    one_at_a_time = threading.Lock()  # since streams are those of this process

    def run(job: Job, log: Log) -> JobEnd:
        names_step = not job.definition.endswith("_index")  # which has the image of a step
        step = load_step(job.definition.rpartition("-")[2] if names_step else "alignment")
        environment = {
            **job.environment,
            "GENOMICS_PIPELINE_STEP": str(step.path),
            "GENOMICS_PIPELINE_SCRATCH": str(scratch),
            "AWS_BATCH_JOB_ID": job.job_id,
            "AWS_BATCH_JOB_ATTEMPT": str(job.attempt),
        }
        scratch.mkdir(exist_ok=True)
        output = StringIO()
        with one_at_a_time:
            # A command may print at the same time.
            out, err = ThreadOutput(output, sys.stdout), ThreadOutput(output, sys.stderr)
            with redirect_stdout(out), redirect_stderr(err):
                make_store = partial(RoutedStore, lambda: client)
                code = worker_main([], environment, scratch / "cache", make_store)
        for line in output.getvalue().splitlines():
            log(line)
        return JobEnd(code)

    return run


def by_item(end_of: Callable[[str, str], JobEnd]) -> RunJob:
    """Return a runner whose jobs end as a function of stage and item returns; a batch ends as its worst item.

    Args:
        end_of: The function.
    """

    def run(job: Job, log: Log) -> JobEnd:
        payload = begin(job)
        ends = []
        for item in map(item_id, payload.items):
            end = end_of(payload.stage, item)
            log(f"{payload.stage} {item}: exit code {end.exit_code}")
            if end.exit_code == 0:
                finish(payload, item)
            else:
                delete_completion(object_store(), payload.run, payload.stage, item)
            ends.append(end)
        return max(ends, key=lambda end: end.exit_code or 0)

    return run


def with_spot_losses(run_job: RunJob, is_lost: Callable[[str, Job], bool]) -> RunJob:
    """Return a runner some of whose attempts are stopped by a host that is about to be reclaimed.

    Args:
        run_job: Runs the other attempts.
        is_lost: Returns whether an attempt is lost, by the name of its first item and its job.
    """

    def run(job: Job, log: Log) -> JobEnd:
        (item, *_) = payload_of(job).items
        return JobEnd(SIGTERM_EXIT_CODE) if is_lost(item_id(item), job) else run_job(job, log)

    return run


def output_key(stage: str, item: str) -> str:
    """Return the key below its run of the output that `by_item` gives an item."""
    return f"results/{stage}/{item}.txt"


def _uri(payload: TaskPayload, item: str, name: str) -> str:
    return payload.run.uri(f"steps/{payload.stage}/{item}/{name}")

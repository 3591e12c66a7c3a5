"""Attempts of jobs, each in a container of its step's image on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.engine.tasks.job_runner import JobReport
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.task import MEMORY_VARIABLE, PAYLOAD_VARIABLE, TaskPayload, item_id
from genomics_pipeline.records.completion import completion_version, read_completion
from genomics_pipeline.runs.containers.container_engine import ContainerEngine, options
from genomics_pipeline.runs.containers.mounts import aws_options, of_run, read_only
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.process_groups import GROUPS
from genomics_pipeline.worker.program_log import error_message

POLL_S = 0.05
LINES = 200  # last lines of a container's standard error that are kept
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"  # the reason that AWS Batch gives
RUN_LABEL = "genomics-pipeline.run"


def end_containers(engine: ContainerEngine, run: Path) -> None:
    """End the containers of a run that a killed process left: a container does not end with its parent process.

    Args:
        engine: The container engine.
        run: The folder of the run.

    Raises:
        RunError: if the engine cannot end them.
    """
    leftovers = engine.run("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}={run}").split()
    if leftovers:
        engine.run("rm", "--force", "--volumes", *leftovers)


class ContainerJobs:
    """A runner of attempts of jobs in containers.

    Args:
        images: The names of images by step.
        run: The folder of the run, which containers have at the same path.
        engine: The container engine.
        store: The store that reads the files of the run.
        home: The user's home folder, which has the configuration of the AWS tools; None for a user id without one.
    """

    def __init__(
        self, images: Mapping[str, str], run: RunFolder, engine: ContainerEngine, store: Store, home: Path | None
    ) -> None:
        self._images = images
        self._run = run
        self._engine = engine
        self._store = store
        self._home = home

    def run_attempt(self, job: Job) -> JobEnd:
        """Run an attempt of a job to its end, and return its end, also that of a step that failed."""
        payload = read_payload(job.environment[PAYLOAD_VARIABLE], self._store)
        before = {name: self._version(payload, name) for name in map(item_id, payload.items)}
        container = f"genomics-pipeline-{uuid4().hex}"
        scratch = self._run.scratch / container
        scratch.mkdir(parents=True)
        make_folders(self._run.path / run_layout.VERIFIED, self._run.path)
        # The payload is passed in a file, with the whole items: the files that they name are mounted.
        (scratch / run_layout.TASK).write_text(compact(payload.to_json()))
        argv = [self._engine.program, *self._arguments(job, payload, container, scratch)]
        errors: deque[str] = deque(maxlen=LINES)
        with (
            subprocess.Popen(
                argv,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=self._engine.environment,
                process_group=0,
            ) as process,
            GROUPS.running(process.pid),
        ):  # a signal to the engine's program ends the container, too
            reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
            reader.start()
            self._wait(process, job, container)
            reader.join()
        shutil.rmtree(scratch, ignore_errors=True)
        end = self._end(process.returncode, list(errors), container, self._log(payload))
        return replace(end, report=self._report(payload, before)) if end.exit_code == 0 else end

    def _arguments(self, job: Job, payload: TaskPayload, container: str, scratch: Path) -> list[str]:
        values = [payload.reference, list(payload.items), dict(payload.parameters)]
        aws = aws_options(self._engine.environment, self._home, scratch)
        environment = {
            PAYLOAD_VARIABLE: f"s3://{BUCKET}/{(scratch / run_layout.TASK).relative_to(self._run.path)}",
            "GENOMICS_PIPELINE_VCPUS": str(job.vcpus),
            MEMORY_VARIABLE: str(job.memory_mib),
            "GENOMICS_PIPELINE_BUCKETS": json.dumps({BUCKET: str(self._run.path)}),
            "GENOMICS_PIPELINE_SCRATCH": str(scratch),
            "AWS_BATCH_JOB_ID": job.job_id,
            "AWS_BATCH_JOB_ATTEMPT": "1",
            "XDG_CACHE_HOME": str(scratch / "cache"),
            "TMPDIR": str(scratch),
            "HOME": str(scratch),
        }
        return [
            "run",
            f"--name={container}",
            f"--label={RUN_LABEL}={self._run.path}",
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            # Files on S3 are fetched with the user's credentials; without such files the container needs no network.
            *(["--network=host", *aws] if "s3://" in json.dumps(values) else ["--network=none"]),
            f"--user={os.getuid()}:{os.getgid()}",
            f"--cpus={job.vcpus}",
            f"--memory={job.memory_mib}m",
            f"--memory-swap={job.memory_mib}m",
            *options({"--env": [f"{name}={value}" for name, value in environment.items()]}),
            *options({"--mount": of_run(self._run.path)}),
            *options({"--mount": read_only(values, self._run.path)}),
            self._images[payload.step],
        ]

    def _wait(self, process: subprocess.Popen[str], job: Job, container: str) -> None:
        while process.poll() is None:
            if job.cancelled.wait(POLL_S):
                with suppress(RunError):  # the container may not exist yet; the loop tries again
                    self._engine.run("stop", "-t", str(quotas.STOP_TIMEOUT.value), container)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_S)

    def _end(self, code: int, errors: list[str], container: str, log: str | None) -> JobEnd:
        """Return the end of a container and remove it.

        Args:
            code: The exit code of the engine's program, which is that of the container.
            errors: The last lines of standard error; those of the engine where the container could not be started.
            container: The name of the container.
            log: The log of the first item that is not done.
        """
        out_of_memory = self._engine.was_killed_for_memory(container)
        with suppress(RunError):  # `end_containers` of a later execution removes it
            self._engine.run("rm", "--force", "--volumes", container)
        if code == 0:
            return JobEnd(0)
        if out_of_memory:
            return JobEnd(code, OUT_OF_MEMORY, log)
        return JobEnd(code, error_message([line.rstrip() for line in errors]) or None, log)

    def _log(self, payload: TaskPayload) -> str | None:
        """Return the log of the first item that is not done."""
        for item in map(item_id, payload.items):
            log = payload.run.uri(run_layout.log(payload.stage, item))
            if self._version(payload, item) is None and self._store.stat(log):
                return log
        return None

    def _version(self, payload: TaskPayload, item: str) -> str | None:
        """Return a value that changes whenever the completion record of an item is written."""
        return completion_version(self._store, payload.run, payload.stage, item)

    def _report(self, payload: TaskPayload, before: Mapping[str, str | None]) -> JobReport:
        """Return the work of a container: an item whose completion record it did not write was reused."""
        done = {
            (payload.stage, item): self._version(payload, item) == written
            for item, written in before.items()
            if read_completion(self._store, payload.run, payload.stage, item)
        }
        ran, reused = (frozenset(item for item, old in done.items() if old is reused) for reused in (False, True))
        return JobReport(ran, reused)

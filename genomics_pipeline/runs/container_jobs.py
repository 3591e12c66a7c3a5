"""Batch jobs of a definition, each in a container of its step's image on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.tasks.batch import Job, JobEnd
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, TaskPayload, item_id
from genomics_pipeline.runs.container_engine import ContainerEngine, options
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.completion import folder, read_completion

POLL_S = 0.05
GRACE_S = 30  # between SIGTERM and SIGKILL, as ECS
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"  # AWS's words
KILLED = 137
_ALONE = ["--network=none"]
_AWS = [f"--env={name}" for name in os.environ if name.startswith("AWS_")]  # by name: values stay out of lists


class ContainerWorker:
    """Runs jobs in containers, and remembers which (stage, item) ran and which were found done.

    Args:
        images: Image name by step.
        run: The run's folder, which the containers see at the same place.
        engine: What runs them.
    """

    def __init__(self, images: Mapping[str, str], run: RunFolder, engine: ContainerEngine) -> None:
        self._images = images
        self._run = run
        self._engine = engine
        self._store = RoutedStore({BUCKET: run.path})
        self._lock = threading.Lock()
        self.ran: set[tuple[str, str]] = set()
        self.reused: set[tuple[str, str]] = set()

    def run_job(self, job: Job) -> JobEnd:
        """Run one job to its end; a failed step is a job that ended FAILED, not an exception."""
        payload = TaskPayload.from_json(json.loads(job.environment[PAYLOAD_VARIABLE]))
        before = {name: self._written(payload, name) for name in map(item_id, payload.items)}
        container = f"genomics-pipeline-{uuid4().hex}"
        argv = [self._engine.program, *self._words(job, payload, container)]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        told: list[str] = []
        reader = threading.Thread(target=lambda: told.extend(process.stderr or ()))
        reader.start()
        self._wait(process, job, container)
        reader.join()
        self._remember(payload, before)
        return self._end(process.returncode, told, container)

    def _words(self, job: Job, payload: TaskPayload, container: str) -> list[str]:
        scratch = self._run.scratch / container
        scratch.mkdir(parents=True)
        environment = {
            PAYLOAD_VARIABLE: job.environment[PAYLOAD_VARIABLE],
            "GENOMICS_PIPELINE_VCPUS": str(job.vcpus),
            "GENOMICS_PIPELINE_MEMORY_MIB": str(job.memory_mib),
            "GENOMICS_PIPELINE_BUCKETS": json.dumps({BUCKET: str(self._run.path)}),
        }
        return [
            "run",
            f"--name={container}",
            "--read-only",
            # What is not here is fetched with the user's own rights; else there is nothing to talk to.
            *(["--network=host", *_AWS] if "s3://" in json.dumps([*payload.items, payload.reference]) else _ALONE),
            f"--user={os.getuid()}:{os.getgid()}",
            f"--cpus={job.vcpus}",
            f"--memory={job.memory_mib}m",
            f"--memory-swap={job.memory_mib}m",
            *options({"--env": [f"{name}={value}" for name, value in environment.items()]}),
            *options({"--volume": [f"{scratch}:/scratch", *self._volumes(payload)]}),
            self._images[payload.step],
        ]

    def _volumes(self, payload: TaskPayload) -> Iterator[str]:
        """The run's folder, and read-only those of the user's files, each at its own place."""
        yield f"{self._run.path}:{self._run.path}"
        files = {payload.reference, *_paths(list(payload.items)), *_paths(dict(payload.parameters))}
        for parent in sorted({str(Path(file).parent) for file in files if file.startswith("/")}):
            if not Path(parent).is_relative_to(self._run.path):
                yield f"{parent}:{parent}:ro"

    def _wait(self, process: subprocess.Popen[str], job: Job, container: str) -> None:
        while process.poll() is None:
            if job.cancelled.wait(POLL_S):
                self._engine.run("stop", "--time", str(GRACE_S), container)
                process.wait()

    def _end(self, code: int, told: list[str], container: str) -> JobEnd:
        (state,) = json.loads(self._engine.run("inspect", "--format", "[{{json .State}}]", container))
        self._engine.run("rm", "--force", "--volumes", container)
        errors = [line.strip().removeprefix("error: ") for line in told if line.startswith("error: ")]
        reason = "\n".join(errors) or "".join(told[-5:]).strip() or None
        if state.get("OOMKilled"):
            return JobEnd(code or KILLED, OUT_OF_MEMORY)
        return JobEnd(code, reason if code else None)

    def _written(self, payload: TaskPayload, item: str) -> str | None:
        """What changes when an item's completion record is written."""
        found = self._store.stat(payload.run.uri(f"{folder(payload.stage, item)}/step.json"))
        return found.version if found else None

    def _remember(self, payload: TaskPayload, before: Mapping[str, str | None]) -> None:
        with self._lock:
            for item, written in before.items():
                if read_completion(self._store, payload.run, payload.stage, item):
                    done = self.reused if self._written(payload, item) == written else self.ran
                    done.add((payload.stage, item))


def _paths(value: Any) -> Iterator[str]:
    """The absolute paths in a JSON value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _paths(each)
    elif isinstance(value, str) and value.startswith("/"):
        yield value

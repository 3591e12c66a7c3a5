"""Attempts of jobs, each in a container of its step's image on this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.engine.tasks.job_runner import JobReport
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.task import HOST_VARIABLE, MEMORY_VARIABLE, PAYLOAD_VARIABLE, TaskPayload, item_id
from genomics_pipeline.records.completion import completion_version, read_completion
from genomics_pipeline.runs.containers.container import Container, ContainerProgram
from genomics_pipeline.runs.containers.mounts import Mount, aws_access, read_only
from genomics_pipeline.runs.containers.view import ContainerView, view_of_run
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.payload import read_payload
from genomics_pipeline.worker.process_groups import GROUPS
from genomics_pipeline.worker.usage_file import USAGE_VARIABLE, read_usage

POLL_S = 0.05
LOOK_S = 1.0  # between two looks at what a container uses
USAGE = "usage.json"  # in the scratch folder of a container
LINES = 200  # last lines of a container's standard error that are kept
SCRATCH_BUCKET = "SCRATCH"  # stands for the scratch folder in URIs


class ContainerJobs:
    """A runner of attempts of jobs in containers.

    Args:
        images: The names or files of images by step.
        run: The folder of the run, which containers have at the same path.
        program: The program that runs containers.
        store: The store that reads the files of the run.
        home: The user's home folder, which has the configuration of the AWS tools; None for a user id without one.
        scratch: The folder for temporary files; by default that of the run.
        view: The files of the run as the containers see them; by default those of its folder.
        host: The facts of the host that records keep, see `TaskResources.host`.
    """

    def __init__(
        self,
        images: Mapping[str, str],
        run: RunFolder,
        program: ContainerProgram,
        store: Store,
        home: Path | None,
        scratch: Path | None = None,
        view: ContainerView | None = None,
        host: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._images, self._run, self._program = images, run, program
        self._store, self._home, self._scratch = store, home, scratch or run.scratch
        self._view, self._host = view or view_of_run(run.path), host

    def run_attempt(self, job: Job) -> JobEnd:
        """Run an attempt of a job to its end, and return its end, also that of a step that failed."""
        payload = read_payload(job.environment[PAYLOAD_VARIABLE], self._store)
        before = {name: self._version(payload, name) for name in map(item_id, payload.items)}
        name = f"genomics-pipeline-{uuid4().hex}"
        scratch = self._scratch / name
        scratch.mkdir(parents=True)
        # The payload is passed in a file, with the whole items: the files that they name are mounted.
        (scratch / run_layout.TASK).write_text(compact(payload.to_json()))
        container = self._container(job, payload, name, scratch)
        errors: deque[str] = deque(maxlen=LINES)
        with (
            subprocess.Popen(
                self._program.argv(container),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=self._program.variables(container),
                process_group=0,
            ) as process,
            GROUPS.running(process.pid),
        ):  # a signal to the program ends the container, too
            reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
            reader.start()
            self._wait(process, job, name, scratch / USAGE)
            reader.join()
        if not self._view.keeps_scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        end = self._program.end(name, process.returncode, list(errors), self._log(payload))
        return replace(end, report=self._report(payload, before)) if end.exit_code == 0 else end

    def _container(self, job: Job, payload: TaskPayload, name: str, scratch: Path) -> Container:
        run, values = self._run.path, [payload.reference, list(payload.items), dict(payload.parameters)]
        is_remote = "s3://" in json.dumps(values)  # such files are fetched with the user's credentials
        passed, access = aws_access(self._program.environment, self._home, scratch) if is_remote else ([], [])
        buckets = {**self._view.buckets, SCRATCH_BUCKET: scratch}
        variables = {
            PAYLOAD_VARIABLE: f"s3://{SCRATCH_BUCKET}/{run_layout.TASK}",
            "GENOMICS_PIPELINE_VCPUS": str(job.vcpus),
            MEMORY_VARIABLE: str(job.memory_mib),
            "GENOMICS_PIPELINE_BUCKETS": json.dumps({name: str(path) for name, path in buckets.items()}),
            USAGE_VARIABLE: str(scratch / USAGE),
            "GENOMICS_PIPELINE_SCRATCH": str(scratch),
            "AWS_BATCH_JOB_ID": job.job_id,
            "AWS_BATCH_JOB_ATTEMPT": str(job.attempt),
            "XDG_CACHE_HOME": str(scratch / "cache"),
            "TMPDIR": str(scratch),
            "HOME": str(scratch),
            **({HOST_VARIABLE: compact(dict(self._host))} if self._host else {}),
            **self._view.variables,
        }
        apart = [] if scratch.is_relative_to(run) else [Mount(scratch, scratch, readonly=False)]
        return Container(
            name=name,
            image=self._images[payload.step],
            run=run,
            scratch=scratch,
            vcpus=job.vcpus,
            memory_mib=job.memory_mib,
            variables=variables,
            passed=passed,
            mounts=[*self._view.mounts(), *apart, *read_only(values, run), *access],
            has_network=is_remote,
        )

    def _wait(self, process: subprocess.Popen[str], job: Job, container: str, usage: Path) -> None:
        look = 0.0
        while process.poll() is None:
            if job.cancelled.wait(POLL_S):
                with suppress(RunError):  # the container may not exist yet; the loop tries again
                    self._program.stop(container, process)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_S)
            elif time.monotonic() >= look:
                look = time.monotonic() + LOOK_S
                if (found := read_usage(usage)) is not None:
                    job.usage.memory_mib, job.usage.progress = found.memory_mib, found.progress
                    job.usage.read_share = found.read_share

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

"""The head of a run as a job of Slurm: submitted from a login node, looked at, and cancelled."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.slurm_options import HeadOptions, SlurmOptions
from genomics_pipeline.records.fields import Fields, RecordKind
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.slurm.submission import PYTHON
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError
from genomics_pipeline.slurm.slurm_job import SlurmJob
from genomics_pipeline.stores.publish import make_folders, publish_bytes

KIND = RecordKind("the command of a run's head", "submit the head again")
COMMAND, JOB, CANCELLED = "command.json", "job.txt", "cancelled"
SCRIPT = f'#!/bin/sh\nexec "${PYTHON}" -P -m genomics_pipeline.runs.slurm.head_job\n'
BEFORE_LIMIT_S = 120  # the head puts itself back into the queue so long before its time limit
END_S, LOOK_S = 120.0, 0.5  # Slurm's KillWait is 30 s by default


@dataclass(frozen=True, slots=True)
class HeadCommand:
    """The command that a head runs.

    Attributes:
        argv: The program and its arguments.
        folder: The folder that it runs in.
    """

    argv: tuple[str, ...]
    folder: str


def read_command(file: Path) -> HeadCommand:
    """Read the command of a head.

    Raises:
        UnreadableRecord: for another form.
    """
    fields = Fields(str(file), KIND, parse_json(file.read_bytes()))
    return HeadCommand(fields.texts("argv"), fields.text("folder"))


class RunHead:
    """The job that is the head of a run.

    Args:
        run: The folder of the run.
        environment: The environment variables.
    """

    def __init__(self, run: Path, environment: Mapping[str, str]) -> None:
        self._run, self._slurm = run, SlurmCommands(environment)
        self._folder = run / run_layout.SLURM_HEAD

    @property
    def log(self) -> Path:
        """The file with its output."""
        return self._folder / run_layout.LOG

    def submit(self, command: HeadCommand, options: SlurmOptions, head: HeadOptions, python: str) -> str:
        """Submit the head and return its ID in Slurm.

        Args:
            command: Its command, which resumes the run.
            options: The options of the run's jobs.
            head: Its own.
            python: The interpreter of the nodes.

        Raises:
            RunError: if the run has a head already, or Slurm refuses it or does not answer.
        """
        make_folders(self._folder, self._run)
        try:
            if job := self._listed():
                raise RunError(f"{self._run}: {_words(job)} is its head already; {self._cancel_words()}")
            (self._folder / CANCELLED).unlink(missing_ok=True)
            text = compact({"argv": command.argv, "folder": command.folder})
            publish_bytes(self._folder / COMMAND, text.encode(), self._run)
            (self._folder / COMMAND).chmod(0o600)  # a URI may have a key
            job_id = self._slurm.submit(self._options(options, head), SCRIPT, {PYTHON: python})
        except SlurmError as error:
            raise RunError(f"{self._run}: its head is not submitted: {error.message}") from None
        publish_bytes(self._folder / JOB, job_id.encode(), self._run)
        return job_id

    def _options(self, options: SlurmOptions, head: HeadOptions) -> Sequence[str]:
        named = {"partition": options.partition, "account": options.account, "qos": options.qos}
        return [
            "--requeue",  # by Slurm when its node fails, by itself before its time limit
            "--open-mode=append",
            f"--signal=B:USR1@{BEFORE_LIMIT_S}",
            "--export=ALL",
            "--nodes=1",
            "--ntasks=1",
            "--cpus-per-task=1",
            options.memory(head.memory_mib, 1),
            f"--time={head.minutes}",
            f"--comment={self._key()}",
            "--job-name=genomics-pipeline-head",
            f"--chdir={self._folder}",
            f"--output={run_layout.LOG}",
            *(f"--{name}={value}" for name, value in named.items() if value),
            *options.extra,
        ]

    def _key(self) -> str:
        return hashlib.sha256(f"head of {self._run}".encode()).hexdigest()[:40]

    def _cancel_words(self) -> str:
        return f"wait for it, or end it: {command_line('cancel', str(self._run))}"

    def _listed(self) -> SlurmJob | None:
        """Return the job if it waits or runs; None if there is none.

        Raises:
            SlurmError: if Slurm does not answer.
        """
        key = self._key()
        return next((job for job in self._slurm.jobs() if job.comment == key and not job.has_ended), None)

    def describe(self) -> str | None:
        """Return a line about the head; None for a run that has none."""
        if not (self._folder / JOB).exists():
            return None
        try:
            job = self._listed()
        except (SlurmError, RunError) as error:
            return f"job {self._number()} in Slurm, which does not answer: {error}"
        return _words(job) if job else None

    def submitted(self) -> float:
        """Return the time at which the head was submitted, in seconds since the epoch."""
        return (self._folder / JOB).stat().st_mtime

    def _number(self) -> str:
        return (self._folder / JOB).read_text()

    def cancel(self, note: Callable[[str], None]) -> None:
        """Cancel the head if it waits or runs, and wait for its end, before which it cancels the jobs of the run.

        Args:
            note: Shows a line.

        Raises:
            RunError: if Slurm does not answer, or the head does not end.
        """
        if not (self._folder / JOB).exists():
            return
        try:
            job = self._listed()
            if job is None:
                return
            publish_bytes(self._folder / CANCELLED, b"", self._run)
            note(f"cancelling the head: {_words(job)}")
            self._slurm.cancel([job.job_id])
            deadline = time.monotonic() + END_S
            while self._listed():
                if time.monotonic() > deadline:
                    raise RunError(f"{self._run}: {_words(job)} has not ended {END_S:g} s after scancel")
                time.sleep(LOOK_S)
        except SlurmError as error:
            raise RunError(f"{self._run}: its head may still run: {error.message}; repeat the command") from None


def _words(job: SlurmJob) -> str:
    reason = "" if job.reason in ("", "None") else f", {job.reason}"
    return f"job {job.job_id} in Slurm ({job.state}{reason}{f' on {job.node}' if job.node else ''})"

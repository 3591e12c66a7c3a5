"""A run folder with a step, whose jobs run on a stand-in for Slurm."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.engine.tasks.job_runner import JobDetail
from genomics_pipeline.model.pipeline import ITEM_FILES
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, RunPlace, TaskPayload
from genomics_pipeline.runs.local.worker_jobs import job_definitions
from genomics_pipeline.runs.lost_attempts import LostAttempts
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.slurm import attempts, pace, sending
from genomics_pipeline.runs.slurm.jobs import SlurmJobs
from genomics_pipeline.runs.slurm.published_work import PublishedWork
from genomics_pipeline.runs.slurm.submission import Submissions
from genomics_pipeline.slurm.commands import SlurmCommands
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.machine import Capacity
from genomics_pipeline.worker.step_folder import StepFolder, read_step
from tests.fakes.slurm import FakeSlurm

# Its time is long: a job takes the tasks of others as long as ten such tasks fit into it, however slow this machine is.
STEP = """
name = "count"
version = "1"
summary = "Tiny"
command = ["{python}", "{step_dir}/count.py", "{task}"]
[inputs.food]
type = "file"
[outputs.eaten]
path = "{sample}.txt"
[resources]
vcpus = 4
memory_mib = 100
timeout_s = 36000
"""
# Writes a line for each start. A sample whose name begins with "wait" ends once a file is there. Both files are beside
# the step's folder: in it they would be a change of the step, for a node that reads it later.
PROGRAM = """
import json, os, pathlib, sys, time
task = json.load(open(sys.argv[1]))
sample, here = task["item"]["sample"], pathlib.Path(__file__).parent.parent
with (here / "starts").open("a") as starts:
    starts.write(sample + chr(10))
while sample.startswith("wait") and not (here / "go").exists():
    time.sleep(0.01)
if sample == "bad":
    sys.exit(print("error: bad: expected food", file=sys.stderr) or 65)
open(task["outputs"]["eaten"], "w").write(sample)
"""


@dataclass
class Cluster:
    """A run on the stand-in for Slurm; each head is a new process as far as the run can tell."""

    folder: RunFolder
    slurm: FakeSlurm
    step: StepFolder
    notes: list[str] = field(default_factory=list)
    options: SlurmOptions = field(default_factory=SlurmOptions)

    @property
    def store(self) -> RoutedStore:
        """The store of the run."""
        return object_store().with_buckets({BUCKET: self.folder.path})

    def head(self, most_jobs: int | None = None) -> SlurmJobs:
        """Return the runner of a new head of the run."""
        slurm = SlurmCommands({**os.environ, "PATH": str(self.slurm.path), "SBATCH_PARTITION": "of-an-outer-job"})
        submissions = Submissions(self.folder.path, slurm, self.options, sys.executable)
        followed = attempts.Attempts(
            self.folder.path, slurm, submissions, SystemClock(), 0.05, most_jobs, self.notes.append
        )
        steps, named = {"count": self.step}, {ResourceNames().job_definition("count"): self.step}
        node, cache = Capacity(2, 64_000), self.folder.path / "cache"
        lost, published = LostAttempts(self.store, steps), PublishedWork(self.store, steps, cache)
        definitions, folder = job_definitions(steps), self.folder.path
        return SlurmJobs(definitions, named, folder, followed, self.options, node, cache, published, lost)

    def arguments(self, sample: str, queue: str = "queue") -> dict[str, Any]:
        """Return the arguments of SubmitJob for a sample."""
        payload = TaskPayload(
            stage="counting",
            step="count",
            scope="sample",
            run=RunPlace("run", BUCKET, ""),
            reference="",
            parameters={},
            inputs={"food": ITEM_FILES},
            publish={"eaten": "eaten"},
            items=({"sample": sample, "files": {"food": [str(self.step.path / "step.toml")]}},),
            upstream={},
        )
        return {
            "JobName": "job",
            "JobQueue": queue,
            "JobDefinition": ResourceNames().job_definition("count"),
            "ContainerOverrides": {"Environment": [{"Name": PAYLOAD_VARIABLE, "Value": json.dumps(payload.to_json())}]},
        }

    def run(self, *samples: str, head: SlurmJobs | None = None, queue: str = "queue") -> list[JobDetail]:
        """Run samples at once, and return the details of their jobs."""
        runner = head or self.head()

        async def run_all() -> list[JobDetail]:
            details = await asyncio.gather(*(runner.run(self.arguments(one, queue), context()) for one in samples))
            await runner.drain()
            return details

        return asyncio.run(run_all())

    def starts(self) -> list[str]:
        """Return the samples whose programs started, sorted."""
        file = self.step.path.parent / "starts"
        return sorted(file.read_text().split()) if file.exists() else []

    def let_go(self) -> None:
        """Let the programs end that wait."""
        (self.step.path.parent / "go").touch()

    def submitted(self) -> list[dict[str, str]]:
        """Return the options of each submission."""
        return [json.loads(file.read_text()) for file in sorted(self.slurm.folder.glob("array.*"))]


def context() -> TaskContext:
    """Return the context of the Task that submits a job."""
    return TaskContext(
        execution="arn:aws:states:us-east-1:000000000000:execution:m:e",
        machine="m",
        state="T",
        resource="arn:aws:states:::batch:submitJob.sync",
        attempt=0,
        label=None,
        index=None,
        token=None,
        heartbeat=lambda: None,
        submitted=lambda _: None,
        clock=SystemClock(),
        observer=lambda _: None,
    )


async def end_at_once(self: SlurmJobs, job: Job) -> JobEnd | None:
    """Return the end of work that is done without a thread, so that tasks of the same moment come into one array."""
    return self._published(job)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Yield a run on the stand-in; at the end, let the programs end that still wait."""
    monkeypatch.setattr(SlurmJobs, "_end_of_done", end_at_once)
    for name, seconds in {
        "LOOK_S": 0.02,
        "UNSENT_S": 0.0,
        "GONE_S": 10_000.0,  # what a busy machine is late with is not lost
        "LATE_S": 10_000.0,
        "LONGEST_POLL_S": 0.05,
    }.items():
        monkeypatch.setattr(attempts, name, seconds)
    monkeypatch.setattr(sending, "GATHER_S", 0.0)
    monkeypatch.setattr(sending, "LONGEST_WAIT_S", 0.05)
    monkeypatch.setattr(pace, "MOST_CALLS", 10_000)
    step = tmp_path / "count"
    step.mkdir()
    (step / "step.toml").write_text(STEP)
    (step / "count.py").write_text(PROGRAM)
    folder = RunFolder(tmp_path / "run")
    folder.create()
    made = Cluster(folder, FakeSlurm(tmp_path / "slurm"), read_step(step))
    yield made
    made.let_go()


@pytest.fixture
def soon_gone(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let heads soon take what they do not find for lost."""
    monkeypatch.setattr(attempts, "GONE_S", 0.2)

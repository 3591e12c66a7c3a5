"""`JobRunner`: one suite over the worker, containers and Slurm by stand-ins, the Batch API, and faults."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.aws.batch import BatchJobs
from genomics_pipeline.cli.adapters import aws_clients, object_store
from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.events import JobStarted
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks import job_poller
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.engine.tasks.job_runner import JobDetail, JobReport, JobRunner
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.pipeline import ITEM_FILES
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.model.task import PAYLOAD_VARIABLE, RunPlace, TaskPayload
from genomics_pipeline.records.completion import read_completion
from genomics_pipeline.runs.aws.batch_api import BatchApi
from genomics_pipeline.runs.containers.apptainer import Apptainer
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.engine_containers import EngineContainers
from genomics_pipeline.runs.containers.jobs import ContainerJobs
from genomics_pipeline.runs.faults.throttled_jobs import ThrottledJobs
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs, job_definitions, jobs_of_steps
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.slurm import attempts, sending
from genomics_pipeline.runs.slurm.jobs import SlurmJobs
from genomics_pipeline.runs.slurm.published_work import PublishedWork
from genomics_pipeline.runs.slurm.submission import Submissions
from genomics_pipeline.slurm.commands import SlurmCommands
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.machine import Capacity
from genomics_pipeline.worker.step_folder import StepFolder, read_step
from tests.fakes.apptainer import FakeApptainer
from tests.fakes.slurm import FakeSlurm

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws
    from tests.fakes.batch import Log

RUNNERS = ["worker", "containers", "apptainer", "slurm", "batch_api", "worker_behind_faults"]
STEP = """
name = "eat"
version = "1"
summary = "Tiny"
command = ["{python}", "{step_dir}/eat.py", "{task}"]
[inputs.food]
type = "file"
[outputs.eaten]
path = "{sample}.txt"
[resources]
memory_mib = 100
"""
PROGRAM = """
import json, signal, sys
task = json.load(open(sys.argv[1]))
sample = task["item"]["sample"]
if sample == "bad":
    sys.exit(print("error: bad: expected food", file=sys.stderr) or 65)
if sample == "endless":
    signal.pause()
open(task["outputs"]["eaten"], "w").write(sample)
"""
# Runs the worker as a container of the step's image would, and ends it as `docker stop` does.
ENGINE = """#!{python}
import json, os, signal, subprocess, sys
command, *words = sys.argv[1:]
place = {place!r}
if command == "run":
    name = next(word for word in words if word.startswith("--name=")).removeprefix("--name=")
    given = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--env")
    environment = {{**os.environ, **given, "GENOMICS_PIPELINE_STEP": {step!r}}}
    worker = subprocess.Popen([sys.executable, "-m", "genomics_pipeline.worker"], env=environment)
    with open(f"{{place}}/{{name}}.part", "w") as file:
        file.write(str(worker.pid))
    os.replace(f"{{place}}/{{name}}.part", f"{{place}}/{{name}}")
    sys.exit(worker.wait())
if command == "stop":
    with open(f"{{place}}/{{words[-1]}}") as file:
        os.kill(int(file.read()), signal.SIGTERM)
print(json.dumps({{"OOMKilled": False}}))
"""


@dataclass
class Bench:
    """A runner with the folder that its jobs write to."""

    runner: JobRunner
    store: RoutedStore
    place: RunPlace
    food: Path
    reports: bool  # whether it knows what its jobs did
    settle: Callable[[], None] = lambda: None  # waits for jobs that nobody waits for

    def arguments(self, *samples: str, definition: str | None = None) -> dict[str, Any]:
        payload = TaskPayload(
            stage="eating",
            step="eat",
            scope="sample",
            run=self.place,
            reference="",
            parameters={},
            inputs={"food": ITEM_FILES},
            publish={"eaten": "eaten"},
            items=tuple({"sample": sample, "files": {"food": [str(self.food)]}} for sample in samples),
            upstream={},
        )
        environment = [{"Name": PAYLOAD_VARIABLE, "Value": json.dumps(payload.to_json())}]
        return {
            "JobName": "job",
            "JobQueue": "queue",
            "JobDefinition": definition or ResourceNames().job_definition("eat"),
            "ContainerOverrides": {"Environment": environment},
        }

    def run(self, *samples: str) -> JobDetail:
        return asyncio.run(self.runner.run(self.arguments(*samples), context()))

    def eaten(self, sample: str) -> str | None:
        """Return what a sample's job wrote; None where it is not done."""
        record = read_completion(self.store, self.place, "eating", sample)
        return self.store.read(self.place.uri(record.outputs["eaten"].key)).decode() if record else None


def context(started: Callable[[], None] = lambda: None) -> TaskContext:
    """Return the context of a Task; `started` is called when its job has started."""

    def observer(event: object) -> None:
        if isinstance(event, JobStarted):
            started()

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
        submitted=lambda _: started(),
        clock=SystemClock(),
        observer=observer,
    )


@pytest.fixture
def step(tmp_path: Path) -> StepFolder:
    folder = tmp_path / "eat"
    folder.mkdir()
    (folder / "step.toml").write_text(STEP)
    (folder / "eat.py").write_text(PROGRAM)
    return read_step(folder)


@pytest.fixture(params=RUNNERS)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Return a bench of each implementation."""
    made: Bench = request.getfixturevalue(f"{request.param}_bench")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.create()
    return made


@pytest.fixture
def worker_bench(step: StepFolder, folder: RunFolder) -> Bench:
    store, steps = object_store().with_buckets({BUCKET: folder.path}), {"eat": step}
    worker = WorkerJobs(steps, store, folder.scratch, folder.path / "cache", os.environ)
    runner = jobs_of_steps(steps, worker.run_attempt, Capacity(2, 4000))
    return Bench(runner, store, RunPlace("run", BUCKET, ""), step.path / "eat.py", reports=True)


@pytest.fixture
def worker_behind_faults_bench(worker_bench: Bench) -> Bench:
    worker_bench.runner = ThrottledJobs(worker_bench.runner, lambda environment: False)
    return worker_bench


@pytest.fixture
def containers_bench(step: StepFolder, folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(ENGINE.format(python=sys.executable, place=str(program.parent), step=str(step.path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    store, steps = object_store().with_buckets({BUCKET: folder.path}), {"eat": step}
    engine = EngineContainers(ContainerEngine(os.environ))
    jobs = ContainerJobs({"eat": "lab/eat:1"}, folder, engine, store, Path.home())
    runner = jobs_of_steps(steps, jobs.run_attempt, Capacity(2, 4000))
    return Bench(runner, store, RunPlace("run", BUCKET, ""), step.path / "eat.py", reports=True)


@pytest.fixture
def apptainer_bench(step: StepFolder, folder: RunFolder, tmp_path: Path) -> Bench:
    program, image = FakeApptainer(tmp_path / "apptainer", {"eat": step.path}), tmp_path / "eat-1.sif"
    image.touch()
    store, environment = object_store().with_buckets({BUCKET: folder.path}), {**os.environ, "PATH": str(program.path)}
    jobs = ContainerJobs({"eat": str(image)}, folder, Apptainer(environment), store, Path.home())
    runner = jobs_of_steps({"eat": step}, jobs.run_attempt, Capacity(2, 4000))
    return Bench(runner, store, RunPlace("run", BUCKET, ""), step.path / "eat.py", reports=True)


@pytest.fixture
def slurm_bench(step: StepFolder, folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("PATH", str(FakeSlurm(tmp_path / "slurm").path))
    monkeypatch.setattr(attempts, "LOOK_S", 0.02)
    monkeypatch.setattr(sending, "GATHER_S", 0.0)
    slurm, options = SlurmCommands(os.environ), SlurmOptions()
    submissions = Submissions(folder.path, slurm, options, sys.executable)
    followed = attempts.Attempts(folder.path, slurm, submissions, SystemClock(), 0.05, None, lambda _: None)
    steps, named = {"eat": step}, {ResourceNames().job_definition("eat"): step}
    node, cache = Capacity(16, 64_000), folder.path / "cache"
    store = object_store().with_buckets({BUCKET: folder.path})
    published = PublishedWork(store, {"eat": step}, cache)
    runner = SlurmJobs(job_definitions(steps), named, folder.path, followed, options, node, cache, published)
    return Bench(runner, store, RunPlace("run", BUCKET, ""), step.path / "eat.py", reports=True)


@pytest.fixture
def batch_api_bench(
    step: StepFolder, s3: Any, step_functions: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    monkeypatch.setattr(job_poller, "FIRST_POLL_S", 0.01)
    store = object_store()
    worker = WorkerJobs({"eat": step}, store, tmp_path / "scratch", tmp_path / "cache", os.environ)

    def run_job(job: Job, log: Log) -> JobEnd:
        return worker.run_attempt(job)

    step_functions.batch.run_job = run_job
    step_functions.batch.definitions = job_definitions({"eat": step})
    runner = BatchApi(BatchJobs(aws_clients()), SystemClock())

    def settle() -> None:
        step_functions.batch.wait(lambda batch: not batch.running())

    place = RunPlace("run", "reads", "runs/run/")
    return Bench(runner, store, place, step.path / "eat.py", reports=False, settle=settle)


def test_a_job_that_succeeds(bench: Bench) -> None:
    detail = bench.run("a", "b")
    assert (detail["JobName"], detail["Status"], detail["Container"]["ExitCode"]) == ("job", "SUCCEEDED", 0)
    assert (bench.eaten("a"), bench.eaten("b")) == ("a", "b")


def test_a_job_that_fails_has_its_exit_code_and_its_reason(bench: Bench) -> None:
    detail = bench.run("bad")
    assert (detail["Status"], detail["StatusReason"]) == ("FAILED", "Essential container in task exited")
    assert detail["Container"]["ExitCode"] == 65
    assert detail["Container"]["Reason"].endswith("bad: expected food")


def test_a_bad_item_fails_its_job_and_leaves_the_others_done(bench: Bench) -> None:
    assert bench.run("a", "bad", "b")["Status"] == "FAILED"
    assert [bench.eaten(sample) for sample in ("a", "bad", "b")] == ["a", None, "b"]


def test_what_ran_and_what_was_reused_is_reported(bench: Bench) -> None:
    bench.run("a")
    bench.run("a", "b")
    ran, reused = frozenset({("eating", "a"), ("eating", "b")}), frozenset({("eating", "a")})
    assert bench.runner.report() == (JobReport(ran, reused) if bench.reports else JobReport())


def test_a_submitted_job_is_not_waited_for(bench: Bench) -> None:
    async def submit() -> dict[str, str]:
        answer = await bench.runner.submit(bench.arguments("a"), context())
        await bench.runner.drain()
        return answer

    answer = asyncio.run(submit())
    bench.settle()
    assert answer == {
        "JobArn": f"arn:aws:batch:us-east-1:000000000000:job/{answer['JobId']}",
        "JobId": answer["JobId"],
        "JobName": "job",
    }
    assert bench.eaten("a") == "a"


def test_a_cancelled_caller_ends_its_job(bench: Bench) -> None:
    async def cancel() -> None:
        started = asyncio.Event()
        running = asyncio.ensure_future(bench.runner.run(bench.arguments("endless"), context(started.set)))
        await started.wait()
        running.cancel()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    bench.settle()
    assert bench.eaten("endless") is None


def test_a_job_definition_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(StatesError) as refused:
        asyncio.run(bench.runner.run(bench.arguments("a", definition="other:3"), context()))
    assert refused.value.error == "Batch.ClientException"
    assert (refused.value.cause or "").startswith("JobDefinition not found: other:3")


def test_an_argument_that_is_missing(bench: Bench) -> None:
    with pytest.raises(StatesError) as refused:
        asyncio.run(bench.runner.submit({"JobName": "job", "JobQueue": "queue"}, context()))
    assert refused.value.error == "States.Runtime"
    assert (refused.value.cause or "").endswith("[The field 'JobDefinition' is required but was missing]")

"""`replay --containers`: the task runs in the image that the run recorded, by a stand-in for the container engine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.containers import images
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs
from genomics_pipeline.worker.step_folder import read_step
from tests.cli.conftest import Ended
from tests.fakes.apptainer import FakeApptainer
from tests.fakes.deployed import deployed
from tests.fakes.jobs import begin
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws
    from tests.fakes.batch import Log

Cli = Callable[..., Ended]
TORN = "if 'torn' in text: raise SystemExit('it is torn')"
# Has the images of `images.json`, and runs the worker as a container of one would.
ENGINE = """#!{python}
import json, os, subprocess, sys
command, *words = sys.argv[1:]
place = {place!r}
known = json.load(open(place + "/images.json"))
if command == "images":
    for name in known:
        print(json.dumps({{"Tag": name.rpartition(":")[2]}}))
elif command == "image":
    found = [one for name, one in known.items() if words[-1] in (name, one)]
    sys.exit(1) if not found else print(json.dumps([{{"Id": found[0], "Architecture": "amd64", "Size": 1}}]))
elif command == "run":
    values = (words[at + 1] for at, word in enumerate(words) if word == "--env")
    given = dict(value.split("=", 1) for value in values if "=" in value)  # others are of this environment
    with open(place + "/ran", "a") as file:
        file.write(words[-1] + " " + " ".join(word for word in words if word.startswith("type=bind")) + chr(10))
    environment = {{**os.environ, **given, "GENOMICS_PIPELINE_STEP": {step!r}}}
    sys.exit(subprocess.run([sys.executable, "-m", "genomics_pipeline.worker"], env=environment).returncode)
elif command == "inspect":
    print(json.dumps({{"OOMKilled": False}}))
"""


class StandIn:
    """A stand-in for a container engine with the image of one step."""

    def __init__(self, folder: Path, step: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.name = images.image(read_step(step), ResourceNames(), images.this_architecture()).name
        self.has("sha256:1111111111111")
        program = folder / "docker"
        program.write_text(ENGINE.format(python=sys.executable, place=str(folder), step=str(step)))
        program.chmod(0o755)

    def has(self, image_id: str) -> None:
        """Keep the image with this ID only."""
        (self.folder / "images.json").write_text(json.dumps({self.name: image_id}))

    def ran(self) -> list[str]:
        """Return the images that ran since the last call."""
        file = self.folder / "ran"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line.partition(" ")[0] for line in lines]


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"good": "@a\nACGT\n+\nIIII\n", "bad": "@torn\nACGT\n+\nIIII\n"})
    return project


@pytest.fixture
def engine(small: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn(tmp_path / "engine", small.folder / "copy")
    monkeypatch.setenv("PATH", str(made.folder))
    return made


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_task_runs_in_the_image_that_the_run_recorded(small: SmallProject, engine: StandIn, cli: Cli) -> None:
    ended = cli(*small.arguments("--containers", "--param", f"copying.program={TORN}"))
    assert ended.code == 1, ended.err
    assert engine.ran() == [engine.name] * 2
    recorded = json.loads((small.run / ".engine/images.json").read_text())
    image = {"name": engine.name, "image_id": "sha256:1111111111111", "file": "", "registry": ""}
    assert recorded == {"copy": image}
    before = files_of(small.run)
    failed = cli("replay", small.run, "bad", "--containers", "--json")
    assert failed.code == 0, (failed.out, failed.err)
    outcome = json.loads(failed.out)
    assert (outcome["verdict"], outcome["differences"]) == ("reproduced", [])
    assert "it is torn" in outcome["after"]["message"]
    assert engine.ran() == ["sha256:1111111111111"]
    assert Path(outcome["scratch"], "task.json").is_file()
    good = json.loads(cli("replay", small.run, "good", "--stage", "copying", "--containers", "--json").out)
    assert (good["verdict"], engine.ran()) == ("the same outputs", ["sha256:1111111111111"])
    assert Path(good["scratch"], "task.json").is_file()  # it ran, and was not reused
    assert files_of(small.run) == before
    engine.has("sha256:2222222222222")
    other = cli("replay", small.run, "bad", "--containers")
    said = f"image of copy: {engine.name} (sha256:222222222222), not {engine.name} (sha256:111111111111), which the "
    assert other.code == 0
    assert f"not the same: {said}engine of this machine does not have" in other.err
    assert engine.ran() == [engine.name]
    without = json.loads(cli("replay", small.run, "bad", "--json").out)
    assert "image: the program of the step runs in this installation" in "".join(without["differences"])


def test_a_task_that_ran_in_no_container(small: SmallProject, engine: StandIn, cli: Cli) -> None:
    assert cli(*small.arguments("--param", f"copying.program={TORN}")).code == 1
    outcome = json.loads(cli("replay", small.run, "bad", "--containers", "--json").out)
    assert outcome["verdict"] == "reproduced"
    assert outcome["differences"] == [
        f"image of copy: {engine.name} (sha256:111111111111); the task ran in no container"
    ]


def test_a_run_on_aws_from_its_bucket(
    small: SmallProject, engine: StandIn, aws: str, step_functions: FakeAws, tmp_path: Path, cli: Cli
) -> None:
    pipeline = str(small.folder / "pipeline.toml")
    with deployed(aws, (pipeline,)) as stack:
        reads = {name: (small.folder / f"{name}.fastq").read_bytes() for name in ("good", "bad")}
        small.sheet({name: stack.put(f"reads/{name}.fastq", data) for name, data in reads.items()})
        steps = load_pipeline(pipeline)[1]
        worker = WorkerJobs(steps, object_store(), tmp_path / "scratch", tmp_path / "cache", os.environ)

        def run(job: Job, log: Log) -> JobEnd:
            begin(job)
            return worker.run_attempt(job)

        step_functions.batch.run_job = run
        options = ("--pipeline", pipeline, "--max-failures", "100%", "--param", f"copying.program={TORN}", "--json")
        submitted = cli("submit", small.folder / "sheet.csv", "--reference", small.folder / "reference.fa", *options)
        assert submitted.code == 0, submitted.err
        name = json.loads(submitted.out)["run"]
        step_functions.execution(name).wait()
        for item, verdict in (("bad", "reproduced"), ("good", "the same outputs")):
            uri, out = f"s3://{stack.bucket}/runs/{name}", tmp_path / f"replay-{item}"
            ended = cli("replay", uri, item, "--stage", "copying", "--containers", "--out", out, "--json")
            assert ended.code == 0, (ended.out, ended.err)
            outcome = json.loads(ended.out)
            assert (outcome["verdict"], engine.ran()) == (verdict, [engine.name])
            built = (
                f"image of copy: {engine.name} (sha256:111111111111), built here; the bytes may be others than those"
            )
            assert f"{built} in ECR" in outcome["differences"]


def test_without_a_container_engine(small: SmallProject, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli(*small.arguments("--param", f"copying.program={TORN}")).code == 1
    monkeypatch.setenv("PATH", str(small.folder))
    ended = cli("replay", small.run, "bad", "--containers")
    expected = "expected a container engine (docker or podman), found none; install one"
    assert (ended.code, ended.err) == (1, f"error: {expected}\n")


def test_by_apptainer_in_the_file_that_the_run_recorded(
    small: SmallProject, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    apptainer = FakeApptainer(small.folder / "apptainer", {"copy": small.folder / "copy"})
    monkeypatch.setenv("PATH", str(apptainer.path))
    monkeypatch.setenv("GENOMICS_PIPELINE_CACHE", str(small.folder / "cache"))
    options = ("--containers", "apptainer", "--container-registry", "registry.example.org/team")
    assert cli(*small.arguments(*options, "--param", f"copying.program={TORN}")).code == 1
    (file,) = (small.folder / "cache/images").glob("*.sif")
    recorded = json.loads((small.run / ".engine/images.json").read_text())["copy"]
    assert recorded["file"] == str(file)
    assert recorded["image_id"] == f"sha256:{sha256(file.read_bytes()).hexdigest()}"
    ran = len(apptainer.containers())
    outcome = json.loads(cli("replay", small.run, "bad", "--containers", "--json").out)
    assert (outcome["verdict"], outcome["differences"]) == ("reproduced", [])
    assert Path(outcome["scratch"], "task.json").is_file()
    (container,) = apptainer.containers()[ran:]
    assert container["image"] == str(file)
    file.write_text("another file of the image")
    digest = sha256(file.read_bytes()).hexdigest()
    outcome = json.loads(cli("replay", small.run, "bad", "--containers", "--json").out)
    (difference,) = outcome["differences"]
    assert difference.startswith(f"image of copy: {recorded['name']} (sha256:{digest[:12]}), not {recorded['name']} (")
    file.unlink()
    assert cli("replay", small.run, "bad", "--containers", "--json").code == 0  # pulled from the registry of the run
    assert len(apptainer.calls("pull")) == 2

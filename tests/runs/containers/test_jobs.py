"""Jobs in containers, with a stand-in for the container engine."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.engine_containers import EngineContainers, end_containers
from genomics_pipeline.runs.containers.jobs import ContainerJobs
from genomics_pipeline.runs.run_files import folder_files
from genomics_pipeline.runs.run_folder import RunFolder
from tests.small_project import task_json

RUNS = """
if command == "run":
    sys.stderr.write({stderr!r})
    sys.exit({code})
if command == "inspect" and {state!r} is None:
    sys.exit("Error: No such object")
print(json.dumps({state!r}))
"""

STOPS_THE_SECOND_TIME = """
if command == "run":
    open({folder!r} + "/stopped", "rb", buffering=0).read(1)
    sys.exit(143)
if command == "stop":
    if not os.path.exists({folder!r} + "/asked"):
        open({folder!r} + "/asked", "w").close()
        sys.exit("Error response from daemon: No such container")
    os.write(os.open({folder!r} + "/stopped", os.O_RDWR), b"!")  # waits for no reader: there may be none any more
print(json.dumps({{"OOMKilled": False}}))
"""

PAYLOAD = task_json("hungry", [{"sample": "a"}, {"sample": "b"}], stage="eat")


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ContainerJobs]:
    """Return `worker(program)`, a runner whose container engine is that program."""

    def call(program: str) -> ContainerJobs:
        docker = tmp_path / "bin/docker"
        docker.parent.mkdir()
        head = f"#!{sys.executable}\nimport json, os, sys\ncommand = sys.argv[1]\n"
        record = f"open({str(tmp_path / 'argv')!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
        docker.write_text(head + record + program)
        docker.chmod(0o755)
        monkeypatch.setenv("PATH", str(docker.parent))
        run = RunFolder(tmp_path / "run")
        engine = ContainerEngine(os.environ)
        store = folder_files(run, object_store()).store
        return ContainerJobs({"hungry": "lab/hungry:1"}, run, EngineContainers(engine), store, Path.home())

    return call


def job(**environment: str) -> Job:
    variables = {"GENOMICS_PIPELINE_TASK": json.dumps(PAYLOAD), **environment}
    return Job("id", "name", "definition", "queue", variables, vcpus=2, memory_mib=300, timeout_s=None)


def write(folder: Path, item: str, name: str) -> None:
    (folder / "run/steps/eat" / item).mkdir(parents=True, exist_ok=True)
    (folder / "run/steps/eat" / item / name).touch()


ENDS: dict[str, tuple[dict[str, Any], JobEnd]] = {
    "the program's own words": (
        {"code": 65, "stderr": "noise\nerror: a: bad\n", "state": {"OOMKilled": False}},
        JobEnd(65, "a: bad"),
    ),
    "killed for its memory": (
        {"code": 137, "stderr": "", "state": {"OOMKilled": True}},
        JobEnd(137, "OutOfMemoryError: Container killed due to memory usage"),
    ),
    "one process killed, all well in the end": (
        {"code": 0, "stderr": "", "state": {"OOMKilled": True}},
        JobEnd(0),
    ),
    "a traceback": (
        {"code": 1, "stderr": 'Traceback (most recent call last):\n  File "x"\nKeyError: 1\n', "state": {}},
        JobEnd(1, "KeyError: 1"),
    ),
    "anything as its state": ({"code": 9, "stderr": "error: x\n", "state": [1]}, JobEnd(9, "x")),
    "never started": (
        {"code": 125, "stderr": "docker: invalid reference format.\n", "state": None},
        JobEnd(125, "docker: invalid reference format."),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_container_ends(name: str, worker: Callable[[str], ContainerJobs], tmp_path: Path) -> None:
    given, expected = ENDS[name]
    assert worker(RUNS.format(**given)).run_attempt(job()) == expected
    assert list((tmp_path / "run/.scratch").iterdir()) == []


GARBAGE = """
if command == "run":
    os.write(2, bytes(range(128, 256)) * 5000 + b"\\nerror: a: bad \\xff\\n")
    os.kill(os.getpid(), 9)
print("no JSON" if command == "inspect" else "")
"""


def test_a_container_that_prints_garbage_and_is_killed(worker: Callable[[str], ContainerJobs]) -> None:
    assert worker(GARBAGE.replace("\\\\", "\\")).run_attempt(job()) == JobEnd(-9, "a: bad \ufffd")


def test_the_log_is_that_of_the_item_that_is_not_done(worker: Callable[[str], ContainerJobs], tmp_path: Path) -> None:
    for item, name in (("a", "log.txt"), ("a", "step.json"), ("b", "log.txt")):
        write(tmp_path, item, name)
    end = worker(RUNS.format(code=1, stderr="error: b: x\n", state={})).run_attempt(job())
    assert end == JobEnd(1, "b: x", "s3://RUN/steps/eat/b/log.txt")


def test_a_container_that_is_not_there_yet_is_stopped_when_it_is(
    worker: Callable[[str], ContainerJobs], tmp_path: Path
) -> None:
    import os

    os.mkfifo(tmp_path / "stopped")
    cancelled = job()
    cancelled.cancelled.set()
    assert worker(STOPS_THE_SECOND_TIME.format(folder=str(tmp_path))).run_attempt(cancelled) == JobEnd(143)


def test_a_container_has_no_more_than_it_needs(worker: Callable[[str], ContainerJobs], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/definition.json").touch()
    worker(RUNS.format(code=0, stderr="", state={})).run_attempt(job())
    run, *_ = (json.loads(line) for line in (tmp_path / "argv").read_text().splitlines())
    assert run[0] == "run"
    assert run[-1] == "lab/hungry:1"
    for word in (
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--read-only",
        "--network=none",
        "--cpus=2",
        "--memory=300m",
        "--memory-swap=300m",
    ):
        assert word in run
    folder = tmp_path / "run"
    assert [after for word, after in itertools.pairwise(run) if word == "--mount"] == [
        f"type=bind,source={folder},target={folder}",
        f"type=tmpfs,target={folder}/.engine,readonly",
        f"type=bind,source={folder}/.engine/verified,target={folder}/.engine/verified",
        f"type=bind,source={folder}/definition.json,target={folder}/definition.json,readonly",
    ]
    aws_words = [word for word in run if "AWS_" in word]
    assert aws_words == ["AWS_BATCH_JOB_ID=id", "AWS_BATCH_JOB_ATTEMPT=1"]  # no credentials


def test_what_a_killed_run_left_is_ended(worker: Callable[[str], ContainerJobs], tmp_path: Path) -> None:
    worker("print('one\\ntwo' if command == 'ps' else '')")
    end_containers(ContainerEngine(os.environ), tmp_path / "run")
    label = f"label=genomics-pipeline.run={tmp_path / 'run'}"
    assert [json.loads(line) for line in (tmp_path / "argv").read_text().splitlines()] == [
        ["ps", "--all", "--quiet", "--filter", label],
        ["rm", "--force", "--volumes", "one", "two"],
    ]

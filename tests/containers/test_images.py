"""The content of the images, and their first process."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.catalog import load_step, step_names
from genomics_pipeline.runs.containers import images as step_images
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from tests.containers.conftest import USER_CACHE
from tests.small_project import single_lane, task_json

STEPS = [name for name in step_names() if not load_step(name).spec.is_function]
LARGEST_MIB = 300
OwnStep = Callable[..., Path]


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., list[str]]:
    """Return `task(step)`, which returns the options of a container with a task of the step over a small sample."""

    def call(step: str) -> list[str]:
        run = tmp_path / "run"
        (run / "scratch").mkdir(parents=True)
        (run / "a.fq").write_text("@a\nA\n+\nF\n")
        for folder in (run, run / "scratch"):
            folder.chmod(0o777)
        links: dict[str, Any] = {"inputs": {"reads": "sample.reads"}, "publish": {"out": "out"}}
        payload = task_json(step, [single_lane("a", run / "a.fq")], **links)
        environment = {"TASK": json.dumps(payload), "BUCKETS": json.dumps({"RUN": str(run)})}
        return [
            *(f"--env=GENOMICS_PIPELINE_{name}={value}" for name, value in environment.items()),
            f"--volume={run}:{run}",
            f"--volume={run / 'scratch'}:/scratch",
            "--read-only",
            "--network=none",
        ]

    return call


def build_image(folder: Path, engine: ContainerEngine) -> str:
    image = step_images.image(load_step(str(folder)), ResourceNames(), step_images.this_architecture())
    step_images.build(image, engine, USER_CACHE)
    return image.name


@pytest.mark.parametrize("step", STEPS)
def test_an_image_describes_itself(step: str, images: dict[str, str], engine: ContainerEngine) -> None:
    folder, description = load_step(step), engine.inspect(images[step])
    labels: dict[str, Any] = description["Config"]["Labels"]
    assert {name.rpartition(".")[2]: value for name, value in labels.items() if "opencontainers" in name} == {
        "title": f"genomics-pipeline {step}",
        "description": folder.spec.summary,
        "version": folder.spec.version,
        "revision": folder.digest,
        "licenses": "Apache-2.0",
    }
    assert description["Config"]["User"] == "10001:10001"
    assert description["Size"] >> 20 <= LARGEST_MIB
    version = engine.run("run", "--rm", "--network=none", "--read-only", images[step], "--version")
    assert version == f"genomics-pipeline 0.1.0, step {step} {folder.spec.version} ({folder.digest[:16]})\n"
    assert engine.run("run", "--rm", "--network=none", "--read-only", images[step], "--health") == ""


def test_no_program_of_an_image_gives_privileges(images: dict[str, str], engine: ContainerEngine) -> None:
    find = ("--entrypoint=find", images["gather"], "/", "-xdev", "-type", "f", "-perm", "/6000")
    assert engine.run("run", "--rm", "--network=none", "--user=0", *find) == ""


def test_an_unchanged_step_is_not_built_again(images: dict[str, str], engine: ContainerEngine) -> None:
    image = step_images.image(load_step("gather"), ResourceNames(), step_images.this_architecture())
    assert (image.name, step_images.build(image, engine, USER_CACHE)) == (images["gather"], False)


def test_a_users_step_runs_without_privileges_and_writes_only_to_its_folders(
    own_step: OwnStep, task: Callable[..., list[str]], engine: ContainerEngine, tmp_path: Path
) -> None:
    program = """
import json, os, sys
refused = []
for place in ("/x", "/opt/step/x", "/usr/x", "/tmp/x"):
    try:
        open(place, "w")
    except OSError:
        refused.append(place)
task = json.load(open(sys.argv[1]))
open(task["outputs"]["out"], "w").write(json.dumps([os.getuid(), refused]))
"""
    name = build_image(own_step("curious", program), engine)
    output = engine.run("run", "--rm", *task("curious"), name)
    result = json.loads((tmp_path / "run/results/out/a.txt").read_text())
    assert result == [10001, ["/x", "/opt/step/x", "/usr/x", "/tmp/x"]]
    metrics = json.loads(output)
    assert (metrics["Stage"], metrics["Outcome"], metrics["Items"]) == ("curious", "succeeded", 1)
    assert list((tmp_path / "run/scratch").iterdir()) == []


def test_a_step_may_be_any_program_and_be_built_with_any_umask(
    own_step: OwnStep, task: Callable[..., list[str]], engine: ContainerEngine, tmp_path: Path
) -> None:
    folder = own_step("script", "")
    words = 'command = ["{step_dir}/program.sh", "{outputs.out}"]'
    toml = (folder / "step.toml").read_text().replace('command = ["{python}", "{step_dir}/script.py", "{task}"]', words)
    (folder / "step.toml").write_text(toml)
    (folder / "program.sh").write_text('#!/bin/sh\nid -u > "$1"\n')
    (folder / "program.sh").chmod(0o700)
    before = os.umask(0o077)
    try:
        name = build_image(folder, engine)
    finally:
        os.umask(before)
    engine.run("run", "--rm", *task("script"), name)
    assert (tmp_path / "run/results/out/a.txt").read_text() == "10001\n"


def test_sigterm_ends_the_program_and_is_no_success(
    own_step: OwnStep, task: Callable[..., list[str]], engine: ContainerEngine, tmp_path: Path
) -> None:
    program = """
import json, os, signal, sys, time
run = json.load(open(sys.argv[1]))["item"]["lanes"][0]["fastq_1"].rpartition("/")[0]
signal.signal(signal.SIGTERM, lambda *_: (open(run + "/signal", "w").write("SIGTERM"), sys.exit(0)))
open(run + "/started", "w").close()
signal.pause()
"""
    name = build_image(own_step("patient", program), engine)
    argv = task("patient")
    os.mkfifo(tmp_path / "run/started")
    (tmp_path / "run/started").chmod(0o666)
    container = engine.run("run", "--detach", *argv, name).strip()
    (tmp_path / "run/started").open().close()  # blocks until the program opens it
    engine.run("kill", "--signal=SIGTERM", container)
    assert engine.run("wait", container).strip() == "143"
    assert (tmp_path / "run/signal").read_text() == "SIGTERM"
    log = subprocess.run([engine.program, "logs", container], capture_output=True, text=True, check=True).stderr
    assert log == "error: ended by SIGTERM: Spot host lost, timeout or cancelled\n"
    engine.run("rm", container)
    assert not (tmp_path / "run/steps/patient/a/step.json").exists()


def test_orphans_of_a_program_are_reaped(
    own_step: OwnStep, task: Callable[..., list[str]], engine: ContainerEngine, tmp_path: Path
) -> None:
    program = """
import json, os, sys
from pathlib import Path
for _ in range(20):
    if (child := os.fork()) == 0:
        os.fork()
        os._exit(0)
    os.waitpid(child, 0)
def processes():
    return sorted(int(place.name) for place in Path("/proc").glob("[0-9]*"))
for _ in range(100_000):
    if len(processes()) == 4:  # the init process, the worker, its guardian, this one
        break
    os.sched_yield()
task = json.load(open(sys.argv[1]))
open(task["outputs"]["out"], "w").write(json.dumps(processes()[:2] + [len(processes())]))
"""
    name = build_image(own_step("forks", program), engine)
    engine.run("run", "--rm", *task("forks"), name)
    first, worker, count = json.loads((tmp_path / "run/results/out/a.txt").read_text())
    assert (first, worker > 1, count) == (1, True, 4)


def test_out_of_memory_is_exit_code_137_with_a_message(
    own_step: OwnStep, task: Callable[..., list[str]], engine: ContainerEngine
) -> None:
    name = build_image(own_step("hungry", "x = bytearray(400 << 20)\n"), engine)
    argv = [engine.program, "run", "--rm", "--memory=128m", "--memory-swap=128m", *task("hungry")]
    argv += ["--env=GENOMICS_PIPELINE_MEMORY_MIB=128", name]
    process = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert process.returncode == 137
    assert "error: a: killed as out of memory (exit code 137; it had 128 MiB)\n" in process.stderr
    assert json.loads(process.stdout)["Outcome"] == "out_of_memory"

"""`run --containers apptainer`, here and on a cluster, with stand-ins for Apptainer and Slurm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from genomics_pipeline.runs.slurm import attempts
from tests.fakes.apptainer import FakeApptainer
from tests.fakes.slurm import FakeSlurm
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Cli = Callable[..., Any]
REGISTRY = "registry.example.org/team"
OPTIONS = ("--containers", "apptainer")


@pytest.fixture
def copying(project: SmallProject) -> SmallProject:
    """Return a project of one step and one sample."""
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": READS})
    return project


@pytest.fixture
def apptainer(copying: SmallProject, monkeypatch: pytest.MonkeyPatch) -> FakeApptainer:
    """Return the stand-in, which is on PATH."""
    made = FakeApptainer(copying.folder / "apptainer", {"copy": copying.folder / "copy"})
    monkeypatch.setenv("PATH", str(made.path), prepend=":")
    monkeypatch.setenv("APPTAINER_BINDPATH", "/")
    monkeypatch.setenv("APPTAINER_CACHEDIR", "/own")
    monkeypatch.setenv("APPTAINERENV_SECRET", "hush")
    monkeypatch.setenv("GENOMICS_PIPELINE_CACHE", str(copying.folder / "cache"))
    return made


def test_tasks_run_in_images_that_are_pulled_once(cli: Cli, apptainer: FakeApptainer, copying: SmallProject) -> None:
    ended = cli(*copying.arguments(*OPTIONS, "--container-registry", REGISTRY))
    assert ended.code == 0, ended.err
    assert (copying.run / "results/copies/A.txt").exists()
    (file,) = (copying.folder / "cache/images").glob("*.sif")
    tag = file.stem.removeprefix("copy-")
    assert file.read_text() == f"docker://{REGISTRY}/genomics-pipeline/copy:{tag}"
    (container,) = apptainer.containers()
    run = str(copying.run)
    reads = str(copying.folder / "A.fastq")
    assert container["image"] == str(file)
    assert container["mounts"][:3] == [[run, False], [f"{run}/.engine", True], [f"{run}/.engine/verified", False]]
    assert [reads, True] in container["mounts"]
    assert [target for target, readonly in container["mounts"] if not readonly] == [run, f"{run}/.engine/verified"]
    assert container["outside"] == ["APPTAINER_CACHEDIR"]
    assert "SECRET" not in container["inside"]
    (call,) = apptainer.calls("exec")
    assert "--network=none" in call
    assert not any("GENOMICS_PIPELINE" in word for word in call)
    (copying.folder / "A.fastq").write_text(READS * 2)
    assert cli(*copying.arguments(*OPTIONS)).code == 0  # no registry is needed any more
    assert len(apptainer.calls("pull")) == 1
    record = json.loads((copying.run / "run.json").read_text())["request"]
    assert (record["containers"], record["registry"]) == ("apptainer", "")


def test_tasks_on_a_cluster_run_in_images(
    cli: Cli, apptainer: FakeApptainer, copying: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm = FakeSlurm(copying.folder / "slurm")
    monkeypatch.setenv("PATH", f"{slurm.path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(attempts, "LOOK_S", 0.02)
    scratch = copying.folder / "local"
    scratch.mkdir()
    options = ("--slurm", "--slurm-check", "none", "--slurm-scratch", scratch, "--container-registry", REGISTRY)
    ended = cli(*copying.arguments(*OPTIONS, *options))
    assert ended.code == 0, ended.err
    (container,) = apptainer.containers()
    own = f"{scratch}/genomics-pipeline-{os.getuid()}/genomics-pipeline-"
    assert [target for target, readonly in container["mounts"] if not readonly and str(target).startswith(own)]
    assert list(scratch.glob("*/*")) == []
    record = json.loads((copying.run / "steps/copying/A/step.json").read_text())
    assert record["host"] == {"partition": "main", "node": "node1", "cores": "1"}
    ended = cli(*copying.arguments("--containers", "--slurm"))
    expected = "nodes of a cluster have no container engine for users: give --containers apptainer, or none"
    assert (ended.code, ended.err) == (2, f"error: --slurm: {expected}\n")


@pytest.mark.parametrize(
    ("words", "name", "advice"),
    [
        ("could not open image a.sif: no such file or directory", "CannotPull", "the image is not there"),
        ("Failed to create user namespace: user namespace disabled", "CannotStart", "users cannot run containers here"),
        (
            "container creation failed: mount hook function failure: kernel reported a bad superblock for squashfs",
            "CannotStart",
            "the image cannot be mounted",
        ),
        ("while extracting: something else", "CannotStart", ""),
    ],
)
def test_apptainer_itself_fails(
    words: str, name: str, advice: str, cli: Cli, apptainer: FakeApptainer, copying: SmallProject
) -> None:
    assert cli(*copying.arguments(*OPTIONS, "--container-registry", REGISTRY)).code == 0
    (copying.folder / "A.fastq").write_text(READS * 2)
    apptainer.fail(words)
    ended = cli(*copying.arguments(*OPTIONS, "--json"))
    assert ended.code == 1
    (failed,) = json.loads(cli("status", copying.run, "--json").out)["failures"]["items"]
    assert failed["class"] == "image"
    assert failed["message"].startswith(f"{name}")
    assert advice in failed["message"]


def test_an_image_that_cannot_be_had(
    cli: Cli, apptainer: FakeApptainer, copying: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = cli(*copying.arguments(*OPTIONS))
    assert ended.code == 1
    assert "found none; give --container-registry, or build it where a container engine is" in ended.err
    ended = cli(*copying.arguments(*OPTIONS, "--container-registry", "denied.example.org"))
    assert ended.code == 1
    assert "cannot be pulled: CannotStartContainerError: While making image from oci registry" in ended.err
    assert [file.suffix for file in (copying.folder / "cache/images").iterdir()] == [".lock"]
    monkeypatch.setenv("PATH", str(copying.folder))
    ended = cli(*copying.arguments(*OPTIONS))
    expected = "expected apptainer or singularity on PATH, found neither; load it"
    assert (ended.code, ended.err.splitlines()[-1]) == (1, f"error: --containers apptainer: {expected}")


def test_a_program_that_is_no_choice(cli: Cli, copying: SmallProject) -> None:
    ended = cli(*copying.arguments("--containers", "lxc"))
    assert ended.code == 2
    assert "'lxc' is not one of 'engine', 'apptainer'" in ended.err

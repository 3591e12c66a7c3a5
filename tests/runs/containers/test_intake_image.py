"""The image of `deploy --intake`: the package as a wheel has it, with its own locked wheels."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.catalog import load_step, pipeline_names, shipped_folder, step_names
from genomics_pipeline.runs.containers import images
from genomics_pipeline.runs.containers.intake_image import intake_step
from genomics_pipeline.worker.step_folder import StepFolder, read_step
from tests.runs.containers.test_images import ROOT, StandInEngine, wheels

__all__ = ["wheels"]
NAME = re.compile(r"^[A-Za-z0-9-]+")


@pytest.fixture(scope="module")
def step() -> StepFolder:
    return intake_step()


def test_submit_finds_the_same_steps_in_the_image_as_here(step: StepFolder, tmp_path: Path) -> None:
    """The digest of a step is in the tag of its image, which `submit` compares with the deployed job definition."""
    for name, file in step.files:
        if name.startswith("shipped/steps/"):
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    for name in step_names():
        assert read_step(tmp_path / "shipped/steps" / name, is_checked=True).digest == load_step(name).digest


def test_the_image_has_the_package_and_what_it_ships_without_tests(step: StepFolder) -> None:
    names = {name for name, _ in step.files}
    assert {"cli/submit.py", "prices/us-east-1/spot.csv", "shipped/containers/base/Dockerfile"} <= names
    assert {f"shipped/pipelines/{name}.toml" for name in pipeline_names()} <= names
    assert not [name for name in names if "test_" in name or name.endswith(".pyc") or name.startswith("shipped/tests")]
    package = {file.relative_to(ROOT / "genomics_pipeline").as_posix() for file in images.package_files()}
    assert package <= names


def test_its_wheels_are_the_packages_own_libraries_as_the_project_locks_them() -> None:
    folder = shipped_folder("containers") / "intake"
    pinned = set(re.findall(r"^([a-z0-9-]+)==(\S+)", (folder / "requirements.lock").read_text(), re.MULTILINE))
    project = set(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert sorted(pinned - project) == []
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = {match[0].lower() for text in declared if (match := NAME.match(text))} - {"cutadapt"}
    assert sorted(wanted - {name for name, _ in pinned}) == []


@pytest.mark.usefixtures("wheels")
def test_the_image_is_built_with_its_own_wheels_on_the_pinned_debian(step: StepFolder, tmp_path: Path) -> None:
    engine = StandInEngine("amd64")
    image = images.image(step, ResourceNames(), Architecture.X86_64)
    assert re.fullmatch("genomics-pipeline/intake:[0-9a-f]{16}-x86_64", image.name)
    assert images.build(image, engine, tmp_path / "cache")
    _, (name, words) = engine.builds
    assert name == image.name
    arguments = [words[number + 1] for number, word in enumerate(words) if word == "--build-arg"]
    assert [argument.partition("=")[0] for argument in arguments] == ["BASE", "DEBIAN"]
    assert arguments[1].startswith("DEBIAN=debian:bookworm-slim@sha256:")
    assert "x-manylinux2014_x86_64.whl" in words


def test_the_image_of_the_intake_is_selected_on_request() -> None:
    def names(*, intake: bool) -> list[str]:
        chosen = images.select_images("s", ["germline"], (), Architecture.X86_64, intake=intake)
        return [image.name.partition(":")[0] for image in chosen]

    assert names(intake=True) == [*names(intake=False), "s/intake"]

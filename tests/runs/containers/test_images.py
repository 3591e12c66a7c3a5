"""Images without a container engine: their tags, their lock file, and the arguments that an engine gets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.catalog import load_step, shipped_folder, step_names
from genomics_pipeline.runs.containers import images
from genomics_pipeline.runs.containers.container_engine import ContainerEngine

ROOT = Path(__file__).resolve().parents[3]
STEP = shipped_folder("steps") / "gather"
PINNED = f"debian:bookworm-slim@sha256:{'0f' * 32}"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a copy of a step's folder, with the programs that steps share beside it."""
    for folder in (STEP, STEP.parent / "common"):
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "gather"


def test_a_tag_depends_on_what_is_in_the_image(own: Path) -> None:
    before = content_tag(own)
    assert before == images.content_tag(load_step("gather"))
    (own / "test_more.py").write_text("tests are not in an image")
    assert content_tag(own) == before
    (own / "gather.py").write_text("another program")
    changed = content_tag(own)
    (own / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN true\nCOPY step /opt/step\n")
    assert len({before, changed, content_tag(own)}) == 3
    assert re.fullmatch("[0-9a-f]{16}", before)


def test_a_file_that_becomes_a_program_is_another_image(own: Path) -> None:
    before = content_tag(own)
    (own / "gather.py").chmod(0o755)
    assert content_tag(own) != before


def test_every_shipped_step_has_a_dockerfile_of_its_own() -> None:
    jobs = {name for name in step_names() if not load_step(name).spec.is_function}
    assert {images.dockerfile(load_step(name)).parent.name for name in jobs} == jobs


def test_the_base_image_has_the_data_of_the_workers_packages() -> None:
    names = {file.name for file in images.package_files()}
    assert {"index_rates.csv", "step.schema.json", "minibwa_index.py"} <= names
    assert not [name for name in names if name.endswith(".pyc")]


def test_images_hold_the_versions_of_the_projects_lock_file() -> None:
    pinned = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
    # The project's file has a version for each range of Python's, where a package needs that.
    project = set(pinned.findall((ROOT / "requirements.lock").read_text()))
    for architecture in Architecture:
        image = [one for lock in images.lock_files(architecture) for one in pinned.findall(lock.read_text())]
        assert len(image) == len({name for name, _ in image})
        assert {"pysam"} < {name for name, _ in image}
        assert sorted(set(image) - project) == []


def test_images_are_built_from_pinned_images_only() -> None:
    for file in (ROOT / "containers").glob("*/Dockerfile"):
        text = file.read_text("utf-8")
        arguments = dict(re.findall(r"^ARG (\w+)(?:=(\S+))?$", text, re.MULTILINE))
        for source in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
            assert source in ("${BASE}", "${DEBIAN}")
        assert re.fullmatch(r"debian:bookworm-slim@sha256:[0-9a-f]{64}", arguments.get("DEBIAN") or PINNED)


def test_one_command_pins_the_newest_image_of_debian(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "containers/base", tmp_path / "containers/base")
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(f"#!/bin/sh\n[ $1 = pull ] || echo debian@{PINNED.partition('@')[2]}\n")
    docker.chmod(0o755)
    environment = {"PATH": f"{docker.parent}:{os.environ['PATH']}"}
    argv = ["make", "--file", str(ROOT / "Makefile"), "base-image"]
    subprocess.run(argv, cwd=tmp_path, env=environment, check=True, capture_output=True)
    before, after = ((folder / "containers/base/Dockerfile").read_text() for folder in (ROOT, tmp_path))
    assert after == re.sub("(?<=^ARG DEBIAN=).*", PINNED, before, flags=re.MULTILINE)
    assert after != before


def test_a_copy_of_debian_elsewhere_is_used_where_it_is_named(wheels: None, tmp_path: Path) -> None:
    engine = StandInEngine("amd64")
    engine.environment = {"GENOMICS_PIPELINE_DEBIAN": "mine.example/debian@sha256:0f"}
    images.build(images.image(load_step("gather"), ResourceNames(), Architecture.X86_64), engine, tmp_path)
    (_, base), (_, step) = engine.builds
    assert base[base.index("--build-arg") + 1] == "DEBIAN=mine.example/debian@sha256:0f"
    assert step[step.index("--build-arg") + 1].startswith("BASE=genomics-pipeline/base:")


def content_tag(folder: Path) -> str:
    return images.content_tag(load_step(str(folder)))


class StandInEngine(ContainerEngine):
    """An engine that has no image, and builds all of them for one architecture."""

    def __init__(self, architecture: str, error: str = "") -> None:
        self.architecture = architecture
        self.environment = {}
        self.error = error
        self.builds: list[tuple[str, list[str]]] = []
        self.buildkit: set[bool] = set()

    def run(self, *arguments: str, standard_input: str | None = None, buildkit: bool = False) -> str:
        if arguments[0] == "build":
            name, folder = arguments[arguments.index("--tag") + 1], Path(arguments[-1])
            options = [*arguments, *(path.name for path in folder.glob("wheels/*.whl"))]
            self.builds.append((name, options))
            self.buildkit.add(buildkit)
            if self.error:
                raise RunError(f"docker build: {self.error}")
        return json.dumps([{"Architecture": self.architecture}]) if arguments[0] == "image" else ""


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip "download" one file, whose name has the last of the platforms that it is asked for."""

    def download(argv: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        wanted = {word.partition("=")[0]: word.partition("=")[2] for word in argv}
        (Path(wanted["--dest"]) / f"x-{wanted['--platform']}.whl").touch()
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr("genomics_pipeline.runs.containers.images.subprocess.run", download)


@pytest.mark.usefixtures("wheels")
@pytest.mark.parametrize(
    ("architecture", "platform", "wheel"),
    [
        (Architecture.X86_64, "linux/amd64", "x-manylinux2014_x86_64.whl"),
        (Architecture.ARM64, "linux/arm64", "x-manylinux2014_aarch64.whl"),
    ],
)
def test_an_image_is_built_for_its_hosts_with_their_wheels(
    architecture: Architecture, platform: str, wheel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    engine = StandInEngine(architecture.engine)
    image = images.image(load_step("gather"), ResourceNames(), architecture)
    assert images.build(image, engine, tmp_path / "cache")
    (base, base_words), (name, words) = engine.builds
    assert (base.rpartition("-")[2], name) == (str(architecture), image.name)
    for argv in (base_words, words):
        assert argv[argv.index("--platform") + 1] == platform
    assert wheel in base_words
    assert engine.buildkit == {architecture is Architecture.ARM64}
    assert f"BASE={base}" in words


@pytest.mark.usefixtures("wheels")
def test_an_image_of_the_wrong_processor_is_refused(tmp_path: Path) -> None:
    image = images.image(load_step("gather"), ResourceNames(), Architecture.ARM64)
    with pytest.raises(RunError, match=r"expected the engine to build it for linux/arm64, found amd64; build it on a"):
        images.build(image, StandInEngine("amd64"), tmp_path / "cache")


@pytest.mark.usefixtures("wheels")
def test_an_engine_without_an_emulator_says_what_to_install(tmp_path: Path) -> None:
    engine = StandInEngine(
        "arm64", "exec /bin/sh: exec format error\nThe command '/bin/sh' returned a non-zero code: 1"
    )
    with pytest.raises(RunError) as raised:
        images.build(images.image(load_step("gather"), ResourceNames(), Architecture.ARM64), engine, tmp_path / "cache")
    assert str(raised.value).endswith(
        "expected an engine that runs programs of linux/arm64, found none; install QEMU's user emulation (Debian: "
        "qemu-user-static and binfmt-support) where the engine runs, or build on such a machine"
    )
    other = StandInEngine("arm64", "no space left on device")
    with pytest.raises(RunError, match=r"^docker build: no space left on device$"):
        images.build(images.image(load_step("gather"), ResourceNames(), Architecture.ARM64), other, tmp_path / "cache")

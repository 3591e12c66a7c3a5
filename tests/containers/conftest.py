"""A container engine, this machine's or a temporary one, and the images of the shipped steps."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.reference.cache import cache_folder
from genomics_pipeline.runs.containers import images as step_images
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from tests.debian_packages import debian_packages
from tests.small_project import write_step

USER_CACHE = cache_folder(os.environ, Path.home(), gettempdir)  # whose wheels are downloaded once, not in each test run
SHARED = Path(__file__).resolve().parents[3] / "shared"
SCRIPT = SHARED / "tools" / "containers" / "engine.sh"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, since it needs a container engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("containers")


def _running_engine() -> ContainerEngine | None:
    try:
        engine = ContainerEngine(os.environ, "docker")
        engine.run("version")
    except RunError:
        return None
    return engine


@pytest.fixture(scope="session")
def engine(missing: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerEngine]:
    """Return the running container engine, else start one that is stopped after the tests."""
    if running := _running_engine():
        yield running
        return
    if not SCRIPT.is_file():
        missing("no container engine runs here")
    folder = tmp_path_factory.mktemp("engine")
    with debian_packages():
        started = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True, check=False)
    if started.returncode:
        missing(f"no container engine can run here: {started.stderr.strip()}")
    patch = pytest.MonkeyPatch()
    patch.setenv("DOCKER_HOST", started.stdout.strip().rpartition("=")[2])
    patch.setenv("GENOMICS_PIPELINE_DEBIAN", "debian:bookworm-slim")  # made there, without a registry
    try:
        yield ContainerEngine(os.environ, "docker")
    finally:
        subprocess.run([SCRIPT, "stop", folder], capture_output=True, check=False)
        patch.undo()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def images(engine: ContainerEngine) -> dict[str, str]:
    """Build the images of the germline pipeline and return their names by step."""
    chosen_images = step_images.select_images("genomics-pipeline", (), (), step_images.this_architecture())
    for image in chosen_images:
        step_images.build(image, engine, USER_CACHE)
    return {image.step.spec.name: image.name for image in chosen_images}


@pytest.fixture
def own_step(tmp_path: Path) -> Callable[..., Path]:
    """Return `own_step(name, program, memory_mib=…)`, which writes a user's step; its memory may be a ladder."""

    def call(name: str, program: str, memory_mib: int | list[int] = 256) -> Path:
        return write_step(
            tmp_path / "steps",
            name,
            program,
            '[inputs.reads]\ntype = "reads"\n[outputs.out]\npath = "{sample}.txt"\n'
            f"[resources]\nvcpus = 1\nmemory_mib = {memory_mib}\n",
        )

    return call

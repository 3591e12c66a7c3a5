"""The image of the jobs that submit sample sheets which arrive: the whole package, with what it ships."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from importlib import resources
from pathlib import Path

from genomics_pipeline import __version__
from genomics_pipeline.model.resource_names import INTAKE
from genomics_pipeline.model.step import Resources, StepSpec
from genomics_pipeline.runs.catalog import shipped_folder
from genomics_pipeline.worker.step_folder import StepFolder

SHIPPED = ("containers", "manifests", "pipelines", "steps")
RESOURCES = Resources(vcpus=1, memory_ladder=(2048,), disk_gib=1, timeout_s=6 * 3600)


def intake_step() -> StepFolder:
    """Return the package as the folder of a step: it is built, pushed and named as the images of steps are.

    It has no inputs and outputs, and no stage has it; its command is in the job definition.
    """
    files = tuple(sorted(_files()))
    digest = sha256()
    for name, file in files:
        digest.update(f"{name}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    summary = "Submits the sample sheets that arrive"
    spec = StepSpec(INTAKE, __version__, summary, (), {}, {}, {}, RESOURCES, {}, {})
    return StepFolder(spec, shipped_folder("containers") / INTAKE, files, digest.hexdigest())


def _files() -> Iterator[tuple[str, Path]]:
    """Yield the files with their names below the package, as a wheel has them; the tests of steps are left out."""
    package = Path(str(resources.files("genomics_pipeline")))
    yield from _below(package, "", leaving_out=package / "shipped")
    for kind in SHIPPED:
        yield from _below(shipped_folder(kind), f"shipped/{kind}/")


def _below(folder: Path, prefix: str, leaving_out: Path | None = None) -> Iterator[tuple[str, Path]]:
    for file in folder.rglob("*"):
        is_left_out = leaving_out is not None and file.is_relative_to(leaving_out)
        if file.is_file() and not is_left_out and "__pycache__" not in file.parts and not _is_test(file, prefix):
            yield f"{prefix}{file.relative_to(folder).as_posix()}", file


def _is_test(file: Path, prefix: str) -> bool:
    return bool(prefix) and file.name.startswith(("test_", "conftest.", "."))

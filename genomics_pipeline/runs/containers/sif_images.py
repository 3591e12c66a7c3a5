"""Images of steps as SIF files in the cache, which Apptainer pulls from a registry once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.records.used_images import UsedImage
from genomics_pipeline.reference.cache import make_cache
from genomics_pipeline.runs.containers import images
from genomics_pipeline.runs.containers.apptainer import Apptainer, explain
from genomics_pipeline.stores.checksum import file_sha256
from genomics_pipeline.stores.publish import make_folders, publish_file
from genomics_pipeline.worker.step_folder import StepFolder

FOLDER = "images"


def sif_images(
    steps: Mapping[str, StepFolder], registry: str, program: Apptainer, cache: Path, note: Callable[[str], None]
) -> dict[str, UsedImage]:
    """Return the images of steps in SIF files, by step; missing ones are pulled, each by one process at a time.

    Args:
        steps: The steps by name.
        registry: The registry of their images, with a path if it has one; empty for files that are there already.
        program: Apptainer.
        cache: The user's cache folder.
        note: Shows the names of the images.

    Raises:
        RunError: for an image that is not there and cannot be pulled.
    """
    here = images.this_architecture()
    made = {}
    for name, step in steps.items():
        image = images.image(step, ResourceNames(), here).name
        file = _sif(image, registry, program, cache, note)
        made[name] = UsedImage(image, sif_digest(file), str(file), registry)
    return made


def sif_digest(file: Path) -> str:
    """Return the digest of a SIF file.

    Raises:
        OSError: if it cannot be read.
    """
    return f"sha256:{file_sha256(file)}"


def _sif(image: str, registry: str, program: Apptainer, cache: Path, note: Callable[[str], None]) -> Path:
    from filelock import FileLock

    make_cache(cache)
    file = cache / FOLDER / f"{image.rpartition('/')[2].replace(':', '-')}.sif"
    make_folders(file.parent)
    note(f"image: {file}")
    with FileLock(file.with_name(f".{file.name}.lock")):
        if not file.is_file():
            _pull(image, registry, program, file)
    return file


def _pull(image: str, registry: str, program: Apptainer, file: Path) -> None:
    if not registry:
        raise RunError(
            f"image {image}: expected {file}, found none; give --container-registry, or build it where a container "
            f"engine is (`genomics-pipeline containers build`, `docker save {image}`), and make the file of it: "
            "`apptainer build FILE docker-archive://…`"
        )
    part = file.with_name(f".{file.name}.{uuid4().hex}")
    uri = f"docker://{registry.rstrip('/')}/{image}"
    try:
        process = subprocess.run(
            [program.program, "pull", str(part), uri],
            capture_output=True,
            text=True,
            errors="replace",
            env=program.environment,
            check=False,
        )
        if process.returncode:
            lines = [line for line in process.stderr.splitlines() if line.strip()]
            fatal = [line.partition("FATAL:")[2].strip() for line in lines if line.startswith("FATAL:")]
            raise RunError(f"{uri} cannot be pulled: {explain((fatal or lines or ['no reason was given'])[-1])}")
        publish_file(part, file)
    finally:
        part.unlink(missing_ok=True)

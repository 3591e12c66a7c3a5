"""The images of a replay in containers: those that the run recorded, as far as this machine has them.

A run whose containers Apptainer ran is replayed by Apptainer, any other by the container engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.used_images import UsedImage, read_images
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.containers import images
from genomics_pipeline.runs.containers.apptainer import Apptainer
from genomics_pipeline.runs.containers.container import ContainerProgram
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from genomics_pipeline.runs.containers.engine_containers import EngineContainers
from genomics_pipeline.runs.containers.sif_images import sif_digest, sif_images
from genomics_pipeline.runs.replays.origin import ReplayOrigin
from genomics_pipeline.worker.step_folder import StepFolder

SHORT = 19  # of an ID: its algorithm and twelve digits


@dataclass(frozen=True, slots=True)
class ReplayImages:
    """The images of a replay.

    Attributes:
        program: Runs the containers.
        names: The image of each step, by name or ID, or its SIF file.
        differences: What is not the image that the run used, for people.
    """

    program: ContainerProgram
    names: Mapping[str, str]
    differences: tuple[str, ...] = ()


def replay_images(origin: ReplayOrigin, steps: Mapping[str, StepFolder], adapters: Adapters) -> ReplayImages:
    """Return the images of some steps; one that this machine does not have is built, or pulled by Apptainer.

    Args:
        origin: The run.
        steps: The steps, of this installation.
        adapters: The environment and the cache.

    Raises:
        RunError: if there is no program for containers, or an image cannot be had.
    """
    used = read_images(origin.files.store, origin.files.place)
    if any(used[name].file for name in steps if name in used):
        return _sif_images(used, steps, adapters)
    engine = ContainerEngine(adapters.environment)
    names, differences = dict[str, str](), list[str]()
    for name, step in steps.items():
        own = images.image(step, origin.names, images.this_architecture())
        recorded = used.get(name)
        if recorded and _id(engine, recorded.image_id) is not None:
            names[name] = recorded.image_id
            continue
        images.build(own, engine, adapters.cache)
        names[name] = own.name
        differences += _differences(name, own.name, _id(engine, own.name), recorded, origin)
    return ReplayImages(EngineContainers(engine), names, tuple(differences))


def _sif_images(used: Mapping[str, UsedImage], steps: Mapping[str, StepFolder], adapters: Adapters) -> ReplayImages:
    """Return the recorded SIF files of steps; one that is not there any more is pulled again.

    Args:
        used: The images that the run recorded, by step.
        steps: The steps, of this installation.
        adapters: The environment and the cache.

    Raises:
        RunError: if Apptainer is not installed, or an image cannot be had.
    """
    program, names, differences = Apptainer(adapters.environment), dict[str, str](), list[str]()
    for name, step in steps.items():
        recorded = used.get(name)
        if recorded and _has_digest(Path(recorded.file), recorded.image_id):
            names[name] = recorded.file
            continue
        registry = recorded.registry if recorded else ""
        here = sif_images({name: step}, registry, program, adapters.cache, lambda _: None)[name]
        names[name] = here.file
        if recorded is None:
            differences.append(f"image of {name}: {here.name} ({here.image_id[:SHORT]}); the run recorded none")
        elif here.image_id != recorded.image_id:
            then = f"{recorded.name} ({recorded.image_id[:SHORT]}), whose file {recorded.file} is not there any more"
            differences.append(f"image of {name}: {here.name} ({here.image_id[:SHORT]}), not {then}")
    return ReplayImages(program, names, tuple(differences))


def _has_digest(file: Path, digest: str) -> bool:
    try:
        return sif_digest(file) == digest
    except OSError:
        return False


def _differences(
    step: str, name: str, image_id: str | None, recorded: UsedImage | None, origin: ReplayOrigin
) -> Iterator[str]:
    """Yield how the image of a step differs from the one that the run used, or that this is not known.

    Args:
        step: The step.
        name: The name of the image.
        image_id: Its ID.
        recorded: The image that the run used; None where it recorded none.
        origin: The run.
    """
    here = f"{name} ({(image_id or 'no ID')[:SHORT]})"
    if recorded is not None:
        then = f"{recorded.name} ({recorded.image_id[:SHORT]})"
        yield f"image of {step}: {here}, not {then}, which the engine of this machine does not have"
    elif origin.files.is_on_aws:
        yield f"image of {step}: {here}, built here; the bytes may be others than those in ECR"
    else:
        yield f"image of {step}: {here}; the task ran in no container"


def _id(engine: ContainerEngine, image: str) -> str | None:
    """Return the ID of an image; None if the engine does not have it."""
    try:
        return str(engine.inspect(image)["Id"])
    except (RunError, LookupError, ValueError):
        return None

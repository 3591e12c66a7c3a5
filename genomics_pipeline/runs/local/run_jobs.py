"""The jobs of a run: in processes of this machine, in containers or on a cluster, with faults if asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from genomics_pipeline.engine.tasks.job import RunAttempt
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.model.container_choice import APPTAINER
from genomics_pipeline.model.faults import Faults
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.jobs_place import JobsPlace
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs, jobs_of_steps
from genomics_pipeline.runs.lost_attempts import LostAttempts
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.worker.interpreters import Interpreters
from genomics_pipeline.worker.step_folder import StepFolder

if TYPE_CHECKING:  # imported where faults are injected only, to keep the start of other runs short
    from genomics_pipeline.runs.faults.injector import Injector


@dataclass(frozen=True, slots=True)
class RunJobs:
    """The jobs of a run, for one execution after another.

    Attributes:
        runner: Returns the runner of the jobs of an execution; the injector, if there is one, adds faults.
        injector: The injector of faults; None without faults.
    """

    runner: Callable[[], JobRunner]
    injector: Injector | None = None

    def injected(self, display: Display) -> dict[str, int] | None:
        """Show and return the number of injected faults by kind, over all executions; None without faults."""
        if self.injector is None:
            return None
        counts = self.injector.counts()
        display.note("faults injected: " + ", ".join(f"{kind} {count}" for kind, count in counts.items()))
        return counts


def run_jobs(
    folder: RunFolder,
    steps: Mapping[str, StepFolder],
    place: JobsPlace,
    adapters: Adapters,
    display: Display,
    faults: Faults | None = None,
    interpreters: Interpreters | None = None,
) -> RunJobs:
    """Return the jobs of a run.

    Args:
        folder: The folder of the run.
        steps: The steps of the pipeline by name.
        place: Where the jobs run.
        adapters: The store that reads files, the environment and the home folder of containers, and the cache.
        display: Shows the names of the images, and each injected fault.
        faults: The faults to inject; None for no faults.
        interpreters: Running interpreters for the steps' programs, unless they run in containers; see `WorkerJobs`.

    Raises:
        RunError: if there is no container engine, or an image cannot be built.
    """
    if place.slurm is not None:
        from genomics_pipeline.runs.slurm.cluster import slurm_runner

        images = _sif_images(folder, steps, place, adapters, display) if place.containers else {}
        return RunJobs(partial(slurm_runner, folder, steps, place.slurm, adapters, display, images))
    store = adapters.store.with_buckets({BUCKET: folder.path})
    if place.containers == APPTAINER:
        run_attempt = _in_apptainer(folder, _sif_images(folder, steps, place, adapters, display), adapters)
    elif place.containers:
        run_attempt = _in_containers(folder, steps, adapters, display)
    else:
        jobs = WorkerJobs(steps, store, folder.scratch, adapters.cache, adapters.environment, interpreters)
        run_attempt = jobs.run_attempt
    runner = partial(jobs_of_steps, steps, capacity=adapters.capacity(), on_failure=LostAttempts(store, steps))
    if faults is None:
        return RunJobs(partial(runner, run_attempt))
    injector = _injector(faults, run_attempt, folder, steps, adapters, display)
    return RunJobs(partial(_throttled, injector, runner), injector)


def _throttled(injector: Injector, runner: Callable[[RunAttempt], JobRunner]) -> JobRunner:
    from genomics_pipeline.runs.faults.throttled_jobs import ThrottledJobs

    return ThrottledJobs(runner(injector.run_attempt), injector.throttles)


def _in_containers(
    folder: RunFolder, steps: Mapping[str, StepFolder], adapters: Adapters, display: Display
) -> RunAttempt:
    from genomics_pipeline.records.used_images import UsedImage, write_images
    from genomics_pipeline.runs.containers import images
    from genomics_pipeline.runs.containers.container_engine import ContainerEngine
    from genomics_pipeline.runs.containers.engine_containers import EngineContainers, end_containers
    from genomics_pipeline.runs.containers.jobs import ContainerJobs

    engine = ContainerEngine(adapters.environment)
    here = images.this_architecture()
    step_images = {name: images.image(step, ResourceNames(), here) for name, step in steps.items()}
    for image in step_images.values():
        display.note(f"image: {image.name}")
        images.build(image, engine, adapters.cache)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    names = {name: image.name for name, image in step_images.items()}
    used = {name: UsedImage(image, str(engine.inspect(image)["Id"])) for name, image in names.items()}
    write_images(store, RunPlace(folder.name, BUCKET, ""), used)
    jobs = ContainerJobs(names, folder, EngineContainers(engine), store, adapters.home)
    end_containers(engine, folder.path)
    return jobs.run_attempt


def _sif_images(
    folder: RunFolder, steps: Mapping[str, StepFolder], place: JobsPlace, adapters: Adapters, display: Display
) -> Mapping[str, str]:
    from genomics_pipeline.records.used_images import write_images
    from genomics_pipeline.runs.containers.apptainer import Apptainer
    from genomics_pipeline.runs.containers.sif_images import sif_images

    used = sif_images(steps, place.registry, Apptainer(adapters.environment), adapters.cache, display.note)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    write_images(store, RunPlace(folder.name, BUCKET, ""), used)
    return {name: image.file for name, image in used.items()}


def _in_apptainer(folder: RunFolder, images: Mapping[str, str], adapters: Adapters) -> RunAttempt:
    from genomics_pipeline.runs.containers.apptainer import Apptainer
    from genomics_pipeline.runs.containers.jobs import ContainerJobs

    store = adapters.store.with_buckets({BUCKET: folder.path})
    return ContainerJobs(images, folder, Apptainer(adapters.environment), store, adapters.home).run_attempt


def _injector(
    faults: Faults,
    run_attempt: RunAttempt,
    folder: RunFolder,
    steps: Mapping[str, StepFolder],
    adapters: Adapters,
    display: Display,
) -> Injector:
    """Return the injector of faults, after showing them.

    Args:
        faults: The faults.
        run_attempt: Runs an attempt without a fault.
        folder: The folder of the run.
        steps: The steps of the pipeline by name.
        adapters: The store that reads files, the environment and the cache.
        display: Shows each injected fault.
    """
    from genomics_pipeline.runs.faults.full_disk import FullDisk
    from genomics_pipeline.runs.faults.injector import Injector

    for line in str(faults).splitlines():
        display.note(line)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    full = WorkerJobs(steps, FullDisk.over(store), folder.scratch, adapters.cache, adapters.environment)
    return Injector(faults, run_attempt, full.run_attempt, folder, store, display.note)

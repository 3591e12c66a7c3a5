"""The functions of a run over records on this machine: in processes, in containers, or those of an emulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from genomics_pipeline.engine.tasks.lambda_functions import LambdaFunctions
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.json_text import loads
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.functions.api import ENDPOINT, FunctionsApi
from genomics_pipeline.runs.functions.environment import LocalFunction, StartEnvironment
from genomics_pipeline.runs.functions.pool import FunctionPool
from genomics_pipeline.runs.functions.process import ProcessEnvironment, prepare_environments
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.credentials import without_credentials
from genomics_pipeline.worker.step_folder import StepFolder

DEFAULT_NAMES = ResourceNames()
MOUNTED_FILES = 4000  # of a container, of 2,000 lanes: its command line is limited, to 2 MiB on Linux


def concurrency(pipeline: Pipeline, adapters: Adapters) -> int:
    """Return the number of children that run at a time: none waits for a function, which its time limit would count.

    Args:
        pipeline: The pipeline.
        adapters: What the user allows jobs to use of this machine, and the environment.
    """
    most = pipeline.maps[RECORD].max_concurrency
    resources = [stage.step.resources for stage in pipeline.record_stages]
    most = min(most, *(one.reserved_concurrency or most for one in resources))
    if adapters.environment.get(ENDPOINT):
        return most
    capacity = adapters.capacity()
    fitting = capacity.memory_mib // max(one.memory_mib for one in resources)
    return max(1, min(most, capacity.jobs or capacity.cores, capacity.cores, fitting))


@contextmanager
def local_functions(
    pipeline: Pipeline,
    steps: Mapping[str, StepFolder],
    folder: RunFolder,
    adapters: Adapters,
    display: Display,
    *,
    overrides: Mapping[str, Mapping[str, Value]],
    containers: bool,
    names: ResourceNames = DEFAULT_NAMES,
) -> Iterator[LambdaFunctions]:
    """Provide the functions of a run; their environments end with the context.

    Args:
        pipeline: The pipeline.
        steps: The steps of the pipeline.
        folder: The folder of the run.
        adapters: The environment, and the clients for an emulator.
        display: Shows the images, and the endpoint of an emulator.
        overrides: The parameters of the run.
        containers: Whether each environment is a container.
        names: The names of the functions in the definition.

    Raises:
        RunError: if there is no container engine, or an image cannot be built.
    """
    if endpoint := adapters.environment.get(ENDPOINT):
        display.note(f"functions: those of {endpoint} ({ENDPOINT})")
        yield FunctionsApi(adapters.clients)
        return
    functions = {name: LocalFunction(names.function(name), step) for name, step in steps.items()}
    values = [*pipeline.parameters.values(), *overrides.values()]
    if containers:
        from genomics_pipeline.runs.containers.function_containers import give_folders

        start = _in_containers(functions, folder, adapters, display, values)
        give_folders(folder.path, [stage.name for stage in pipeline.record_stages])
    else:
        start = _in_processes(folder, _variables(pipeline, overrides, adapters.environment))
    most = concurrency(pipeline, adapters)
    pool = FunctionPool({one.name: one for one in functions.values()}, start, most)
    try:
        yield pool
    finally:
        pool.close()


def prepare_functions(
    pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]], environment: Mapping[str, str]
) -> None:
    """Start what the environments of later runs are forked from, without waiting for it.

    Args:
        pipeline: The pipeline.
        overrides: The parameters of the runs.
        environment: The environment variables.
    """
    if not environment.get(ENDPOINT):
        with suppress(OSError):  # a run tries again
            prepare_environments(_variables(pipeline, overrides, environment))


def _variables(
    pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables of environments: credentials only where a parameter, or records, may name a file in S3.

    Args:
        pipeline: The pipeline.
        overrides: The parameters of the run.
        environment: The environment variables.
    """
    values = [*pipeline.parameters.values(), *overrides.values()]
    remote = any(str(value).startswith("s3://") for given in values for value in given.values())
    remote = remote or any(stage.step.reads_files for stage in pipeline.stages)
    return dict(environment) if remote else without_credentials(environment)


def _in_processes(folder: RunFolder, environment: Mapping[str, str]) -> StartEnvironment:
    numbers = count()

    def start(function: LocalFunction) -> ProcessEnvironment:
        name = function.step.spec.name
        scratch = folder.scratch / f"{name}-{next(numbers)}"
        buckets = {BUCKET: folder.path} if function.step.spec.writes_files else {}
        return ProcessEnvironment(function.step, environment, _log(folder, function), scratch, buckets)

    return start


def _in_containers(
    functions: Mapping[str, LocalFunction],
    folder: RunFolder,
    adapters: Adapters,
    display: Display,
    values: list[Mapping[str, Value]],
) -> StartEnvironment:
    """Return the start of environments in containers, with the files of parameters and of a sheet's lanes.

    Raises:
        RunError: if there is no container engine, or an image cannot be built; for too many files, and for an emulator
            that is named and not there.
    """
    from genomics_pipeline.runs.containers import images
    from genomics_pipeline.runs.containers.container_engine import ContainerEngine
    from genomics_pipeline.runs.containers.engine_containers import end_containers
    from genomics_pipeline.runs.containers.function_containers import FunctionContainers
    from genomics_pipeline.runs.functions.emulator import find_emulator

    emulator = find_emulator(adapters.environment)
    if emulator is not None:
        display.note(f"functions: in containers, called through {emulator}")
    engine, here = ContainerEngine(adapters.environment), images.this_architecture()
    built = {one.name: images.image(one.step, ResourceNames(), here) for one in functions.values()}
    for image in built.values():
        display.note(f"image: {image.name}")
        images.build(image, engine, adapters.cache)
    end_containers(engine, folder.path)
    make_folders(folder.path / run_layout.VERIFIED)  # which `mounts.of_run` mounts
    return FunctionContainers(
        engine,
        {name: image.name for name, image in built.items()},
        folder.path,
        [*map(dict, values), _files_of_records(folder, functions)],
        adapters.home,
        {one.name: _log(folder, one) for one in functions.values()},
        emulator,
    ).start


def _files_of_records(folder: RunFolder, functions: Mapping[str, LocalFunction]) -> list[str]:
    """Return the files of this machine that the records of the run name, if a function reads them.

    Raises:
        RunError: for more than a container can be given.
    """
    from genomics_pipeline.runs.containers.mounts import files_in

    file = folder.path / run_layout.RECORDS
    if not file.is_file() or not any(one.step.spec.reads_files for one in functions.values()):
        return []
    files = {str(path) for line in file.read_bytes().splitlines() for path in files_in(loads(line))}
    if len(files) > MOUNTED_FILES:
        expected = f"expected records of at most {MOUNTED_FILES:,} files, which are mounted one by one"
        raise RunError(f"--containers: {expected}, found {len(files):,}; run without it")
    return sorted(files)


def _log(folder: RunFolder, function: LocalFunction) -> Path:
    return folder.path / run_layout.function_log(function.step.spec.name)

"""The memory that the jobs of steps need on this machine, and the refusal of a machine that is too small."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path

from genomics_pipeline.engine.tasks.shares import LeastMemory
from genomics_pipeline.model.errors import Problem, RunError
from genomics_pipeline.model.local_memory import LocalMemory, ReferenceSize
from genomics_pipeline.model.step import StepSpec, with_indexes
from genomics_pipeline.model.task import PAYLOAD_VARIABLE
from genomics_pipeline.reference.size import reference_size
from genomics_pipeline.worker.machine import SHARE, Capacity
from genomics_pipeline.worker.step_folder import StepFolder

SizeOfReference = Callable[[tuple[str, ...]], ReferenceSize]  # by the names of its indexes


def least_memory(spec: StepSpec) -> Callable[[Mapping[str, str]], LeastMemory] | None:
    """Return a function from the environment of a step's job to the memory that it needs at least, by its cores.

    Returns:
        The function; None for a step that does not declare its memory.
    """
    declared = spec.local_memory
    if declared is None:
        return None

    def of_job(environment: Mapping[str, str]) -> LeastMemory:
        payload = json.loads(environment[PAYLOAD_VARIABLE])
        size = _size(str(payload["reference"]), reference_indexes(with_indexes(spec, payload.get("parameters", {}))))
        return lambda vcpus: declared.least_mib(vcpus, size)

    return of_job


def least_by_cores(spec: StepSpec, size_of: SizeOfReference) -> LeastMemory:
    """Return the memory that a job of a step needs at least, by its cores: what it declares, if it says no more.

    Args:
        spec: The step.
        size_of: See `refuse_too_small`.
    """
    declared = spec.local_memory
    if declared is None:
        return lambda _: spec.resources.memory_mib
    size = size_of(reference_indexes(spec))
    return lambda vcpus: declared.least_mib(vcpus, size)


def reference_indexes(spec: StepSpec) -> tuple[str, ...]:
    """Return the names of the indexes of the reference that a step declares, or that defaults of parameters name."""
    inputs = with_indexes(spec, {}).inputs.values()
    return tuple(name for one in inputs if one.type == "reference" for name in one.indexes)


@lru_cache(maxsize=64)
def _size(reference: str, indexes: tuple[str, ...]) -> ReferenceSize:
    """Return the size of a reference that is prepared; it no longer changes."""
    return ReferenceSize() if "://" in reference else reference_size(Path(reference), indexes)


def refuse_small_machine(steps: Mapping[str, StepFolder], reference: Path, capacity: Capacity) -> None:
    """Refuse a machine on which a step cannot run, not even alone and on one core.

    Args:
        steps: The steps.
        reference: The FASTA file; its indexes may still have to be built.
        capacity: The resources for jobs.

    Raises:
        RunError: with a problem for each such step.
    """
    refuse_too_small(steps, partial(reference_size, reference), capacity)


def refuse_too_small(steps: Mapping[str, StepFolder], size_of: SizeOfReference, capacity: Capacity) -> None:
    """Refuse a machine on which a step cannot run with a reference of a size; see `refuse_small_machine`.

    Args:
        steps: The steps.
        size_of: Returns the size of the reference with the indexes of these names.
        capacity: The resources for jobs.

    Raises:
        RunError: with a problem for each such step.
    """
    problems = []
    for folder in steps.values():
        declared, indexes = folder.spec.local_memory, reference_indexes(folder.spec)
        if declared is None:
            continue
        size = size_of(indexes)
        least = declared.least_mib(1, size)
        if least > capacity.memory_mib:
            problems.append(Problem(_message(folder.spec.name, least, size, declared, capacity)))
    if problems:
        raise RunError(problems)


def _message(step: str, least: int, size: ReferenceSize, declared: LocalMemory, capacity: Capacity) -> str:
    index_mib = int(size.index_bytes * declared.per_index_byte) >> 20
    index = f", of which {index_mib:,} MiB for the reference's index" if index_mib else ""
    total = f"--memory {least}MiB or more" if capacity.memory_from == "--memory" else _machine_words(least)
    return (
        f"this machine is too small: a job of step {step} needs {least:,} MiB{index}, found "
        f"{capacity.memory_mib:,} MiB for jobs ({capacity.memory_from}); what would fit: "
        f"{total}, a smaller reference, or AWS (`submit`)"
    )


def _machine_words(least_mib: int) -> str:
    return f"a machine or limit of {-(-int(least_mib / SHARE) // 1024)} GiB"


def concurrent_jobs(spec: StepSpec, reference: Path, capacity: Capacity) -> int:
    """Return how many jobs of a step fit into the memory together, on one core each and at most one for each core."""
    if spec.local_memory is None:
        least = spec.resources.memory_mib
    else:
        least = spec.local_memory.least_mib(1, reference_size(reference, reference_indexes(spec)))
    return max(1, min(capacity.cores, capacity.jobs or capacity.cores, capacity.memory_mib // least))

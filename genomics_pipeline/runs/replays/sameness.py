"""The parts of a replay that could not be the same as in the run."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.report.replay_outcome import NOT_HERE
from genomics_pipeline.runs.replays.images import ReplayImages
from genomics_pipeline.runs.replays.origin import ReplayOrigin
from genomics_pipeline.runs.replays.target import ReplayTarget
from genomics_pipeline.worker.machine import Capacity
from genomics_pipeline.worker.step_folder import StepFolder

SHORT = 12  # of a digest


def unlike_the_run(
    origin: ReplayOrigin,
    target: ReplayTarget,
    step: StepFolder,
    capacity: Capacity,
    images: ReplayImages | None = None,
) -> Iterator[str]:
    """Yield everything that cannot be the same as in the run, for people.

    Args:
        origin: The run.
        target: The task.
        step: Its step, of this installation.
        capacity: The cores and the memory of this machine.
        images: The images that the task runs in; None for processes.
    """
    yield from _program(target, step)
    yield from (f"definition: {problem}" for problem in origin.problems)
    if images is not None:
        yield from images.differences
    elif origin.in_containers:
        yield "image: the program of the step runs in this installation, with its libraries, not in the container"
    if origin.files.is_on_aws:
        yield f"host: this machine, not {target.instance_type or 'a host in AWS'}; its disk, not a share of the host's"
    if target.memory_mib and origin.files.is_on_aws and images is None:
        yield f"memory: each process may allocate {target.memory_mib:,} MiB, as much as the whole container had"
    if target.memory_mib > capacity.memory_mib:
        here = f"this machine has {capacity.memory_mib:,} MiB for jobs"
        yield f"memory: {here}, less than the {target.memory_mib:,} MiB that the task had"
    if target.vcpus > capacity.cores:
        yield f"cores: {capacity.cores}, not {target.vcpus}; the time limit is longer in proportion"
    if target.batch > 1:
        yield f"batch: this item alone, not the {target.batch} items of its batch"
    for fault in dict.fromkeys(one.fault for one in origin.injected if one[1:] == (target.stage, target.item)):
        yield f"fault: the run injected one into this task, which a replay does not: {fault}"
    if target.failure and (reason := NOT_HERE.get(target.failure.failure_class)):
        name = target.failure.failure_class.replace("_", " ")
        yield f"failure: {name} is not expected here: {reason}"


def _program(target: ReplayTarget, step: StepFolder) -> Iterator[str]:
    """Yield how the program of the step differs from the one that ran; or that this is not known."""
    here = f"{step.spec.name} {step.spec.version} ({step.digest[:SHORT]})"
    if target.record:
        then, version, program = target.record.step, target.record.provenance.version, target.record.provenance.program
    elif target.attempt and target.attempt.program:
        then, version, program = step.spec.name, target.attempt.version, target.attempt.program
    else:
        yield f"program: not known which one failed, nor its image; here it is {here}"
        return
    if program != step.digest:
        yield f"program: {here}, not {then} {version} ({program[:SHORT]})"

"""Earlier runs that a plan learns from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.planning.calibration import Calibration
from genomics_pipeline.planning.history.learned_model import LearnedModel
from genomics_pipeline.planning.history.machine_rates import MachineRates
from genomics_pipeline.planning.history.observation import (
    FORMAT,
    NO_OVERHEAD,
    AlignmentOverhead,
    Observation,
    share_of_reads,
)
from genomics_pipeline.records.machine_tasks import MachineTask
from genomics_pipeline.runs.run_files import RunFiles


def learn(
    runs: Iterable[RunFiles],
    steps: Iterable[StepSpec],
    calibration: Calibration,
    *,
    strictly: bool = True,
    here: Iterable[MachineTask] = (),
) -> LearnedModel:
    """Return a model of steps that is learned from runs, with calibrated rates of the steps that they did not run.

    Args:
        runs: The files of the runs.
        steps: The steps to estimate.
        calibration: The rates, and the sizes of alignments by format.
        strictly: Whether to refuse runs that had other versions of the steps.
        here: Tasks of earlier runs on this machine, which correct the rates, and stand for them where a step has none.

    Raises:
        DataError: for runs without records, and for steps of which all records are of other versions.
    """
    versions = {step.name: step.version for step in steps}
    all_found: list[Observation] = []
    problems: list[Problem] = []
    for files in runs:
        found = list(observations(files, calibration.formats, calibration.overheads))
        problems += _problems(files, found, versions if strictly else {})
        all_found += found
    if problems:
        raise DataError(problems)
    kept = list(here)
    all_found += [_observation(one, calibration.formats) for one in kept if one.step not in calibration.steps]
    rates = MachineRates(calibration, calibration.formats, kept) if kept else calibration
    return LearnedModel(all_found, versions, rates)


def _observation(task: MachineTask, formats: Mapping[str, float]) -> Observation:
    """Return the observation of a task of a step without rates.

    Args:
        task: The task.
        formats: See `observations`.
    """
    factor = formats.get(task.alignment_format, 1.0) if task.reads_alignments else 1.0
    return Observation(
        task.step,
        task.version,
        int(task.input_bytes / factor),
        task.vcpus,
        task.seconds,
        task.processor_seconds,
        task.peak_memory_mib,
        sum(task.outputs.values()),
        task.outputs,
    )


def observations(
    files: RunFiles, formats: Mapping[str, float], overheads: Mapping[str, Mapping[str, float]]
) -> Iterator[Observation]:
    """Yield an observation for each task of a run that has succeeded.

    Args:
        files: The files of the run.
        formats: The size of alignments by format, in that of the rates of a plan.
        overheads: The bytes of alignments that do not grow with their reads, by format.
    """
    factor = taken = 1.0
    overhead = NO_OVERHEAD
    for record in files.completions():
        if FORMAT in record.provenance.parameters:  # alignments are written before they are read
            written = str(record.provenance.parameters[FORMAT])
            factor, overhead = formats.get(written, 1.0), AlignmentOverhead(**overheads.get(written, {}))
        share = share_of_reads(record)
        taken = taken if share is None else share
        yield Observation.of(record, factor, taken, overhead)


def _problems(files: RunFiles, found: Iterable[Observation], versions: Mapping[str, str]) -> Iterator[Problem]:
    """Yield why a run tells nothing of a step that it ran."""
    of_step: dict[str, set[str]] = {}
    for one in found:
        of_step.setdefault(one.step, set()).add(one.version)
    if not of_step:
        yield Problem(f"--history {files.shown}: expected completion records of tasks, found none")
    for step, version in versions.items():
        if step in of_step and version not in of_step[step]:
            others = ", ".join(sorted(of_step[step]))
            yield Problem(
                f"--history {files.shown}: expected records of {step} {version}, found those of {others}, whose needs "
                "may differ; run a pilot with this version: `run --subsample`"
            )

"""The items of a run to plan: their sizes, from the files of a sample sheet or from the arguments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.pipeline import Stage
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.planning.calibration import Calibration
from genomics_pipeline.planning.history.observation import FORMAT
from genomics_pipeline.planning.limits import line_bytes
from genomics_pipeline.planning.recorded_tasks import RecordedTask, RecordedTasks
from genomics_pipeline.planning.workload import PlannedCohort
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.intervals import region_bases
from genomics_pipeline.runs.given_files import READERS, missing_reads
from genomics_pipeline.runs.intervals import intervals_text
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.plan_request import PlanRequest
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.stores.protocol import Store

GB = 10**9


def planned_cohort(
    request: PlanRequest,
    planned: RunInputs,
    sizes: Sequence[int],
    contigs: Sequence[Contig],
    model: Calibration,
    store: Store,
    history: Sequence[RunFiles] = (),
    *,
    on_aws: bool = True,
) -> PlannedCohort:
    """Return the items of a run.

    Args:
        request: The arguments.
        planned: The checked request.
        sizes: The sizes of the samples; see `sample_sizes`.
        contigs: The contigs of the reference.
        model: The rates, which say how large alignments of a format are.
        store: The store of the files.
        history: The files of earlier runs, whose sizes stand for those of the same tasks.
        on_aws: Whether the parameters that nobody sets are those on AWS, where alignments are CRAM.
    """
    with_reads = [one for one in planned.samples if one.gvcf is None]
    given = [] if with_reads and request.samples else [one for one in planned.samples if one.gvcf is not None]
    number = request.samples if request.samples and given else len(given)
    line = max(line_bytes(one.to_json()) for one in planned.samples)
    return PlannedCohort(
        sizes if with_reads else [],
        line,
        interval_bases(planned, contigs, store),
        sum(contig.length_bp for contig in contigs),
        _alignment_factor(planned, model, on_aws),
        number or 0,
        float(sum(sizes)) if given and not with_reads else _given_bytes(given, store),
        _recorded(request, planned, history, on_aws),
    )


def _recorded(request: PlanRequest, planned: RunInputs, history: Sequence[RunFiles], on_aws: bool) -> RecordedTasks:
    """Return the tasks of earlier runs that had the steps and parameters of a plan; none of runs that join others."""
    samples = [one.sample for one in planned.samples if one.gvcf is None]
    if request.samples is not None or not history or len(samples) < len(planned.samples):
        return RecordedTasks()
    stages = {one.name: one for one in planned.stages_that_run.stages}
    tasks: dict[str, dict[str, RecordedTask]] = {name: {} for name in stages}
    same = [list(run.items("sample")) == samples for run in history]
    found = ((is_same, one) for run, is_same in zip(history, same, strict=True) for one in run.completions())
    for is_same, record in found:
        stage, made_of = stages.get(record.stage), record.provenance
        if stage is None or (stage.scope != "sample" and not is_same):
            continue
        if (made_of.step, made_of.version) != (stage.step.name, stage.step.version):
            continue
        if dict(made_of.parameters) == resolve(stage.step.parameters, _values(planned, stage, on_aws)):
            sizes = {name: sum(file.size_bytes for file in one.files) for name, one in record.outputs.items()}
            tasks[stage.name][record.item] = RecordedTask(record.input_bytes, sizes)
    return RecordedTasks(tasks, samples)


def sample_sizes(request: PlanRequest, planned: RunInputs, store: Store) -> list[int]:
    """Return the sizes of the reads of each sample, or of the gVCFs where all samples have one.

    Raises:
        DataError: for files that cannot be read, with all problems.
    """
    size = None if request.gigabytes is None else int(request.gigabytes * GB)
    if request.samples is not None and size is not None:
        return [size] * request.samples
    sheet = without_secrets(request.manifest)
    aligned = [one for one in planned.samples if one.gvcf is None] or list(planned.samples)
    if size is not None:
        return [size] * len(aligned)
    problems = [problem for _, problem in missing_reads(planned.samples, sheet, store)]
    if problems:
        raise DataError(problems)

    def total(sample: Sample) -> int:
        files = [uri for lane in sample.lanes for _, uri in lane.files] or [sample.gvcf or ""]
        return sum(info.size_bytes for uri in files if (info := store.stat(uri)) is not None)

    with ThreadPoolExecutor(READERS) as readers:
        sizes = list(readers.map(total, aligned))
    unknown = [one.sample for one, found in zip(aligned, sizes, strict=True) if not found]
    if unknown:
        raise DataError(f"{sheet}: expected files whose size is known, found none of {unknown[0]}; give --gigabytes")
    return sizes


def _given_bytes(given: Sequence[Sample], store: Store) -> float:
    found = (store.stat(one.gvcf or "") for one in given)
    return float(sum(info.size_bytes for info in found if info is not None))


def interval_bases(planned: RunInputs, contigs: Sequence[Contig], store: Store) -> list[int]:
    """Return the length of each interval of a run.

    Args:
        planned: The run.
        contigs: The contigs of the reference.
        store: The store of files with targets.
    """
    intervals = [json.loads(line)["regions"] for line in intervals_text(planned, contigs, store).splitlines()]
    return [sum(map(region_bases, regions)) for regions in intervals]


def _alignment_factor(planned: RunInputs, model: Calibration, on_aws: bool) -> float:
    """Return the size of the run's alignments, in that of the calibrated format."""
    for stage in planned.stages_that_run.stages:
        if FORMAT in stage.step.parameters:
            values = resolve(stage.step.parameters, _values(planned, stage, on_aws))
            return model.formats.get(str(values[FORMAT]), 1.0)
    return 1.0


def _values(planned: RunInputs, stage: Stage, on_aws: bool) -> dict[str, Value]:
    """Return the parameters of a stage that differ from those of its step on machines of one's own."""
    values = {**planned.pipeline.parameters.get(stage.name, {}), **planned.overrides.get(stage.name, {})}
    specs = stage.step.parameters.items() if on_aws else ()
    return {name: spec.default_on_aws for name, spec in specs if spec.default_on_aws is not None} | values

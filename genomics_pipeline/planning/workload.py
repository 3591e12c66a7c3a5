"""The tasks of a run before it runs: their number, sizes and estimated needs, stage by stage."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from genomics_pipeline.asl.map_state import distributed_maps
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.first_attempt import FirstAttempt, ladder_above
from genomics_pipeline.model.pipeline import (
    EARLIER_PACKED,
    GIVEN_GVCFS,
    GVCF,
    READS,
    REFERENCE,
    MapSettings,
    Pipeline,
    Stage,
)
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.planning.history.observation import ALIGNMENT
from genomics_pipeline.planning.recorded_tasks import RecordedTask, RecordedTasks
from genomics_pipeline.planning.resource_model import ResourceModel, TaskEstimate, TaskFeatures, UnknownStep

UNSIZED = (REFERENCE, EARLIER_PACKED)  # a plan is of a run that joins no earlier one
OutputSizes = Mapping[str, Sequence[float]]  # of the items of a stage, by output; see also ALL and OTHERS
ALL, OTHERS = "", "*"  # all outputs together, and those that are not known by output
DISTINCT = 50  # sizes of samples that are estimated one by one; more are rounded to three digits


@dataclass(frozen=True, slots=True)
class PlannedCohort:
    """The items of a run.

    Attributes:
        sample_bytes: The size of the reads of each sample.
        sample_line_bytes: The size of the longest line of the manifest.
        interval_bases: The length of each interval.
        genome_bases: The length of the reference.
        alignment_factor: The size of alignments, in that of the calibrated format.
        given: The number of samples whose gVCF is given.
        given_bytes: The size of these gVCFs together.
        recorded: The tasks of earlier runs of the same samples.
        multiplier: The number of samples that each of `sample_bytes` stands for, for questions about larger cohorts.
    """

    sample_bytes: Sequence[int]
    sample_line_bytes: int
    interval_bases: Sequence[int]
    genome_bases: int
    alignment_factor: float = 1.0
    given: int = 0
    given_bytes: float = 0.0
    recorded: RecordedTasks = field(default_factory=RecordedTasks)
    multiplier: int = 1

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.sample_bytes) * self.multiplier + self.given


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks of a stage that have the same sizes.

    Attributes:
        tasks: The indexes of its children or batches.
        items: The number of items of each.
        features: The sizes of one item.
        estimate: The needs of one item.
        first_attempt: The first attempt that earlier runs suggest; None for the step's.
    """

    tasks: Sequence[int]
    items: Sequence[int]
    features: TaskFeatures
    estimate: TaskEstimate
    first_attempt: FirstAttempt | None = None

    def memory_ladder(self, step: StepSpec) -> tuple[int, ...]:
        """Return the memory of each attempt, in MiB."""
        ladder, own = step.resources.memory_ladder, self.first_attempt
        return ladder if own is None else ladder_above(own.memory_mib, ladder)


@dataclass(frozen=True, slots=True)
class StageWork:
    """The tasks of a stage.

    Attributes:
        stage: The stage.
        label: The Label of its Map; None for a stage of the cohort.
        groups: Its tasks.
        input_bytes: The size of all inputs.
        output_bytes: The size of all outputs.
    """

    stage: Stage
    label: str | None
    groups: Sequence[TaskGroup]
    input_bytes: float
    output_bytes: float

    @property
    def most_items(self) -> int:
        """The number of items of its largest job."""
        return max((max(group.items) for group in self.groups), default=1)

    @property
    def tasks(self) -> int:
        """The number of its tasks."""
        return sum(len(group.tasks) for group in self.groups)


@dataclass(frozen=True, slots=True)
class Workload:
    """The tasks of a run.

    Attributes:
        stages: The stages that run, in order.
        batches: The number of items of each child, by Label.
        scopes: ``sample`` or ``interval``, by Label.
        settings: The settings of each Map, by Label.
        map_runs: The Map Runs that divide its items among them, by Label.
    """

    stages: Sequence[StageWork]
    batches: Mapping[str, Sequence[int]]
    scopes: Mapping[str, str]
    settings: Mapping[str, MapSettings]
    map_runs: Mapping[str, int]

    @property
    def phases(self) -> Iterator[tuple[str, list[StageWork]]]:
        """The stages of each Map, with its Label, and each cohort stage, with its name, in order."""
        for label, group in groupby(self.stages, key=lambda one: one.label or one.stage.name):
            yield label, list(group)

    @property
    def intervals(self) -> int:
        """The number of intervals that its Maps run over."""
        return max((sum(self.batches[label]) for label, scope in self.scopes.items() if scope == "interval"), default=0)


def workload(
    pipeline: Pipeline, document: Mapping[str, Any], cohort: PlannedCohort, model: ResourceModel, parts: int = 0
) -> Workload:
    """Return the tasks of a run.

    Args:
        pipeline: The pipeline, with the stages that run.
        document: The document that `asl.generate` makes of it.
        cohort: The items.
        model: The source of estimates.
        parts: The number of parts of the manifest; see `ExecutionInput.parts`.

    Raises:
        DataError: for a step that the model knows nothing of.
    """
    labels = _labels(document)
    items = {"sample": len(cohort.sample_bytes), "interval": len(cohort.interval_bases)}
    scopes = {labels[one.name]: one.scope for one in pipeline.stages if one.name in labels}
    settings = {label: pipeline.maps[scope] for label, scope in scopes.items()}
    map_runs = {label: max(1, parts) if scope == "sample" else 1 for label, scope in scopes.items()}
    batches = {}
    for name, scope in scopes.items():
        divided = part_sizes(items[scope], map_runs[name])
        batches[name] = [size for part in divided for size in _batches(part, settings[name])]
    outputs: dict[str, OutputSizes] = {}
    of_same = cohort.recorded if cohort.multiplier == 1 else RecordedTasks()  # not of questions about larger cohorts
    recorded: dict[str, Sequence[RecordedTask | None]] = {}
    stages = []
    for stage in pipeline.stages:
        label = labels.get(stage.name)
        sizes = batches[label] if label else [1]
        lengths = cohort.sample_bytes, len(cohort.interval_bases)
        recorded[stage.name] = of_same.of_stage(pipeline, stage, *lengths, recorded)
        stages.append(_stage_work(pipeline, stage, label, sizes, cohort, model, outputs, recorded[stage.name]))
    return Workload(stages, batches, scopes, settings, map_runs)


def _labels(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the Label of the Map of each stage that is in one."""
    return {name: state["Label"] for state in distributed_maps(document) for name in state["ItemProcessor"]["States"]}


def part_sizes(items: int, parts: int) -> list[int]:
    """Return the number of items of each part of a manifest, each line of which belongs to the next part in turn.

    >>> part_sizes(5, 2)
    [3, 2]
    """
    return [len(range(number, items, parts)) for number in range(parts)]


def _batches(items: int, settings: MapSettings) -> list[int]:
    """Return the number of items of each child.

    Raises:
        DataError: for batches that are limited by bytes alone, whose number depends on the bytes of each item.
    """
    if not settings.is_batched:
        return [1] * items
    if (size := settings.items_per_batch) is None:
        raise DataError("maps: expected items_per_batch beside max_input_bytes_per_batch, found none; add it to plan")
    full, rest = divmod(items, size)
    return [size] * full + [rest] * (rest > 0)


def _stage_work(
    pipeline: Pipeline,
    stage: Stage,
    label: str | None,
    sizes: Sequence[int],
    cohort: PlannedCohort,
    model: ResourceModel,
    outputs: dict[str, OutputSizes],
    recorded: Sequence[RecordedTask | None],
) -> StageWork:
    """Return the tasks of a stage, and add the sizes of its outputs, by item, to `outputs`.

    Args:
        pipeline: The pipeline.
        stage: The stage.
        label: The Label of its Map.
        sizes: The number of items of each task.
        cohort: The items of the run.
        model: The source of estimates.
        outputs: The sizes of the outputs of earlier stages.
        recorded: The task of an earlier run for each item, whose sizes are exact; None for none.
    """
    keys, features = stage_features(pipeline, stage, cohort, outputs)
    known = {key: _estimate(model, stage, one) for key, one in features.items()}
    factor = cohort.alignment_factor if ALIGNMENT in stage.step.outputs else 1.0
    outputs[stage.name] = _with_others(_with_recorded(_known_sizes(keys, known), recorded, factor))
    groups = {key: (array("q"), array("q")) for key in features}  # of millions: a fifth of the memory of lists
    first = 0
    for index, size in enumerate(sizes):
        tasks, items = groups[keys[first]]
        tasks.append(index)
        items.append(size)
        first += size
    return StageWork(
        stage,
        label,
        [
            TaskGroup(tasks, items, features[key], known[key], model.first_attempt(stage.step, features[key]))
            for key, (tasks, items) in groups.items()
            if tasks
        ],
        float(
            sum(
                features[key].input_bytes if one is None else one.input_bytes
                for one, key in zip(recorded, keys, strict=True)
            )
        ),
        sum(
            size if one is None else one.output_bytes
            for one, size in zip(recorded, _in_format(outputs[stage.name], factor), strict=True)
        ),
    )


def _in_format(sizes: OutputSizes, factor: float) -> Iterator[float]:
    """Yield the size of all outputs of each item with alignments that are so many times as large."""
    alignments = sizes.get(ALIGNMENT, sizes[ALL])
    return (total + (factor - 1) * size for total, size in zip(sizes[ALL], alignments, strict=True))


def _with_recorded(sizes: OutputSizes, recorded: Sequence[RecordedTask | None], factor: float) -> OutputSizes:
    """Return the sizes of the outputs of a stage, those of recorded tasks in place of estimates.

    Args:
        sizes: The estimates.
        recorded: The recorded task for each item; None for none.
        factor: The size of alignments, in that of the calibrated format, in which sizes are estimated.
    """

    def size(one: RecordedTask | None, name: str, estimate: float) -> float:
        if one is None:
            return estimate
        own = one.outputs.get(name, 0) if name else one.output_bytes
        larger = one.outputs.get(ALIGNMENT, 0) * (1 - 1 / factor) if name in (ALL, ALIGNMENT) else 0
        return own - larger

    return {
        name: [size(one, name, estimate) for one, estimate in zip(recorded, column, strict=True)]
        for name, column in sizes.items()
    }


def output_sizes(keys: Sequence[int], known: Mapping[int, TaskEstimate]) -> OutputSizes:
    """Return the sizes of the outputs of a stage.

    Args:
        keys: The key of each item.
        known: The needs by key.
    """
    return _with_others(_known_sizes(keys, known))


def _known_sizes(keys: Sequence[int], known: Mapping[int, TaskEstimate]) -> OutputSizes:
    sizes_of = {key: {ALL: one.output_bytes.p50, **one.outputs} for key, one in known.items()}
    return {name: [sizes_of[key][name] for key in keys] for name in _names(sizes_of.values())}


def _with_others(sizes: OutputSizes) -> OutputSizes:
    """Return sizes by output with those of all other outputs together."""
    known = [column for name, column in sizes.items() if name != ALL]
    return {**sizes, OTHERS: [max(0.0, total - sum(each)) for total, *each in zip(sizes[ALL], *known, strict=True)]}


def _names(sizes: Iterable[Mapping[str, float]]) -> Iterable[str]:
    """Return the names of the outputs and ALL; that alone without items."""
    return next(iter(sizes), {ALL: 0.0})


def _estimate(model: ResourceModel, stage: Stage, features: TaskFeatures) -> TaskEstimate:
    try:
        return model.estimate(stage.step.name, features)
    except UnknownStep:
        expected = f"expected rates of the step {stage.step.name}"
        raise DataError(f"{expected}, found none; give a file with them: --calibration FILE.toml") from None


def stage_features(
    pipeline: Pipeline, stage: Stage, cohort: PlannedCohort, outputs: Mapping[str, OutputSizes]
) -> tuple[Sequence[int], dict[int, TaskFeatures]]:
    """Return a key for a stage's work on each of its items, and its sizes by key: items of one size share a key.

    Args:
        pipeline: The pipeline.
        stage: The stage.
        cohort: The items of the run.
        outputs: The sizes of the outputs of earlier stages, by item.
    """
    vcpus = stage.step.resources.vcpus
    sources = {name: source for name, source in stage.inputs.items() if source not in UNSIZED}
    if stage.scope == "sample":
        sizes = _rounded(_sample_bytes(sources.values(), cohort, outputs))
        return sizes, {size: TaskFeatures(size, cohort.genome_bases, 1, vcpus) for size in set(sizes)}
    scopes = {one.name: one.scope for one in pipeline.stages}
    samples = cohort.samples if pipeline.reads_all_samples(stage) else 1
    totals = {}
    for name, source in sources.items():
        made = scopes.get(_maker(source)) == "sample"
        given = cohort.given_bytes if made and source.partition(".")[2] == GVCF else 0.0
        totals[name] = _total(source, cohort, outputs) * (cohort.multiplier if made else 1) + given
    if stage.scope == "cohort":
        return [0], {0: TaskFeatures(int(sum(totals.values())), cohort.genome_bases, samples, vcpus)}
    features = {}
    for number, bases in enumerate(cohort.interval_bases):
        size = 0.0
        for name, source in sources.items():
            if scopes.get(_maker(source)) == "interval":
                size += _sizes(source, outputs)[number]
            else:
                size += totals[name] * (bases / cohort.genome_bases if stage.step.inputs[name].ranged else 1)
        features[number] = TaskFeatures(int(size), bases, samples, vcpus)
    return list(features), features


def _sample_bytes(sources: Iterable[str], cohort: PlannedCohort, outputs: Mapping[str, OutputSizes]) -> list[float]:
    """Return the size of each sample's inputs."""
    columns = (cohort.sample_bytes if source == READS else _sizes(source, outputs) for source in sources)
    once = {id(column): column for column in columns}  # several outputs whose sizes are known together only
    one_each = [column for column in once.values() if len(column) == len(cohort.sample_bytes)]
    return [float(sum(row)) for row in zip(*one_each, strict=True)] or [0.0] * len(cohort.sample_bytes)


def _maker(source: str) -> str:
    """Return the stage that makes a source."""
    return source.partition(".")[0]


def _total(source: str, cohort: PlannedCohort, outputs: Mapping[str, OutputSizes]) -> float:
    """Return the size of all files of a source."""
    if source == GIVEN_GVCFS:
        return cohort.given_bytes
    if source == READS:
        return float(sum(cohort.sample_bytes)) * cohort.multiplier
    return sum(_sizes(source, outputs))


def _sizes(source: str, outputs: Mapping[str, OutputSizes]) -> Sequence[float]:
    """Return the size of a source by item: where it is not known by output, that of all such outputs of its stage."""
    stage, _, output = source.partition(".")
    return outputs[stage].get(output, outputs[stage][OTHERS])


def _rounded(sizes: Sequence[float]) -> list[int]:
    """Return sizes as integers, of many different ones the first three digits."""
    if len(set(sizes)) <= DISTINCT:
        return [int(size) for size in sizes]
    return [int(float(f"{size:.3g}")) for size in sizes]

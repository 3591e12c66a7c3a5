"""Pipelines: stages over samples, intervals and the cohort, declared in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from genomics_pipeline.model import quotas
from genomics_pipeline.model.metric_bounds import StageBounds, with_bounds
from genomics_pipeline.model.parameters import Value, lacking_values
from genomics_pipeline.model.record_source import JSON_LINES, RecordSource
from genomics_pipeline.model.step import GATHER, RECORD, StepSpec

READS = "sample.reads"
REFERENCE = "reference"
GVCF = "gvcf"  # the output in whose place a sample's gVCF may be given
GIVEN_GVCFS = "sample.gvcf"  # the source of an input that takes all gVCFs that a run was given
PACKED = "packed"  # the output in which a stage packs what its gVCFs say of an interval
EARLIER_PACKED = f"earlier.{PACKED}"  # the source of an input that takes that output of earlier runs
OF_RUN = (READS, GIVEN_GVCFS, EARLIER_PACKED, REFERENCE)  # sources that no stage makes
ITEM_FILES = "item.files"  # the source of an input when a single step is run: the item names its files


@dataclass(frozen=True, slots=True)
class MapSettings:
    """Settings of a Distributed Map.

    Attributes:
        max_concurrency: Child executions at the same time, at most `quotas.MAP_RUN_CONCURRENCY`.
        tolerated_failure_percentage: Failed items of a Map Run, in percent of all, that do not fail it.
        tolerated_failure_count: Failed items of a Map Run that do not fail it; None for no limit.
        tolerated_failure_percentage_of_many: The count is this share of the items, in percent, where that is more. Used
            by maps over samples only.
        items_per_batch: Items of a child execution; None with `max_input_bytes_per_batch` also None for one item.
        max_input_bytes_per_batch: Bytes of a child execution's items.
        map_runs: The Map Runs among which the items are divided, where there are as many items; the other settings
            are those of each. Used by maps over samples and records only.
        interval_size_bp: Approximate length of an interval in bases; used by the map over intervals only.
        source: The form of the objects that hold the items; used by the map over records only.
    """

    max_concurrency: int = 1000
    tolerated_failure_percentage: float = 0
    tolerated_failure_count: int | None = None
    tolerated_failure_percentage_of_many: float = 0
    items_per_batch: int | None = None
    max_input_bytes_per_batch: int | None = None
    map_runs: int = 1
    interval_size_bp: int = 5_000_000
    source: RecordSource = JSON_LINES

    @property
    def is_batched(self) -> bool:
        """Return whether a child execution has a batch of items instead of one."""
        return self.items_per_batch is not None or self.max_input_bytes_per_batch is not None

    def parts(self, items: int) -> int:
        """Return the number of parts of a manifest, each for a Map Run; 0 where the definition has only one Map Run.

        >>> MapSettings().parts(5), MapSettings(map_runs=4).parts(3)
        (0, 3)
        """
        return min(self.map_runs, max(1, items)) if self.map_runs > 1 else 0

    def tolerance(self, items: int = 0) -> dict[str, float]:
        """Return both limits; exceeding either fails the Map Run, and a limit that is not set has its greatest value.

        Half of a large cohort would be days of work in vain, after one wrong parameter; half of a small one is not. So
        the count may grow with the items, by a percentage that is smaller.

        >>> MapSettings(tolerated_failure_count=3).tolerance(), MapSettings(tolerated_failure_percentage=5).tolerance()
        ({'percentage': 100, 'count': 3}, {'percentage': 5, 'count': 100000000})
        >>> [DEFAULT_OF_SAMPLES.tolerance(items) for items in (3, 100_000)]
        [{'percentage': 50, 'count': 100}, {'percentage': 50, 'count': 1000}]
        """
        count, percentage = self.tolerated_failure_count, self.tolerated_failure_percentage
        of_many = self.tolerated_failure_percentage_of_many
        if count is None and not of_many:
            return {"percentage": percentage, "count": quotas.MAP_RUN_ITEMS.value}
        return {"percentage": percentage or 100, "count": max(count or 0, int(round(of_many * items, 6) // 100))}


DEFAULT_OF_SAMPLES = MapSettings(
    tolerated_failure_percentage=50, tolerated_failure_count=100, tolerated_failure_percentage_of_many=1
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline: a step with its scope, inputs and publication.

    Attributes:
        name: The stage's name, unique in the pipeline.
        step: The step that runs.
        scope: ``sample``, ``interval`` or ``cohort``; the step runs once for each item of the scope. Or ``record``, and
            ``gather`` for a stage over the results of all records.
        inputs: Input name -> ``sample.reads``, ``sample.gvcf``, ``earlier.packed``, ``reference`` or
            ``<stage>.<output>``; of a stage over records or their results ``records`` or ``<stage>.result``.
        publish: Output name -> folder below ``results/``.
        intermediate: The outputs are only for later stages; on AWS they expire.
        when: The parameters of which at least one must have a value for the stage to run; none for every run.
    """

    name: str
    step: StepSpec
    scope: str
    inputs: Mapping[str, str]
    publish: Mapping[str, str]
    intermediate: bool = False
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline: stages in order.

    Stages of scope sample or interval that follow each other share a Distributed Map; a cohort stage is a Task.

    Attributes:
        name: The pipeline's name.
        summary: What it does, in a sentence.
        maps: The settings of its maps by scope.
        stages: The stages in order.
        parameters: The parameters of stages that it sets, by stage and name.
        germline: Its calls assume a person's own genome, so that tumours are refused.
        is_shipped: Its file is one of this package, which its tests have compared with the schema and AWS's limits.
    """

    name: str
    summary: str
    maps: Mapping[str, MapSettings]
    stages: tuple[Stage, ...]
    parameters: Mapping[str, Mapping[str, Value]]
    germline: bool = False
    is_shipped: bool = False

    def optional_stages(self, overrides: Mapping[str, Mapping[str, Value]]) -> tuple[str, ...]:
        """Return the names of the optional stages that a run has, by its parameters.

        Args:
            overrides: The parameters of the run by stage and name, which precede those of the pipeline.
        """

        def has_value(stage: Stage, name: str) -> bool:
            values = {**self.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
            return values.get(name, stage.step.parameters[name].default) is not None

        return tuple(one.name for one in self.stages if any(has_value(one, name) for name in one.when))

    def of_run(self, overrides: Mapping[str, Mapping[str, Value]]) -> Pipeline:
        """Return the pipeline without the optional stages that a run with these parameters leaves out."""
        chosen = self.optional_stages(overrides)
        return replace(self, stages=tuple(one for one in self.stages if not one.when or one.name in chosen))

    def lacking_values(self, overrides: Mapping[str, Mapping[str, Value]]) -> list[str]:
        """Return a message for each required parameter without a value, of the stages that a run has.

        Args:
            overrides: The parameters of the run by stage and name, which precede those of the pipeline.
        """
        return [
            message
            for stage in self.of_run(overrides).stages
            for message in lacking_values(
                stage.step.parameters,
                {**self.parameters.get(stage.name, {}), **overrides.get(stage.name, {})},
                stage.name,
            )
        ]

    def with_bounds(self, bounds: StageBounds) -> Pipeline:
        """Return the pipeline with these bounds of metrics in place of those that it has."""
        stages = (replace(one, step=with_bounds(one.step, bounds.get(one.name, {}))) for one in self.stages)
        return replace(self, stages=tuple(stages))

    def gather_sources(self, stage: Stage) -> tuple[str, ...]:
        """Return the earlier stages whose outputs of all items the stage takes as one list."""
        scopes = {earlier.name: earlier.scope for earlier in self.stages}
        sources = (source.partition(".")[0] for source in stage.inputs.values() if source not in OF_RUN)
        return tuple(dict.fromkeys(name for name in sources if scopes[name] not in (stage.scope, "cohort")))

    def reads_all_samples(self, stage: Stage) -> bool:
        """Return whether a stage over intervals or the cohort reads what there is of each sample."""
        scopes = {one.name: one.scope for one in self.stages}
        sources = stage.inputs.values() if stage.scope != "sample" else ()
        return any(one == GIVEN_GVCFS or scopes.get(one.partition(".")[0]) == "sample" for one in sources)

    @property
    def memory_ladders(self) -> dict[str, tuple[int, ...]]:
        """The memory ladder of each stage's step."""
        return {stage.name: stage.step.resources.memory_ladder for stage in self.stages}

    @property
    def over_records(self) -> bool:
        """True if its stages are over records, in place of samples, intervals and the cohort."""
        return self.stages[0].scope == RECORD

    @property
    def record_stages(self) -> tuple[Stage, ...]:
        """The stages over records."""
        return tuple(stage for stage in self.stages if stage.scope == RECORD)

    @property
    def gather_stage(self) -> Stage | None:
        """The stage over the results of all records; None where there is none."""
        return next((stage for stage in self.stages if stage.scope == GATHER), None)

    @property
    def takes_reads(self) -> bool:
        """True if a stage takes the reads of samples."""
        return any(READS in stage.inputs.values() for stage in self.stages)

    @property
    def takes_gvcfs_only(self) -> bool:
        """True if a stage takes the gVCFs that a run was given, and none takes reads."""
        return not self.takes_reads and any(GIVEN_GVCFS in stage.inputs.values() for stage in self.stages)

    @property
    def joins_gvcfs(self) -> bool:
        """True if a stage takes given gVCFs, or gathers an output named ``gvcf``, in whose place they may be given."""
        return any(
            source == GIVEN_GVCFS
            or (source.partition(".")[2] == GVCF and source.partition(".")[0] in self.gather_sources(stage))
            for stage in self.stages
            for source in stage.inputs.values()
        )

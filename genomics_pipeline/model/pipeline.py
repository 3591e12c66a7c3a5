"""Pipelines: stages over samples, intervals and the cohort, declared in a TOML file."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genomics_pipeline.model import quotas
from genomics_pipeline.model.declared_file import DeclaredFile
from genomics_pipeline.model.errors import DataError, Problem, did_you_mean
from genomics_pipeline.model.metric_bounds import StageBounds, bounds_problems, declared_bounds, with_bounds
from genomics_pipeline.model.parameters import Value, lacking_values, override_problems, settled_values
from genomics_pipeline.model.publication import overwrite_problems, publish_folders, publish_problems
from genomics_pipeline.model.record_source import JSON_LINES, RecordSource, record_source
from genomics_pipeline.model.record_stages import record_problems, record_source_misfit
from genomics_pipeline.model.step import (
    METRICS,
    RECORD,
    RECORDS,
    REGION_INDEXES,
    RESULT,
    InputSpec,
    OutputSpec,
    StepSpec,
)
from genomics_pipeline.model.toml_file import TomlFile

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
_TOLERATED = "tolerated_failure_"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline: a step with its scope, inputs and publication.

    Attributes:
        name: The stage's name, unique in the pipeline.
        step: The step that runs.
        scope: ``sample``, ``interval`` or ``cohort``; the step runs once for each item of the scope. Or ``record``.
        inputs: Input name -> ``sample.reads``, ``sample.gvcf``, ``earlier.packed``, ``reference`` or
            ``<stage>.<output>``; of a stage over records ``records`` or ``<stage>.result``.
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

    @property
    def memory_ladders(self) -> dict[str, tuple[int, ...]]:
        """The memory ladder of each stage's step."""
        return {stage.name: stage.step.resources.memory_ladder for stage in self.stages}

    @property
    def over_records(self) -> bool:
        """True if its stages are over records, in place of samples, intervals and the cohort."""
        return self.stages[0].scope == RECORD

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


def parse_pipeline(text: str, *, file: str, load_step: Callable[[str], StepSpec], is_shipped: bool = False) -> Pipeline:
    """Return the pipeline that a TOML file declares.

    Args:
        text: The file's text.
        file: Its name, for messages; paths in parameters are relative to its folder.
        load_step: Returns the step with the name or path that a stage gives.
        is_shipped: See `Pipeline`.

    Raises:
        DataError: with all problems of the file and of its steps' files, in source order.
    """
    toml = TomlFile(text, file=file, schema=None if is_shipped else "pipeline")
    steps, problems = _load_steps(toml, load_step)
    stages: list[Stage] = []
    unknown: set[str] = set()
    for number, raw in enumerate(toml.data["stages"]):
        if number in steps:
            step, intermediate, when = steps[number], raw.get("intermediate", False), tuple(raw.get("when", ()))
            misfits = list(bounds_problems(toml, ("stages", number, METRICS), raw.get(METRICS, {}), step))
            problems += misfits
            step = step if misfits else with_bounds(step, declared_bounds(raw.get(METRICS, {})))
            folders = publish_folders(raw.get("publish", {}), step)
            stage = Stage(raw["name"], step, raw["scope"], raw["inputs"], folders, intermediate, when)
            problems += _stage_problems(toml, number, stage, stages, unknown)
            stages.append(stage)
        else:
            unknown.add(raw["name"])
    problems += record_problems(toml, stages)
    known = {stage.name: stage.step for stage in stages}
    parameters = toml.data.get("parameters", {})
    if len(steps) == len(toml.data["stages"]):
        problems += parameter_problems(toml, ("parameters",), parameters, known)
    toml.refuse(problems)
    return Pipeline(
        name=toml.data["name"],
        summary=toml.data["summary"],
        maps=_maps(toml.data.get("maps", {})),
        stages=tuple(stages),
        parameters={
            name: settled_values(known[name].parameters, values, posixpath.dirname(file))
            for name, values in parameters.items()
        },
        germline=toml.data.get("germline", False),
        is_shipped=is_shipped,
    )


def _load_steps(toml: TomlFile, load_step: Callable[[str], StepSpec]) -> tuple[dict[int, StepSpec], list[Problem]]:
    steps: dict[int, StepSpec] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(toml.data["stages"]):
        try:
            steps[number] = load_step(raw["step"])
        except DataError as error:
            if all(problem.file is None for problem in error.problems):
                problems += [toml.problem(("stages", number, "step"), problem.message) for problem in error.problems]
            else:
                problems += error.problems
    return steps, problems


def _maps(raw: Mapping[str, Any]) -> dict[str, MapSettings]:
    """Return the settings by scope; a file that sets a tolerance of samples has no other limit than that."""
    sample = raw.get("sample", {})
    of_samples = MapSettings() if any(name.startswith(_TOLERATED) for name in sample) else DEFAULT_OF_SAMPLES
    maps = {"sample": replace(of_samples, **sample), "interval": replace(MapSettings(), **raw.get("interval", {}))}
    if RECORD in raw:
        source = record_source(raw[RECORD]["source"])
        maps[RECORD] = replace(MapSettings(), **{**raw[RECORD], "source": source})
    return maps


def _stage_problems(
    toml: TomlFile, number: int, stage: Stage, earlier: list[Stage], unknown: Collection[str]
) -> Iterator[Problem]:
    """Yield the problems of one stage; outputs of stages whose step is unknown are not checked."""
    path = ("stages", number)
    if stage.name in [other.name for other in earlier]:
        yield toml.problem((*path, "name"), f"expected a unique name, found {stage.name!r} a second time")
    for name in stage.inputs:
        if name not in stage.step.inputs:
            hint = did_you_mean(name, list(stage.step.inputs))
            yield toml.problem((*path, "inputs"), f"unknown input {name!r} of step {stage.step.name}; {hint}")
    for name, spec in stage.step.inputs.items():
        if name not in stage.inputs:
            if spec.optional:
                continue
            yield toml.problem((*path, "inputs"), f"expected a source for the input {name!r}, found none")
        elif stage.inputs[name].partition(".")[0] in unknown:
            continue
        elif message := _source_misfit(spec, stage, earlier):
            yield toml.problem((*path, "inputs"), f"{name}: {message}")
    yield from _when_problems(toml, number, stage)
    if stage.scope == RECORD:
        return
    if "publish" not in toml.data["stages"][number]:
        yield toml.problem(path, "expected the key 'publish', found none")
    yield from publish_problems(toml, number, stage)
    yield from overwrite_problems(toml, number, stage, earlier)


def _when_problems(toml: TomlFile, number: int, stage: Stage) -> Iterator[Problem]:
    path = ("stages", number, "when")
    if stage.when and stage.scope != "cohort":
        yield toml.problem(path, f"expected a stage of scope cohort, which alone may be left out; found {stage.scope}")
    for name in stage.when:
        if name not in stage.step.parameters:
            hint = did_you_mean(name, list(stage.step.parameters))
            yield toml.problem(path, f"unknown parameter {name!r} of step {stage.step.name}; {hint}")


_PACKED_MISFIT = (
    f'expected an input of type "files" in a stage of scope interval for "{EARLIER_PACKED}", '
    'found type "{}" in scope {}'
)
_GVCFS_MISFIT = (
    f'expected an input of type "files" in a stage of scope interval or cohort for "{GIVEN_GVCFS}", '
    'found type "{}" in scope {}'
)


def _source_misfit(spec: InputSpec, stage: Stage, earlier: list[Stage]) -> str | None:
    """Return what is wrong with the source of one input, or None."""
    source = stage.inputs[spec.name]
    if spec.type in (RECORDS, RESULT):
        return record_source_misfit(spec, stage, earlier)
    if spec.type == "reads":
        wrong = source != READS or stage.scope != "sample"
        return (
            f'expected "{READS}" in a stage of scope sample, found {source!r} in scope {stage.scope}' if wrong else None
        )
    if spec.type == "reference":
        return None if source == REFERENCE else f'expected "{REFERENCE}", found {source!r}'
    if source == EARLIER_PACKED:
        taken = spec.type == "files" and stage.scope == "interval"
        return None if taken else _PACKED_MISFIT.format(spec.type, stage.scope)
    if source == GIVEN_GVCFS:
        taken = spec.type == "files" and stage.scope != "sample"
        return None if taken else _GVCFS_MISFIT.format(spec.type, stage.scope)
    outputs = {f"{other.name}.{output}": other for other in earlier for output in other.step.outputs}
    if source not in outputs:
        return f"expected an output of an earlier stage, found {source!r}; {did_you_mean(source, list(outputs))}"
    if outputs[source].when:
        return f"expected an output of a stage of every run, found {source!r}, whose stage may be left out"
    output = outputs[source].step.outputs[source.partition(".")[2]]
    if output.optional:
        return f"expected an output that is always written, found {source!r}, which is optional"
    if spec.ranged and (message := _ranged_misfit(stage, source, output)):
        return message
    one = outputs[source].scope in (stage.scope, "cohort")
    if spec.type == "file" and not one:
        return (
            f"expected one file, found {source!r}, which has one for each {outputs[source].scope}; "
            f'the step must declare the input as type "files"'
        )
    return None


def _ranged_misfit(stage: Stage, source: str, output: OutputSpec) -> str | None:
    """Return what is wrong with the source of a ranged input, or None."""
    if stage.scope != "interval":
        return f"expected a stage of scope interval, since the input is ranged; found scope {stage.scope}"
    if not output.indexes or set(output.indexes) - set(REGION_INDEXES):
        expected = f"expected an output with indexes of {' or '.join(REGION_INDEXES)}, since the input is ranged"
        return f"{expected}; found {source!r} with {', '.join(output.indexes) or 'none'}"
    return None


def parameter_problems(
    declared: DeclaredFile,
    above: Sequence[str],
    parameters: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, StepSpec],
) -> Iterator[Problem]:
    """Yield the problems of values of parameters in a file.

    Args:
        declared: The file.
        above: The path of the table of stages in it.
        parameters: The values by stage and name.
        known: The steps by stage.
    """
    for stage, values in parameters.items():
        if stage not in known:
            hint = did_you_mean(stage, list(known))
            yield declared.problem((*above, stage), f"unknown stage {stage!r}; {hint}")
            continue
        for name, message in override_problems(known[stage].parameters, values):
            yield declared.problem((*above, stage, name), message)

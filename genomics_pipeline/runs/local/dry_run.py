"""`run --dry-run`: what a run would run and what it would reuse, found by the review that decides it in the run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.manifest import manifest_lines
from genomics_pipeline.model.parameters import resolve
from genomics_pipeline.model.pipeline import EARLIER_PACKED, GIVEN_GVCFS, OF_RUN, REFERENCE, Stage
from genomics_pipeline.model.provenance import Difference, DifferenceKind, count_difference
from genomics_pipeline.model.task import RunPlace, TaskPayload, item_id
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.records.given_gvcfs import GivenGvcf
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.prepare import is_prepared, prepare
from genomics_pipeline.report.planned_tasks import PlannedTask, Verdict
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.given_files import parameter_files
from genomics_pipeline.runs.intervals import intervals_text
from genomics_pipeline.runs.local.checks import check_contents, check_given, check_request
from genomics_pipeline.runs.local.fit import reference_indexes
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.reference_indexes import choose_indexes, local_obstacle, stage_steps
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.find_input import Sources, find_inputs
from genomics_pipeline.worker.review import review
from genomics_pipeline.worker.upstream import GatheredItems


def dry_run(request: LocalRunRequest, adapters: Adapters, display: Display) -> list[PlannedTask]:
    """Return the tasks of a run in order, each with what the run would do; nothing is written to its folder.

    Args:
        request: The arguments of the run.
        adapters: The store that reads files, and the cache.
        display: Shows warnings.

    Raises:
        UsageError: see `plan`.
        DataError: see `plan`; also for files that do not fit the reference.
    """
    folder = RunFolder(request.out)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    planned, _ = check_request(request, folder, store, display)
    if folder.path.is_dir() and folder.holder() is not None:
        display.note("another process runs in the folder: what it does from now on is not looked at")
    reference: Path | None = None
    is_indexed = False
    if is_prepared(request.reference, (), store, adapters.cache):
        obstacle = local_obstacle(request.reference, store, adapters, adapters.capacity(), display.note)
        planned = choose_indexes(planned, obstacle, display.note)
        steps = stage_steps(planned.stages_that_run, planned.steps, planned.overrides)
        indexes = sorted({index for step in steps.values() for index in reference_indexes(step.spec)})
        is_indexed = is_prepared(request.reference, indexes, store, adapters.cache)
        reference = prepare(request.reference, indexes if is_indexed else (), store, adapters.cache, display.note)
        given, names = parameter_files(planned.pipeline, planned.overrides), [one.sample for one in planned.samples]
        check_contents(given, names, request.truth, reference, store)
        check_given(planned, request.manifest, reference, store, display)
    if not is_indexed:
        unknown = "" if reference else "; its intervals are not known yet"
        display.note(f"reference: {request.reference} has to be indexed first{unknown}")
    return list(_Forecast(planned, folder, store, adapters.cache, reference, is_indexed).tasks())


@dataclass(frozen=True, slots=True)
class _Forecast:
    """The tasks of a run, as its files are now.

    Attributes:
        plan: The plan of the run.
        folder: The folder of the run, which need not exist.
        store: The store of the files.
        cache: The user's cache folder.
        reference: The FASTA file with its `.fai`; None if there is none yet.
        is_indexed: Whether it has all indexes, so that it is known which copy of it the run uses.
        verdicts: The verdicts so far, by stage and item.
    """

    plan: RunInputs
    folder: RunFolder
    store: Store
    cache: Path
    reference: Path | None
    is_indexed: bool
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)

    def tasks(self) -> Iterator[PlannedTask]:
        """Yield each stage over each of its items."""
        items: Mapping[str, Sequence[Mapping[str, Any]]] = {
            "sample": [json.loads(line) for line in manifest_lines(self.plan.samples)],
            "interval": self._intervals(),
            COHORT: [{COHORT: COHORT}],
        }
        for stage in self.plan.stages_that_run.stages:
            verdicts = self.verdicts.setdefault(stage.name, {})
            for item in items[stage.scope]:
                task = self._task(stage, item)
                verdicts[task.item] = task.verdict
                yield task

    def _intervals(self) -> list[Mapping[str, Any]]:
        if self.reference is None:
            return []
        text = intervals_text(self.plan, read_contigs(self.reference), self.store)
        return [json.loads(line) for line in text.splitlines()]

    def _task(self, stage: Stage, item: Mapping[str, Any]) -> PlannedTask:
        name = item_id(item)
        sources = {source: self._verdicts_of(stage, source, name) for source in source_stages(stage)}
        gathered = self.plan.pipeline.gather_sources(stage)
        for source, verdicts in sources.items():
            if source not in gathered and Verdict.FAILS in verdicts:
                return PlannedTask(stage.name, name, Verdict.FAILS, error=f"{source} fails")
        makers = tuple(source for source, verdicts in sources.items() if set(verdicts) - {Verdict.REUSED})
        done = read_completion(self.store, self._place, stage.name, name)
        if done is None:
            reason = Difference(DifferenceKind.RECORD)
            return PlannedTask(stage.name, name, Verdict.RUNS, (reason,), notes=self._packed_notes(stage, item))
        try:
            reasons = self._reasons(stage, item, makers)
        except PipelineError as error:
            return PlannedTask(stage.name, name, Verdict.FAILS, error=str(error.problems[0]))
        if sure := (*reasons, *self._other_counts(stage, done, makers)):
            return PlannedTask(stage.name, name, Verdict.RUNS, sure, notes=self._packed_notes(stage, item))
        is_open = makers or not (self.is_indexed or REFERENCE not in stage.inputs.values())
        return PlannedTask(stage.name, name, Verdict.DEPENDS if is_open else Verdict.REUSED, makers=makers)

    def _verdicts_of(self, stage: Stage, source: str, item: str) -> Collection[Verdict]:
        """Return the verdicts of the items of an earlier stage that a task takes outputs of."""
        verdicts = self.verdicts[source]
        if source in self.plan.pipeline.gather_sources(stage):
            return verdicts.values()
        return [verdicts[item] if item in verdicts else verdicts[COHORT]]

    def _reasons(self, stage: Stage, item: Mapping[str, Any], makers: Collection[str]) -> list[Difference]:
        """Return the reasons of the worker's own review, without those of outputs that are made anew.

        Args:
            stage: The stage.
            item: The item.
            makers: The earlier stages that run.

        Raises:
            DataError: for an input that cannot be read.
        """
        payload = self._payload(stage, item)
        parameters = resolve(stage.step.parameters, payload.parameters)
        made = {name for name in stage.inputs if source_stage(stage, name) in makers}
        made |= {spec.packed_in for name, spec in stage.step.inputs.items() if name in made and spec.packed_in}
        if not self.is_indexed:
            made |= {name for name, source in stage.inputs.items() if source == REFERENCE}
        inputs = find_inputs(payload, stage.step, item, parameters, self.store, self.cache, self._sources, made)
        reasons = review(payload, self.plan.steps[stage.step.name], self.store, item, parameters, inputs).reasons
        return [one for one in reasons if not (one.kind is DifferenceKind.INPUT and one.name in made)]

    def _packed_notes(self, stage: Stage, item: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a task would not read of the given gVCFs, since earlier runs packed it."""
        step = stage.step
        gvcfs = next((one for one in step.inputs.values() if stage.inputs.get(one.packed_in) == EARLIER_PACKED), None)
        if gvcfs is None or not self.is_indexed or not self.plan.earlier.intervals:
            return ()
        payload = replace(self._payload(stage, item), inputs={**stage.inputs, gvcfs.name: GIVEN_GVCFS})
        others = [name for name in step.inputs if name not in (gvcfs.name, REFERENCE)]
        parameters = resolve(step.parameters, payload.parameters)
        try:
            found = find_inputs(payload, step, item, parameters, self.store, self.cache, self._sources, others)
        except PipelineError as error:
            return (str(error.problems[0]),)
        return next(one.notes for one in found if one.spec.name == gvcfs.name)

    @property
    def _sources(self) -> Sources:
        return Sources(self._gathered, self._given, lambda *_: self.plan.earlier)

    def _given(self, store: Store, run: RunPlace) -> list[GivenGvcf]:
        """Return the gVCFs of the request, which are not written yet."""
        return [GivenGvcf(one.sample, one.gvcf) for one in self.plan.samples if one.gvcf is not None]

    def _other_counts(self, stage: Stage, done: CompletionRecord, makers: Collection[str]) -> Iterator[Difference]:
        """Yield a difference for each gathered input that will have another number of files, if all tasks succeed."""
        for name in stage.inputs:
            source = source_stage(stage, name)
            if source in makers and source in self.plan.pipeline.gather_sources(stage):
                before = done.provenance.inputs.get(name)
                count = len(self._gathered(self.store, self._place, source, ()).done)
                if before is not None and before.count != count:
                    yield count_difference(name, before.count, count)

    def _gathered(self, _store: Store, _run: RunPlace, stage: str, _map_runs: object) -> GatheredItems:
        """Return the items of an earlier stage that a later one will gather, if all that do not fail now succeed."""
        verdicts = self.verdicts[stage]
        fails = {name: verdict is Verdict.FAILS for name, verdict in verdicts.items()}
        done, missing = (tuple(name for name in fails if fails[name] is failed) for failed in (False, True))
        scope = next(one.scope for one in self.plan.pipeline.stages if one.name == stage)
        return GatheredItems(done, missing, scope)

    def _payload(self, stage: Stage, item: Mapping[str, Any]) -> TaskPayload:
        """Return the payload that the definition gives to the task, but for the results of earlier Map Runs."""
        pipeline = self.plan.pipeline
        return TaskPayload(
            stage=stage.name,
            step=stage.step.name,
            scope=stage.scope,
            run=self._place,
            reference=str(self.reference),
            parameters={**pipeline.parameters.get(stage.name, {}), **self.plan.overrides.get(stage.name, {})},
            inputs=stage.inputs,
            publish=stage.publish,
            items=(item,),
            upstream=dict.fromkeys(pipeline.gather_sources(stage), ()),
            intermediate=stage.intermediate,
        )

    @property
    def _place(self) -> RunPlace:
        return RunPlace(self.folder.name, BUCKET, "")


def source_stage(stage: Stage, name: str) -> str | None:
    """Return the earlier stage that an input comes from; None for what the run was given."""
    source = stage.inputs[name]
    return None if source in OF_RUN else source.partition(".")[0]


def source_stages(stage: Stage) -> list[str]:
    """Return the earlier stages that the inputs of a stage come from."""
    return list(dict.fromkeys(source for name in stage.inputs if (source := source_stage(stage, name))))

"""The next fate of the stages of an item of a run: reused or run again, by the review that decides it in a task."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.pipeline import REFERENCE, Pipeline, Stage
from genomics_pipeline.model.provenance import Difference, DifferenceKind
from genomics_pipeline.model.step import with_indexes
from genomics_pipeline.model.task import RunPlace, TaskPayload, item_id
from genomics_pipeline.records.failure import read_failure
from genomics_pipeline.records.items import read_item
from genomics_pipeline.reference.prepare import is_prepared
from genomics_pipeline.report.planned_tasks import PlannedTask, Verdict
from genomics_pipeline.runs.local.dry_run import source_stage, source_stages
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.find_input import Sources, find_inputs
from genomics_pipeline.worker.review import not_done, review
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.upstream import GatheredItems

FIXED_REFERENCE = "the reference is not compared: a run on AWS has one, by its name"
NO_REFERENCE = "the reference is not compared: it has to be indexed first"
NOT_GATHERED = "input `{}` is not compared: it is gathered from all items, each of which would be a request"


@dataclass(frozen=True, slots=True)
class StageForecast:
    """The comparison of an item's records with the files, parameters and steps that there are now.

    Attributes:
        files: The files of the run.
        pipeline: The pipeline, of this installation.
        steps: Its steps by name.
        input: The input of the run.
        cache: The user's cache folder.
        verdicts: The verdicts so far, by stage.
    """

    files: RunFiles
    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    input: ExecutionInput
    cache: Path
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def tasks(self, scope: str, item: str) -> Iterator[PlannedTask]:
        """Yield the fate of each stage of the pipeline over an item, in their order.

        Args:
            scope: The scope of the item.
            item: The name of the item.
        """
        members = read_item(self.files.store, self.files.place, scope, item)
        for stage in self.pipeline.stages:
            if stage.scope == scope:
                task = self._task(stage, members)
                self.verdicts[stage.name] = task.verdict
                yield task

    def _task(self, stage: Stage, item: Mapping[str, Any]) -> PlannedTask:
        name = item_id(item)
        planned = partial(PlannedTask, stage.name, name)
        if self.files.record(stage.name, name) is None:
            failed = read_failure(self.files.store, self.files.place, stage.name, name)
            return planned(Verdict.RUNS, (not_done(failed),))
        makers = tuple(self._makers(stage))
        notes: tuple[str, ...] = ()
        try:
            left_out = dict(self._left_out(stage, makers))
            notes = tuple(note for note in left_out.values() if note)
            reasons = self._reasons(stage, item, left_out)
        except PipelineError as error:
            return planned(Verdict.FAILS, error=str(error.problems[0]), notes=notes)
        if reasons:
            return planned(Verdict.RUNS, tuple(reasons), notes=notes)
        return planned(Verdict.DEPENDS if makers else Verdict.REUSED, makers=makers, notes=notes)

    def _makers(self, stage: Stage) -> Iterator[str]:
        """Yield the earlier stages whose outputs are made anew, as far as that is known."""
        for source in source_stages(stage):
            scope = self._scope(source)
            if source in self.verdicts:
                makes = self.verdicts[source] is not Verdict.REUSED
            elif self._is_too_far(stage, source):
                makes = False
            else:
                makes = any(self.files.record(source, name) is None for name in self.files.items(scope))
            if makes:
                yield source

    def _left_out(self, stage: Stage, makers: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield the inputs that are not compared, each with the reason; an empty one for those that are made anew."""
        for name, source in stage.inputs.items():
            maker = source_stage(stage, name)
            packed_in = stage.step.inputs[name].packed_in
            if maker in makers:
                note: str | None = ""
            elif source == REFERENCE:
                note = self._reference_note(stage)
            else:
                note = NOT_GATHERED.format(name) if maker and self._is_too_far(stage, maker) else None
            if note is not None:
                yield name, note
                if packed_in:
                    yield packed_in, ""

    def _is_too_far(self, stage: Stage, source: str) -> bool:
        """Return whether a job on AWS gathers the outputs of each sample: a look at them costs as many requests."""
        return self.files.is_on_aws and stage.scope != COHORT and source in self.pipeline.gather_sources(stage)

    def _reference_note(self, stage: Stage) -> str | None:
        """Return why the reference is not compared; None if it is, since a look does not build its indexes."""
        if self.files.is_on_aws:
            return FIXED_REFERENCE
        inputs = with_indexes(stage.step, resolve(stage.step.parameters, self._parameters(stage))).inputs.values()
        indexes = {kind for spec in inputs if spec.type == "reference" for kind in spec.indexes}
        return None if is_prepared(self.input.reference, indexes, self.files.store, self.cache) else NO_REFERENCE

    def _parameters(self, stage: Stage) -> dict[str, Value]:
        return {**self.pipeline.parameters.get(stage.name, {}), **self.input.parameters.get(stage.name, {})}

    def _reasons(self, stage: Stage, item: Mapping[str, Any], left_out: Collection[str]) -> list[Difference]:
        payload = self._payload(stage, item)
        parameters = resolve(stage.step.parameters, payload.parameters)
        sources = Sources(self._gathered)
        store = self.files.store
        inputs = find_inputs(payload, stage.step, item, parameters, store, self.cache, sources, left_out)
        found = review(payload, self.steps[stage.step.name], store, item, parameters, inputs)
        return [one for one in found.reasons if not (one.kind is DifferenceKind.INPUT and one.name in left_out)]

    def _gathered(self, store: Store, run: RunPlace, stage: str, _map_runs: Sequence[object]) -> GatheredItems:
        """Return the items that a stage is done over by its records."""
        scope = self._scope(stage)
        done = {name: self.files.record(stage, name) is not None for name in self.files.items(scope)}
        return GatheredItems(
            tuple(name for name in done if done[name]), tuple(name for name in done if not done[name]), scope
        )

    def _scope(self, stage: str) -> str:
        return next(one.scope for one in self.pipeline.stages if one.name == stage)

    def _payload(self, stage: Stage, item: Mapping[str, Any]) -> TaskPayload:
        """Return the payload that a plain rerun gives to the task, but for the results of earlier Map Runs."""
        return TaskPayload(
            stage=stage.name,
            step=stage.step.name,
            scope=stage.scope,
            run=self.files.place,
            reference=self.input.reference,
            parameters=self._parameters(stage),
            inputs=stage.inputs,
            publish=stage.publish,
            items=(item,),
            upstream=dict.fromkeys(self.pipeline.gather_sources(stage), ()),
            intermediate=stage.intermediate,
        )

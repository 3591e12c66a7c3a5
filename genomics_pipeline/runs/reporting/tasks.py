"""The tasks of a run: their metrics, their work, and the state of each sample, from one look at each record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.metric_spec import DeclaredMetrics
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.failure import FailureRecord, read_failure
from genomics_pipeline.records.metrics import SAMPLES, parse_metrics
from genomics_pipeline.report.run_page.metric_values import MetricValues
from genomics_pipeline.report.run_page.run_report import DONE, FAILED, PENDING, STATES, CohortMetric
from genomics_pipeline.report.run_page.stage_work import WorkOfStage
from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.seen_records import SeenRecords
from genomics_pipeline.runs.stage_groups import COHORT, StageGroup
from genomics_pipeline.runs.task_trace import EndsOfItem, newest_start, traces_of, with_failure
from genomics_pipeline.stores.protocol import ObjectReader

SAMPLE = "sample"
Measured = Mapping[str, Mapping[str, Any]]  # metrics by stage


class RunTasks:
    """The tasks of a run.

    Args:
        files: The files of the run.
        metrics: The metrics that its steps declare.
        state: The state of the run.
        seen: The records that were read for that.
        on_done: Called with the record of each task that is done.
        on_failed: Called with the stage and the record of each task that failed.

    Attributes:
        samples: The names of the samples.
        states: Their states: indexes of `STATES`.
        stages_over_samples: The stages over samples.
        cohort: The metrics of the cohort.
        work: What each stage did.
    """

    def __init__(
        self,
        files: RunFiles,
        metrics: DeclaredMetrics,
        state: RunState,
        seen: SeenRecords,
        on_done: Sequence[Callable[[CompletionRecord], object]],
        on_failed: Callable[[str, FailureRecord], object],
    ) -> None:
        self._files, self._metrics, self._seen = files, metrics, seen
        self._on_done, self._on_failed = on_done, on_failed
        self._groups, self._since = files.groups(), newest_start(files)
        self._failures = {(one.scope, one.item): one.failure for one in state.failures if not one.pending}
        self._failed = {one.item for one in state.failures if one.scope == SAMPLE}
        self._number: dict[str, int] = {}
        self.samples: list[str] = []
        self.states = bytearray()
        self.stages_over_samples = [name for one in self._groups if one.scope == SAMPLE for name in one.stages]
        self.cohort: list[CohortMetric] = []
        self.work = {name: WorkOfStage(name, one.scope) for one in self._groups for name in one.stages}
        self._columns = {
            stage: {name: MetricValues(stage, spec) for name, spec in metrics.get(SAMPLE, {}).get(stage, {}).items()}
            for stage in self.stages_over_samples
        }
        self._joint: list[MetricValues] = []

    def read(self) -> None:
        """Read the records and the metrics of all items."""
        for group in self._groups:
            for item, ended, measured in self._items(group):
                self._add_item(group, item, ended)
                if group.scope == SAMPLE:
                    self._add_sample(group, item, ended, measured)
                elif group.scope == COHORT:
                    self._add_cohort(measured)

    def columns(self) -> Iterator[MetricValues]:
        """Yield the metrics of samples."""
        for column in (*(one for stage in self._columns.values() for one in stage.values()), *self._joint):
            column.fill(len(self.samples))
            yield column

    def _items(self, group: StageGroup) -> Iterator[tuple[str, EndsOfItem, Measured]]:
        """Yield each item of a group with the records of the stages that ended over it, and their metrics."""
        store = self._files.many_looks()

        def read(item: str) -> tuple[str, EndsOfItem, Measured]:
            ended: dict[str, CompletionRecord | FailureRecord] = {}
            for stage in group.stages:
                record = (
                    self._seen.take(stage, item)
                    or self._files.record(stage, item, store)
                    or read_failure(store, self._files.place, stage, item)
                )
                if record is None:
                    break  # later stages did not begin
                ended[stage] = record
            return item, ended, dict(self._measured(ended, store))

        return self._files.each(read, self._files.items(group.scope))

    def _measured(self, ended: EndsOfItem, store: ObjectReader) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for stage, record in ended.items():
            output = record.outputs.get(METRICS) if isinstance(record, CompletionRecord) else None
            if output is not None and output.key.endswith(".json"):
                with suppress(OSError, DataError):
                    yield stage, parse_metrics(store.read(self._files.place.uri(output.key)))

    def _add_item(self, group: StageGroup, item: str, ended: EndsOfItem) -> None:
        failure = self._failures.get((group.scope, item))
        for stage, record in with_failure(self._files, group, item, ended, failure).items():
            for attempt in traces_of(self._files, stage, item, group.scope, record, self._since):
                self.work[stage].add(attempt)
            if isinstance(record, FailureRecord):
                self._on_failed(stage, record)
            else:
                for call in self._on_done:
                    call(record)

    def _add_sample(self, group: StageGroup, item: str, ended: EndsOfItem, measured: Measured) -> None:
        done = len(ended) == len(group.stages) and not any(isinstance(one, FailureRecord) for one in ended.values())
        state = FAILED if item in self._failed else DONE if done else PENDING
        if item not in self._number:
            self._number[item] = len(self.samples)
            self.samples.append(item)
            self.states.append(STATES.index(state))
        elif state != DONE:
            self.states[self._number[item]] = STATES.index(state)
        for stage in group.stages:
            values = measured.get(stage, {})
            for name, column in self._columns[stage].items():
                column.add(values.get(name))

    def _add_cohort(self, measured: Measured) -> None:
        for stage, values in measured.items():
            specs = self._metrics.get(COHORT, {}).get(stage, {})
            self.cohort += [
                CohortMetric(stage, spec, values[name])
                for name, spec in specs.items()
                if not spec.each_sample and values.get(name) is not None
            ]
            of_samples = values.get(SAMPLES)
            if isinstance(of_samples, Mapping):
                self._add_joined(of_samples)
                for spec in specs.values():
                    if spec.each_sample:
                        self._joint.append(_column(stage, spec.name, self.samples, of_samples, specs))

    def _add_joined(self, names: Iterable[str]) -> None:
        """Add samples that have no stages of their own in this run."""
        for name in names:
            if name not in self._number:
                self._number[name] = len(self.samples)
                self.samples.append(name)
                self.states.append(STATES.index(DONE))


def _column(
    stage: str, name: str, samples: Iterable[str], values: Mapping[str, Any], specs: Mapping[str, Any]
) -> MetricValues:
    """Return a metric that a stage over the cohort measured of each sample.

    Args:
        stage: The stage.
        name: The metric.
        samples: The samples.
        values: The metrics by sample.
        specs: The metrics that the step declares.
    """
    column = MetricValues(stage, specs[name])
    for sample in samples:
        of_sample = values.get(sample)
        column.add(of_sample.get(name) if isinstance(of_sample, Mapping) else None)
    return column

"""The run that a task is replayed from: its files, its definition, and what is known of the task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from genomics_pipeline.aws.deployment import find_deployment
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.resource_names import ResourceNames, resource_names
from genomics_pipeline.model.task import item_id
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.items import read_item_ids
from genomics_pipeline.records.local_run import read_local_run
from genomics_pipeline.records.rerun import read_rerun
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.run import run_place
from genomics_pipeline.runs.faults.fault_log import Injection, logged_injections
from genomics_pipeline.runs.find_run import RUN_NAME, find_run_over_samples, record_in_bucket
from genomics_pipeline.runs.map_run_results import written_results
from genomics_pipeline.runs.own_definition import is_generated_here
from genomics_pipeline.runs.replays.request import ReplayRequest
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.protocol import MissingObject


@dataclass(frozen=True, slots=True)
class KnownAttempt:
    """The newest attempt of an item's child that failed, as a result file has it.

    Attributes:
        failure: Its failure.
        items: The number of items of the child.
        stopped: The time of its end.
    """

    failure: Failure
    items: int
    stopped: str


@dataclass(frozen=True)
class ReplayOrigin:
    """A run.

    Attributes:
        files: Its files.
        pipeline: A shipped pipeline's name, or the path of a pipeline file.
        names: The names of the resources in its definition.
        problems: The deviations of its definition, input and items from its record.
        cohort_failures: The failures of the cohort that its executions report; none where only the bucket is read.
        in_containers: Whether its tasks ran in containers.
        injected: The faults that were injected into its tasks.
    """

    files: RunFiles
    pipeline: str
    names: ResourceNames
    problems: tuple[str, ...] = ()
    cohort_failures: tuple[ItemFailure, ...] = ()
    in_containers: bool = False
    injected: Sequence[Injection] = ()

    @cached_property
    def definition(self) -> Mapping[str, Any]:
        """The definition of the run."""
        return read_run_definition(self.files.store, self.files.place.uri(run_layout.DEFINITION))

    def definition_words(self, pipeline: Pipeline) -> str:
        """Return how the run's definition compares with the one that this installation generates.

        Args:
            pipeline: The pipeline of this installation.
        """
        is_same = is_generated_here(self.definition, pipeline, self.names)
        same = "the one that this installation generates" if is_same else "not what this installation generates"
        return f"the run's own, {same}"

    def input(self, scope: str, item: str) -> ExecutionInput:
        """Return the input of the newest execution that had an item.

        Args:
            scope: The scope of the item.
            item: The item.
        """
        store, place = self.files.store, self.files.place
        newest, number = run_layout.INPUT, 1
        while (rerun := read_rerun(store, place.uri(run_layout.rerun_file(number, run_layout.RECORD)))) is not None:
            if scope != "sample" or item in read_item_ids(store, place.uri(rerun.manifest)):
                newest = run_layout.rerun_file(number, run_layout.INPUT)
            number += 1
        try:
            return read_input(store, place.uri(newest))
        except MissingObject as error:
            raise RunError(f"{error}; nothing of this run was executed yet") from None

    def results(self) -> dict[str, list[dict[str, str]]]:
        """Return ResultWriterDetails of every Map Run that wrote its results, by Label, oldest first."""
        return results_in_bucket(self.files, [one.label for one in self.files.groups() if one.label is not None])

    def known_attempt(self, label: str, item: str) -> KnownAttempt | None:
        """Return the newest attempt of an item's child that failed; None where no result file has one.

        Args:
            label: The Label of its Map Run.
            item: The item.
        """
        return max(self._known_attempts(label, item), key=lambda one: one.stopped, default=None)

    def _known_attempts(self, label: str, item: str) -> Iterator[KnownAttempt]:
        for details in self.results().get(label, ()):
            for row in result_rows(self.files.store, details, "FAILED"):
                items = row.items()
                if item in map(item_id, items):
                    yield KnownAttempt(classify(row.error, row.cause), len(items), str(row.child.get("StopDate", "")))


def results_in_bucket(files: RunFiles, labels: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Return ResultWriterDetails of every Map Run that wrote its results, by Label, oldest first.

    Args:
        files: The files of the run.
        labels: The Labels.
    """
    written = {label: written_results(files, label) for label in labels}
    return {label: [dict(one.details) for one in found] for label, found in written.items() if found}


def place_of_run(request: ReplayRequest, adapters: Adapters) -> str:
    """Return the argument RUN of a replay; of ``--from s3``, the URI of the run of its name in the stack's bucket.

    Raises:
        UsageError: for what cannot be the name of a run.
        RunError: if there is no such stack.
    """
    if not request.from_bucket or request.run.startswith("s3://"):
        return request.run
    name = Path(request.run).name
    if not RUN_NAME.fullmatch(name):
        raise UsageError(f"--from s3: expected the name of a run, or a folder of its name, found {request.run!r}")
    place = run_place(name, find_deployment(request.stack, adapters.clients).bucket)
    return place.uri("").rstrip("/")


def find_origin(text: str, item: str, stack: str, adapters: Adapters) -> ReplayOrigin:
    """Return the run that a task is replayed from; of one on AWS, nothing but its bucket is read from here on.

    Args:
        text: The run's folder, URI or name; of a run by its name, Step Functions is asked how the cohort failed.
        item: The item of the task.
        stack: The stack in which a name is looked up.
        adapters: The clients and the store.

    Raises:
        UsageError: for a run over records, or what cannot be the name of a run.
        RunError: if there is no such run.
    """
    if text.startswith("s3://"):
        return _in_bucket(text, adapters)
    run = find_run_over_samples(text, stack, adapters)
    failures = run.failed_items() if item == COHORT else ()
    cohort = tuple(one for one in failures if one.scope == COHORT)
    if run.files.is_on_aws:
        return replace(_in_bucket(run.files.shown, adapters), cohort_failures=cohort)
    problems = tuple(str(one) for one in run.definition_problems())
    record = read_local_run(run.files.store, run.files.place.uri(run_layout.RECORD))
    contained = record is not None and bool(record.arguments.containers)
    injected = logged_injections(Path(run.files.shown, run_layout.INJECTED_FAULTS))
    return ReplayOrigin(run.files, run.requested_pipeline, ResourceNames(), problems, cohort, contained, injected)


def _in_bucket(uri: str, adapters: Adapters) -> ReplayOrigin:
    place, record = record_in_bucket(uri, adapters.store)
    names = resource_names(record.stack)
    files = RunFiles(adapters.store, place, place.uri("").rstrip("/"), names.log_group)
    return ReplayOrigin(files, record.requested_pipeline, names, in_containers=True)

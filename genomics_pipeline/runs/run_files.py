"""A run's own files, wherever it lies: what it is made of, and what each item's stages left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from genomics_pipeline.language.walker import StateNode, walk_machines
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.task import RunPlace, item_id
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.records.failure import read_failure
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.runs.find_run import CloudRun, LocalRun
from genomics_pipeline.runs.run_folder import BUCKET
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.stores.routed import RoutedStore

COHORT = "cohort"


@dataclass(frozen=True, slots=True)
class StageGroup:
    """Stages that one Map Run holds; or, without a label, a stage that runs once."""

    label: str | None
    scope: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run.

    Attributes:
        store: Where they are read.
        place: Where they lie there.
        shown: The same for people: a folder or a URI.
    """

    store: RoutedStore
    place: RunPlace
    shown: str

    def shown_key(self, key: str) -> str:
        """A file of the run for people."""
        return f"{self.shown}/{key}"

    def groups(self) -> list[StageGroup]:
        """The stages, in the definition's order.

        Raises:
            RunError: if the run has no readable definition.
        """
        uri = self.place.uri(run_layout.DEFINITION)
        try:
            machine = next(walk_machines(json.loads(self.store.read(uri))))
            groups = [_group(state) for state in machine.states() if state.kind in ("Map", "Task")]
        except (MissingObject, ValueError, LookupError, TypeError, AttributeError):
            groups = []
        if not groups:
            raise RunError(f"{self.shown_key(run_layout.DEFINITION)}: expected a definition of ours, found none")
        return groups

    def items(self, scope: str) -> Iterator[str]:
        """The ids of a scope's items, in their order."""
        if scope == COHORT:
            yield COHORT
            return
        yield from self.items_in(run_layout.ITEM_FILES[scope])

    def items_in(self, key: str) -> Iterator[str]:
        """The ids of the items in a file of the run, in their order."""
        with self.store.open(self.place.uri(key)) as lines:
            for line in lines:
                yield item_id(json.loads(line))

    def completion(self, stage: str, item: str) -> CompletionRecord | None:
        """What a stage left of an item; None where it is not done."""
        return read_completion(self.store, self.place, stage, item)

    def told(self, stage: str, item: str, failure: Failure) -> Failure:
        """A failure in the words of the worker, where it wrote any in that attempt of that job (`worker.container`)."""
        if not failure.by_exit_code:  # Batch, or the container's engine, knows better
            return failure
        record = read_failure(self.store, self.place, stage, item)
        if record is None or record.attempt is None or failure.job_id is None or failure.attempt is None:
            return failure
        if record.attempt != BatchAttempt(failure.job_id, failure.attempt):
            return failure
        return replace(failure, failure_class=record.failure_class, message=record.message)


def run_files(run: LocalRun | CloudRun) -> RunFiles:
    """The files of a run."""
    if isinstance(run, LocalRun):
        folder = run.folder
        return RunFiles(RoutedStore({BUCKET: folder.path}), RunPlace(folder.name, BUCKET, ""), str(folder.path))
    return RunFiles(run.store, run.place, run.place.uri("").rstrip("/"))


def _group(state: StateNode) -> StageGroup:
    if state.kind == "Task":
        return StageGroup(None, COHORT, (state.name,))
    label: str = state.node["Label"]
    stages = tuple(inner.name for machine in state.machines() for inner in machine.states() if inner.kind == "Task")
    return StageGroup(label, scope_of(label), stages)


def scope_of(label: str) -> str:
    """What a Map Run of that Label is over.

    >>> scope_of("Sample2")
    'sample'
    """
    return label.rstrip("0123456789").lower()

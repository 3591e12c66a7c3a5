"""The files of a run, in a folder or in S3: its definition, its items, and the records of each item's stages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from genomics_pipeline.language.walker import StateNode, walk_machines
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.task import RunPlace, item_id
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.records.failure import read_failure
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.stores.routed import RoutedStore

COHORT = "cohort"


@dataclass(frozen=True, slots=True)
class StageGroup:
    """The stages of one Map Run; or, without a label, a stage that runs once."""

    label: str | None
    scope: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The end of one log.

    Attributes:
        source: Where the log is: a file, an object, or a log group and stream.
        lines: Its last lines, in their order.
    """

    source: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run.

    Attributes:
        store: Where they are read.
        place: Where they lie there.
        shown: The place as people see it: a folder or a URI.
        log_group: The CloudWatch Logs group of its jobs; None for a run in a folder.
    """

    store: RoutedStore
    place: RunPlace
    shown: str
    log_group: str | None = None

    def shown_key(self, key: str) -> str:
        """Return the place of a file of the run as people see it."""
        return f"{self.shown}/{key}"

    def shown_log(self, stage: str, item: str) -> str:
        """Return the place of an item's ``log.txt`` as people see it."""
        return self.shown_key(run_layout.log(stage, item))

    def groups(self) -> list[StageGroup]:
        """Return the stages, in the definition's order.

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
        """Yield the ids of a scope's items, in their order."""
        if scope == COHORT:
            yield COHORT
            return
        yield from self.items_in(run_layout.ITEM_FILES[scope])

    def items_in(self, key: str) -> Iterator[str]:
        """Yield the ids of the items in a file of the run, in their order."""
        with self.store.open(self.place.uri(key)) as lines:
            for line in lines:
                yield item_id(json.loads(line))

    def completion(self, stage: str, item: str) -> CompletionRecord | None:
        """Return the completion record of a stage over an item; None where it is not done."""
        return read_completion(self.store, self.place, stage, item)

    def log_end(self, stage: str, item: str, lines: int) -> LogEnd:
        """Return the last lines of an item's ``log.txt``.

        Args:
            stage: The stage.
            item: The item.
            lines: How many at most.
        """
        key = run_layout.log(stage, item)
        try:
            text = self.store.read(self.place.uri(key)).decode("utf-8", "replace")
        except MissingObject:
            text = "(no log: the program was never started, or its log has expired)"
        return LogEnd(self.shown_key(key), text.splitlines()[-lines:])

    def with_worker_failure(self, stage: str, item: str, failure: Failure) -> Failure:
        """Return a failure with the class and message that the worker recorded for that attempt, if it did."""
        if not failure.by_exit_code:  # Batch, or the container's engine, knows better
            return failure
        record = read_failure(self.store, self.place, stage, item)
        if record is None or record.attempt is None or failure.job_id is None or failure.attempt is None:
            return failure
        if record.attempt != BatchAttempt(failure.job_id, failure.attempt):
            return failure
        return replace(failure, failure_class=record.failure_class, message=record.message)


def folder_files(run: RunFolder, store: RoutedStore) -> RunFiles:
    """Return the files of a run in a folder of this machine.

    Args:
        run: The folder.
        store: Local files and S3; the files of the run lie in its bucket `BUCKET`.
    """
    return RunFiles(store.with_buckets({BUCKET: run.path}), RunPlace(run.name, BUCKET, ""), str(run.path))


def _group(state: StateNode) -> StageGroup:
    if state.kind == "Task":
        return StageGroup(None, COHORT, (state.name,))
    label: str = state.node["Label"]
    stages = tuple(inner.name for machine in state.machines() for inner in machine.states() if inner.kind == "Task")
    return StageGroup(label, scope_of(label), stages)


def scope_of(label: str) -> str:
    """Return the scope of the items of a Map Run with that Label.

    >>> scope_of("Sample2")
    'sample'
    """
    return label.rstrip("0123456789").lower()

"""The files of a run, in a folder or in S3: its definition, its items, and the records of each item's stages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from os import SEEK_END
from pathlib import Path
from typing import TypeVar

from genomics_pipeline.asl.canonical import canonical_digest
from genomics_pipeline.asl.optional import is_optional
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model import budgets, run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import RunError, UsageError, did_you_mean
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import CompletionRecord, done_records, read_completion
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.failure import FailureRecord, read_failure
from genomics_pipeline.records.given_gvcfs import read_given_gvcfs
from genomics_pipeline.records.items import read_item_ids
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.stage_groups import COHORT, StageGroup, read_stage_groups
from genomics_pipeline.stores.held_folders import HeldFolders
from genomics_pipeline.stores.listed import ListedObjects
from genomics_pipeline.stores.open_folder import LeadsOutside
from genomics_pipeline.stores.protocol import MissingObject, ObjectReader, Store
from genomics_pipeline.stores.routed import RoutedStore

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")

COMPARED = 10_000  # items that a misspelt name is compared with


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The end of one log.

    Attributes:
        source: The place of the log: a file, the URI of an object, or a log group and stream.
        lines: The last lines of the log, in their order.
    """

    source: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run.

    Attributes:
        store: The store that holds them.
        place: The place of the run in that store.
        shown: The place of the run as users know it: a folder or a URI.
        log_group: The CloudWatch Logs group of its jobs; None for a run in a folder.
        folder: The folder of this machine that the store reads; None for another place.
    """

    store: Store
    place: RunPlace
    shown: str
    log_group: str | None = None
    folder: Path | None = None

    @property
    def is_on_aws(self) -> bool:
        """True for files in S3, where each look costs a request, and intermediate outputs expire."""
        return self.log_group is not None

    def shown_key(self, key: str) -> str:
        """Return the path or URI of a file of the run as users know it."""
        return f"{self.shown}/{key}"

    def shown_log(self, stage: str, item: str) -> str:
        """Return the path or URI of an item's ``log.txt`` as users know it."""
        return self.shown_key(run_layout.log(stage, item))

    def definition_digest(self) -> str:
        """Return the sha256 of the definition, as canonical JSON.

        Raises:
            MissingObject: if the run has no definition.
            UnreadableRecord: if it is no JSON object with states.
        """
        return canonical_digest(read_run_definition(self.store, self.place.uri(run_layout.DEFINITION)))

    def groups(self) -> list[StageGroup]:
        """Return the stages in groups, in the order of the definition, without those that the run leaves out.

        Raises:
            RunError: if the run has no readable definition.
            UsageError: for a run over records.
            UnreadableRecord: if its input is in an unknown form.
        """
        machine, groups = read_stage_groups(self.store, self.place.uri(run_layout.DEFINITION), self.shown)
        left_out = self._left_out([one.stages[0] for one in groups if is_optional(one.stages[0], machine.nodes)])
        return [one for one in groups if one.stages[0] not in left_out]

    def _left_out(self, optional: Collection[str]) -> Collection[str]:
        """Return those of the optional stages that the run leaves out."""
        if not optional:
            return ()
        try:
            chosen = read_input(self.store, self.place.uri(run_layout.INPUT)).optional
        except MissingObject:  # nothing was executed yet
            return optional
        return set(optional).difference(chosen)

    def items(self, scope: str) -> Iterator[str]:
        """Yield the names of the items of a scope, in their order."""
        if scope == COHORT:
            yield COHORT
            return
        yield from self.items_in(run_layout.ITEM_FILES[scope])

    def items_in(self, key: str) -> Iterator[str]:
        """Yield the names of the items in a file of the run, in their order."""
        yield from read_item_ids(self.store, self.place.uri(key))

    def refuse_unknown(self, samples: Collection[str]) -> None:
        """Refuse names that no sample of the run has.

        Raises:
            UsageError: for the first of them in alphabetical order.
        """
        unknown = set(samples).difference(self.items("sample")) if samples else set()
        if unknown:
            name = min(unknown)
            known = list(islice(self.items("sample"), COMPARED))
            raise UsageError(f"--sample {name}: no such sample in this run; {did_you_mean(name, known)}")

    def scope_of_item(self, item: str) -> str:
        """Return the scope of an item of the run.

        Raises:
            RunError: if the run has no such item.
        """
        known: list[str] = []
        for scope in dict.fromkeys(group.scope for group in self.groups()):
            for name in self.items(scope):
                if name == item:
                    return scope
                if len(known) < COMPARED:
                    known.append(name)
        raise RunError(f"{item}: no such sample in this run; {did_you_mean(item, known)}")

    def many_looks(self) -> ObjectReader:
        """Return the store for looks at the files of many items; on AWS, one request is for 1,000 outputs."""
        if self.folder is not None:
            return HeldFolders(self.store, self.place.uri(""), self.folder)
        return ListedObjects(self.store, self.place.uri(run_layout.RESULTS)) if self.is_on_aws else self.store

    def each(self, look: Callable[[Argument], Answer], arguments: Iterable[Argument]) -> Iterator[Answer]:
        """Yield the answers of looks in their order; in parallel on AWS, where each waits for requests."""
        return in_parallel(look, arguments) if self.is_on_aws else map(look, arguments)

    def done_records(
        self, stages: Iterable[str], item: str, store: ObjectReader | None = None
    ) -> dict[str, CompletionRecord]:
        """Return the records of the stages that are done over an item; outputs that later stages need expire on AWS.

        Args:
            stages: The stages.
            item: The item.
            store: What `many_looks` returned, for a look at one of many items.
        """
        return done_records(store or self.store, self.place, stages, item, may_have_expired=self.is_on_aws)

    def record(self, stage: str, item: str, store: ObjectReader | None = None) -> CompletionRecord | None:
        """Return the record of a stage over an item, whether its outputs are there or not; None if there is none.

        Args:
            stage: The stage.
            item: The item.
            store: What `many_looks` returned, for a look at one of many items.
        """
        return read_completion(store or self.store, self.place, stage, item)

    def ended(self, group: StageGroup) -> Iterator[tuple[str, Mapping[str, CompletionRecord | FailureRecord]]]:
        """Yield each item of a group with the record of each stage that ended over it; no record is read twice."""
        store = self.many_looks()

        def read(item: str) -> tuple[str, Mapping[str, CompletionRecord | FailureRecord]]:
            found: dict[str, CompletionRecord | FailureRecord] = {}
            for stage in group.stages:
                record = self.record(stage, item, store) or read_failure(store, self.place, stage, item)
                if record is None:
                    break  # later stages did not begin
                found[stage] = record
            return item, found

        return self.each(read, self.items(group.scope))

    def completions(self) -> Iterator[CompletionRecord]:
        """Yield the record of each task that is done, in the order of the definition's stages of each item."""
        for group in self.groups():
            for _, records in self.ended(group):
                yield from (record for record in records.values() if isinstance(record, CompletionRecord))

    def are_done(self, stages: Collection[str], item: str, store: ObjectReader | None = None) -> bool:
        """Return whether all stages are done over an item; see `done_records`."""
        return len(self.done_records(stages, item, store)) == len(stages)

    def found_log(self, stage: str, item: str) -> str | None:
        """Return the path or URI of an item's ``log.txt``; None if there is none, or it cannot be read."""
        key = run_layout.log(stage, item)
        try:
            return self.shown_key(key) if self.store.stat(self.place.uri(key)) else None
        except (LeadsOutside, OSError):
            return None

    def log_end(self, stage: str, item: str, lines: int) -> LogEnd:
        """Return the last lines of an item's ``log.txt``.

        Args:
            stage: The stage.
            item: The item.
            lines: The greatest number of lines.
        """
        return self.end_of(run_layout.log(stage, item), lines)

    def end_of(self, key: str, lines: int) -> LogEnd:
        """Return the last lines of a log of the run.

        Args:
            key: Its key.
            lines: The greatest number of lines.
        """
        try:
            with self.store.open(self.place.uri(key)) as stream:
                stream.seek(max(stream.seek(0, SEEK_END) - budgets.LOG_END.value, 0))
                text = stream.read(budgets.LOG_END.value).decode("utf-8", "replace")
        except MissingObject:
            expired = ", or its log has expired" if self.is_on_aws else ""
            text = f"(no log: the program was never started{expired})"
        return LogEnd(self.shown_key(key), text.splitlines()[-lines:])

    def with_worker_failure(self, stage: str, item: str, failure: Failure) -> Failure:
        """Return a failure with the class and message that the worker recorded for the same attempt, if there are any.

        Args:
            stage: The stage that failed.
            item: The item.
            failure: The failure as it follows from the error and the cause.
        """
        if not failure.by_exit_code:  # the message of Batch or of the container engine says more than the worker can
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
        store: Local files and S3.
    """
    return RunFiles(
        store.with_buckets({BUCKET: run.path}), RunPlace(run.name, BUCKET, ""), str(run.path), folder=run.path
    )


def cohort_names(run: RunFolder, store: RoutedStore) -> list[str]:
    """Return the names of the samples of a run in a folder of this machine, those of given gVCFs included.

    Args:
        run: The folder.
        store: Local files and S3.

    Raises:
        UnreadableRecord: for a manifest that cannot be read.
    """
    files = folder_files(run, store)
    return [*files.items("sample"), *(one.sample for one in read_given_gvcfs(files.store, files.place))]

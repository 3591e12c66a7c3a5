"""The task that is replayed: its item, its stage, and how it ended in the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import RunError, UsageError, did_you_mean
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.failure import FailureRecord, read_failure
from genomics_pipeline.records.items import read_regions
from genomics_pipeline.runs.replays.origin import KnownAttempt, ReplayOrigin
from genomics_pipeline.runs.replays.request import ReplayRequest, parse_region
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT, StageGroup


@dataclass(frozen=True, slots=True)
class ReplayTarget:
    """A task of a run.

    Attributes:
        item: The item.
        stage: The stage.
        group: The stages of its Map Run; of the cohort the stage alone.
        record: The completion record of the task; None if it failed.
        failure: The failure of the task; None if it is done.
        attempt: The record of the failure that the worker wrote; None without one.
        batch: The number of items of the child that failed with it; 1 for one of its own.
    """

    item: str
    stage: str
    group: StageGroup
    record: CompletionRecord | None
    failure: Failure | None
    attempt: FailureRecord | None
    batch: int = 1

    @property
    def scope(self) -> str:
        """The scope of the item."""
        return self.group.scope

    @property
    def earlier(self) -> Sequence[str]:
        """The stages before this one over the same item."""
        return self.group.stages[: self.group.stages.index(self.stage)]

    @property
    def vcpus(self) -> int:
        """The cores that the task had; 0 where they are not recorded."""
        return self.record.vcpus if self.record else self.attempt.vcpus if self.attempt else 0

    @property
    def memory_mib(self) -> int:
        """The memory that the task had; 0 where it is not recorded."""
        if self.record:
            return self.record.memory_mib
        known = self.attempt.memory_mib if self.attempt else 0
        return known or (self.failure.memory_mib if self.failure else None) or 0

    @property
    def instance_type(self) -> str:
        """The instance type of the host in AWS; empty elsewhere, and where it is not recorded."""
        host = self.record.host if self.record else self.attempt.host if self.attempt else {}
        return host.get("instance_type", "")


def find_target(origin: ReplayOrigin, request: ReplayRequest) -> ReplayTarget:
    """Return the task that is replayed: of the stage that is named, or of the one that failed.

    Raises:
        UsageError: for a stage that the item does not have, or whose inputs are not there; where none is named and none
            failed.
        RunError: if the run has no such item, or the task has neither ended nor failed.
    """
    files = origin.files
    item = _interval_of(files, request.item) or request.item
    scope = files.scope_of_item(item)
    groups = [group for group in files.groups() if group.scope == scope]
    stages = [stage for group in groups for stage in group.stages]
    records = {stage: files.record(stage, item) for stage in stages}
    undone = next((stage for stage in stages if records[stage] is None), None)
    stage = request.stage or undone
    if stage is None:
        option = f"name a stage to replay: --stage {'|'.join(stages)}"
        raise UsageError(f"{item}: expected a stage that failed, found all of them done; {option}")
    if stage not in stages:
        raise UsageError(f"--stage {stage}: no such stage of {item}; {did_you_mean(stage, stages)}")
    if undone is not None and stages.index(undone) < stages.index(stage):
        raise UsageError(f"--stage {stage}: expected {undone} of {item} to be done, which it takes files from; use it")
    group = next(one for one in groups if stage in one.stages)
    if (record := records[stage]) is not None:
        return ReplayTarget(item, stage, group, record, None, None)
    attempt = read_failure(files.store, files.place, stage, item)
    known = _known(origin, group, item, stage)
    if known is None and attempt is None:
        raise RunError(f"{item}: expected {stage} to be done or to have failed, found neither")
    if known is None and attempt is not None:
        failure = Failure(attempt.failure_class, attempt.message, stage=stage, exit_code=attempt.exit_code)
        return ReplayTarget(item, stage, group, None, failure, attempt)
    assert known is not None
    failure = files.with_worker_failure(stage, item, known.failure)
    return ReplayTarget(item, stage, group, None, failure, attempt, known.items)


def _known(origin: ReplayOrigin, group: StageGroup, item: str, stage: str) -> KnownAttempt | None:
    """Return the failure of an item in a stage, as its executions report it; None where they report none."""
    if group.label is not None:
        known = origin.known_attempt(group.label, item)
    else:
        cohort = next((one.failure for one in origin.cohort_failures), None)
        known = KnownAttempt(cohort, 1, "") if cohort else None
    return known if known is not None and known.failure.stage in (None, stage) else None


def _interval_of(files: RunFiles, text: str) -> str | None:
    """Return the name of the first interval that overlaps a region; None for text that is no region.

    Raises:
        RunError: for a region that no interval of the run overlaps.
    """
    region = parse_region(text)
    if region is None or text == COHORT:
        return None
    names = list(files.items("interval"))
    for name, regions in read_regions(files.store, files.place, set(names)).items():
        if any((one := parse_region(each)) is not None and one.overlaps(region) for each in regions):
            return name
    raise RunError(f"{text}: no interval of this run overlaps this region")

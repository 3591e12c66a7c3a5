"""The state of a run on AWS from its bucket alone: its records, and the result files of its Map Runs.

The bucket shows what is done, and that a Map Run has ended. It does not show whether an execution is running, or was
stopped before the next file was written: then the status is `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.aws.console import execution_link
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.tolerance import tolerated_samples
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.report.run_state import UNKNOWN, ItemFailure, MapRunState, RunState
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.aws.chain import aws_chain
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.cohort_checks import cohort_checks
from genomics_pipeline.runs.item_ends import count_missing, recorded_failure, unfinished_items
from genomics_pipeline.runs.lost_items import LOST, done_stages
from genomics_pipeline.runs.map_run_ends import failures_in, pending_in
from genomics_pipeline.runs.map_run_results import WrittenResults, written_results
from genomics_pipeline.runs.outcome import exceeded_words
from genomics_pipeline.runs.stage_groups import COHORT, StageGroup
from genomics_pipeline.runs.task_trace import newest_start, seconds_of
from genomics_pipeline.stores.protocol import MissingObject

NOT_BEGUN = Failure(FailureClass.CANCELLED, "not done: no attempt of it left a record")


@dataclass(slots=True)
class _Progress:
    """The items of a group by their records.

    Attributes:
        group: The group.
        total: The number of its items.
        undone: The items that are not done, each with its first stage that is not.
        first_s: The first start of a task, in seconds since the epoch; None where none is done.
        newest_s: The last start of one.
        last_s: The last end of one.
        status: The status of its Map Run, or that of its stage: SUCCEEDED, FAILED, ABORTED, PENDING or `UNKNOWN`.
        error: Why it failed; None unless it did.
    """

    group: StageGroup
    total: int = 0
    undone: dict[str, str] = field(default_factory=dict)
    first_s: float | None = None
    newest_s: float = 0.0
    last_s: float | None = None
    status: str = UNKNOWN
    error: str | None = None

    def add(self, item: str, done: Mapping[str, CompletionRecord]) -> None:
        """Add an item with its records."""
        self.total += 1
        for record in done.values():
            started = seconds_of(record.started) or 0.0
            self.first_s = min(started, self.first_s or started)
            self.newest_s = max(started, self.newest_s)
            self.last_s = max(started + record.seconds, self.last_s or 0.0)
        if len(done) < len(self.group.stages):
            self.undone[item] = next(stage for stage in self.group.stages if stage not in done)


class BucketLook:
    """One look at the bucket of a run.

    Args:
        run: The run.
        times: Gathers the records that are read.
    """

    def __init__(self, run: AwsRun, times: TimesByStage | None = None) -> None:
        self._run, self._files, self._times = run, run.files, times or TimesByStage()
        self._groups = self._files.groups()
        self._chain = aws_chain(run)
        self._begun = newest_start(self._files) or 0.0
        self._results = {one.label: written_results(self._files, one.label) for one in self._groups if one.label}

    def state(self) -> RunState:
        """Return the state of the run."""
        found = list(self._progress())
        failures = list(self._unfinished(found))
        status = _status(found)
        cohort = [one for one in found if one.group.label is None]
        last_s = max((one.last_s for one in found if one.last_s is not None), default=None)
        written = [float(one.modified) for results in self._results.values() for one in results]
        ended = None if status == UNKNOWN else max([*written, last_s or 0.0, self._begun])
        stages = [stage for one in self._groups for stage in one.stages]
        return RunState(
            run=self._run.name,
            place=self._files.shown,
            pipeline=self._run.record.pipeline,
            status=status,
            started=self._begun,
            stopped=ended,
            map_runs=[_map_run(one, failures) for one in found if one.group.label is not None],
            cohort=[(one.group.stages[0], not one.undone) for one in cohort],
            checks=list(cohort_checks(self._files, [one.group.stages[0] for one in cohort])),
            failures=[one for one in failures if not one.pending],
            error=next((one.error for one in found if one.error), None),
            accepted=self._chain[-1].accepted,
            execution=self._chain[-1].name,
            executions=len(self._chain),
            missing=None if status == UNKNOWN else count_missing(self._files, failures),
            links={"execution": execution_link(self._chain[-1].arn)},
            stages=self._times.of(stages),
            last_record=max([*written, last_s or 0.0]) or None,
        )

    def failures(self) -> Iterator[ItemFailure]:
        """Yield every item that failed, never started or is not done any more."""
        yield from self._unfinished(list(self._progress()))

    def failed_items(self) -> list[ItemFailure]:
        """Return the items that failed by the result files, and the cohort by its record; no other record is read."""
        rows = [one for label in self._results for one in self._rows(label).values()]
        cohort = [stage for one in self._groups if one.label is None for stage in one.stages]
        undone = next((stage for stage in cohort if not self._files.are_done([stage], COHORT)), None)
        failure = recorded_failure(self._files, undone, COHORT) if undone else None
        if failure is not None:
            rows.append(ItemFailure(COHORT, failure, COHORT))
        undone_rows = (one for one in rows if one.scope == COHORT or not self._is_done(one))
        return [one for one in unfinished_items(self._files, self._groups, undone_rows) if not one.pending]

    def children(self) -> tuple[int, dict[str, int]]:
        """Return the number of executions, and that of the child executions by Label, as the result files have them.

        Raises:
            RunError: if a Map Run has no result files, so that its children are not known.
        """
        counts = {}
        for label, results in self._results.items():
            if not results:
                place = self._files.shown_key(run_layout.map_runs(label))
                raise RunError(f"{place}: expected result files, found none")
            rows = ((one, kind) for one in results for kind in ("SUCCEEDED", "FAILED"))
            counts[label] = sum(1 for one, kind in rows for _ in result_rows(self._files.store, one.details, kind))
        return len(self._chain), counts

    def _is_done(self, one: ItemFailure) -> bool:
        own = (group for group in self._groups if group.scope == one.scope)
        return all(self._files.are_done(group.stages, one.item) for group in own)

    def _progress(self) -> Iterator[_Progress]:
        """Yield what the records say of each group, in the order of the definition."""
        store, earlier_s = self._files.many_looks(), 0.0
        for group in self._groups:
            one = _Progress(group)
            for item, done in done_stages(self._files, group, lambda _: True, store):
                self._times.add(done.values())
                one.add(item, done)
            if group.label is None:
                # One that began before a task over an item did may have to be made again, of its new outputs.
                is_done = not one.undone and one.newest_s >= earlier_s
                one.status = "SUCCEEDED" if is_done else UNKNOWN
            else:
                self._set_end(one)
            earlier_s = max(earlier_s, one.newest_s)
            yield one

    def _set_end(self, one: _Progress) -> None:
        """Set the status of a Map Run, as its result files show it, and its items."""
        label = one.group.label or ""
        if not one.undone:
            one.status = "SUCCEEDED"
            return
        try:
            given = read_input(self._files.store, self._files.place.uri(self._newest_file(run_layout.INPUT)))
        except MissingObject:  # nothing was executed yet
            return
        rerun = len(self._chain) > 1
        results = [one for one in self._results[label] if not rerun or one.modified >= int(self._begun)]
        if len(results) < (max(given.parts, 1) if one.group.in_parts else 1):
            one.status = UNKNOWN if one.last_s is not None or results else "PENDING"
            return
        failed = sum(1 for item in results for _ in failures_in(self._files.store, item.details))
        of_samples = one.group.scope == "sample"
        total = sum(1 for _ in self._files.items_in(given.manifest)) if of_samples else one.total
        most = tolerated_samples(one.group.tolerated or given.tolerated, total)
        if failed > most:
            one.status, one.error = "FAILED", exceeded_words(one.group.scope, failed, total, most)
        else:
            one.status = "ABORTED" if self._has_pending(results) else "SUCCEEDED"

    def _has_pending(self, results: Iterable[WrittenResults]) -> bool:
        return any(True for one in results for _ in pending_in(self._files.store, one.details))

    def _newest_file(self, name: str) -> str:
        return run_layout.rerun_file(len(self._chain) - 1, name) if len(self._chain) > 1 else name

    def _rows(self, label: str) -> dict[tuple[str, str], ItemFailure]:
        """Return the newest failure of each item in the result files of a Label, by scope and item."""
        rows = (row for one in self._results[label] for row in failures_in(self._files.store, one.details))
        return {(row.scope, row.item): row for row in rows}

    def _unfinished(self, found: Sequence[_Progress]) -> Iterator[ItemFailure]:
        """Yield each item that is not done, once, with its failure, or as pending."""
        known = (end for one in found if one.undone for end in self._ends(one))
        unique = {(end.scope, end.item): end for end in known}
        yield from unfinished_items(self._files, self._groups, unique.values())

    def _ends(self, one: _Progress) -> Iterator[ItemFailure]:
        """Yield how each item of a group that is not done ended."""
        rows = self._rows(one.group.label) if one.group.label is not None else {}
        return self._files.each(lambda undone: self._end(one.group.scope, *undone, rows), one.undone.items())

    def _end(self, scope: str, item: str, stage: str, rows: Mapping[tuple[str, str], ItemFailure]) -> ItemFailure:
        """Return how an item that is not done ended.

        Args:
            scope: Its scope.
            item: The item.
            stage: Its first stage that is not done.
            rows: What the result files have of it.
        """
        if (row := rows.get((scope, item))) is not None:
            return row
        if (failure := recorded_failure(self._files, stage, item)) is not None:
            return ItemFailure(item, failure, scope)
        was_done = self._files.record(stage, item) is not None
        return ItemFailure(item, LOST if was_done else NOT_BEGUN, scope, pending=True)


def _status(found: Sequence[_Progress]) -> str:
    """Return the status of the newest execution, in the words of DescribeExecution, or `UNKNOWN`."""
    statuses = [one.status for one in found]
    failed = next((one for one in ("FAILED", "ABORTED") if one in statuses), None)
    return failed or ("SUCCEEDED" if set(statuses) == {"SUCCEEDED"} else UNKNOWN)


def _map_run(one: _Progress, failures: Iterable[ItemFailure]) -> MapRunState:
    failed = sum(1 for failure in failures if failure.item in one.undone and not failure.pending)
    return MapRunState(
        label=one.group.label or "",
        status=one.status,
        total=one.total,
        succeeded=one.total - len(one.undone),
        failed=failed,
        started=one.first_s,
        stopped=one.last_s,
    )

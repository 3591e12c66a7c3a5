"""The state of a run on AWS, from Step Functions, and its failures, from the files of ResultWriter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from genomics_pipeline.aws.console import execution_link, log_group_link, log_stream_link
from genomics_pipeline.aws.executions import describe
from genomics_pipeline.aws.map_runs import MapRuns
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.report.run_state import ItemFailure, MapRunState, Missing, RunState
from genomics_pipeline.report.stage_times import TimesByStage
from genomics_pipeline.runs.aws.chain import (
    aws_map_runs,
    execution_failure,
    results_not_written,
    started_chain,
    with_results,
    with_written_results,
)
from genomics_pipeline.runs.aws.queues import queue_states
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.cohort_checks import cohort_checks
from genomics_pipeline.runs.item_ends import count_missing, interrupted_items, unfinished_items
from genomics_pipeline.runs.lost_items import ended_groups, lost_items
from genomics_pipeline.runs.map_run_ends import (
    cohort_failures,
    failed_items,
    failed_items_of_child,
    joined_state,
    joined_statuses,
    map_run_state,
    pending_items,
)
from genomics_pipeline.runs.outcome import run_error, scopes_of
from genomics_pipeline.runs.reruns.chain import earlier_results, older_failures, since_whole
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.protocol import MissingObject, Store

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef


class AwsRunWatcher:
    """A watcher of the state of one run; it requests from AWS only what may have changed.

    Args:
        run: The run.
    """

    def __init__(self, run: AwsRun) -> None:
        self._run = run
        self._files = run.files
        self._groups = self._files.groups()
        self._chain = started_chain(run)
        self._newest = self._chain[-1]
        self._map_runs = MapRuns(self._newest.arn, run.clients)
        self._failures: dict[str, list[ItemFailure]] = {}
        before = earlier_results(self._files, since_whole(self._chain), partial(aws_map_runs, run))
        self._before, self._failed_before = before, self._unfinished_items(before.all_failures())

    def now(self, times: TimesByStage | None = None) -> RunState:
        """Return the present state of the run.

        Args:
            times: Gathers the times of the tasks whose records are read.

        Raises:
            RunError: if AWS cannot be reached.
        """
        run, times = self._run, TimesByStage() if times is None else times
        execution, described = self._look()
        failure, failures = execution_failure(execution), self._known_failures(execution, described)
        missing = self._count_missing(failures, described, execution, times)
        labels = [group.label for group in self._groups if group.label is not None]
        queues, problem = queue_states(run) if execution["status"] == "RUNNING" else ([], None)
        whole = next((one.failure for one in failures if one.scope == COHORT), failure)
        return RunState(
            run=run.name,
            place=self._files.shown,
            pipeline=run.record.pipeline,
            status=execution["status"],
            started=execution["startDate"].timestamp(),
            stopped=execution["stopDate"].timestamp() if "stopDate" in execution else None,
            map_runs=[self._before.with_newest(_state(one, described)) for one in labels],
            cohort=[(stage, self._files.are_done([stage], COHORT)) for stage in self._cohort_stages()],
            checks=[] if execution["status"] == "RUNNING" else list(cohort_checks(self._files, self._cohort_stages())),
            failures=[self._with_link(one) for one in failures if not one.pending],
            error=run_error(whole, described, scopes_of(self._files)) if failure and whole else None,
            accepted=self._newest.accepted,
            execution=self._newest.name,
            executions=len(self._chain),
            missing=missing,
            links=self._links(),
            stages=times.of(stage for group in self._groups for stage in group.stages),
            queues=queues,
            queues_problem=problem,
        )

    def failed_items(self) -> list[ItemFailure]:
        """Return the items that are known to have failed.

        Raises:
            RunError: if AWS cannot be reached.
        """
        return [one for one in self._known_failures(*self._look()) if not one.pending]

    def _look(self) -> tuple[DescribeExecutionOutputTypeDef, list[MapRunDescription]]:
        """Describe the newest execution, and its Map Runs: of each Label the newest, since a redrive may replace one.

        Where several divide the items of a Label among them, all.
        """
        execution = describe(self._newest.arn, self._run.clients)
        in_parts = {group.label for group in self._groups if group.in_parts}
        described = self._map_runs.describe()
        newest = {one.arn if one.label in in_parts else one.label: one for one in described}
        return execution, list(newest.values())

    def _known_failures(
        self, execution: DescribeExecutionOutputTypeDef, described: Sequence[MapRunDescription]
    ) -> list[ItemFailure]:
        once = cohort_failures(execution_failure(execution), self._cohort_stages())
        newest = (one for run in described for one in self._failures_of(run))
        return [*self._failed_before, *newest, *self._unfinished_items(once)]

    def _links(self) -> dict[str, str]:
        logs = log_group_link(self._run.names.log_group, self._run.partition, self._run.region)
        return {"execution": execution_link(self._newest.arn), "logs": logs}

    def _with_link(self, one: ItemFailure) -> ItemFailure:
        """Return a failure with the link to the log of its last attempt that has one."""
        stream = next(filter(None, reversed(one.failure.log_streams)), None)
        if stream is None:
            return one
        run = self._run
        return replace(one, log_link=log_stream_link(run.names.log_group, stream, run.partition, run.region))

    def all_failures(self) -> Iterator[ItemFailure]:
        """Yield the items of all children that failed or never started, in bounded memory.

        Of a running Map Run, only the latest failures are known.

        Raises:
            RunError: if AWS cannot be reached, or has not written the files of a Map Run that ended yet.
        """
        execution, described = self._look()
        try:
            yield from self._with_lost(self._all_items(execution, described), described, execution["status"])
        except MissingObject as error:
            raise results_not_written(error) from None

    def _all_items(
        self, execution: DescribeExecutionOutputTypeDef, described: Sequence[MapRunDescription]
    ) -> Iterator[ItemFailure]:
        failure = execution_failure(execution)
        yield from self._older_failures(failed_items)
        for run in described:
            if run.status == "RUNNING":
                yield from self._latest_items(run.arn)
            else:
                yield from failed_items(self._run.store, with_written_results(self._run, run, failure))
        yield from self._pending_items(described, failure)
        yield from cohort_failures(failure, self._cohort_stages())

    def _older_failures(
        self, read: Callable[[Store, MapRunDescription], Iterator[ItemFailure]]
    ) -> Iterator[ItemFailure]:
        return older_failures(self._files, since_whole(self._chain), partial(aws_map_runs, self._run), read)

    def _cohort_stages(self) -> list[str]:
        return [stage for group in self._groups if group.label is None for stage in group.stages]

    def _count_missing(
        self,
        failures: list[ItemFailure],
        described: Sequence[MapRunDescription],
        execution: DescribeExecutionOutputTypeDef,
        times: TimesByStage,
    ) -> Missing | None:
        if execution["status"] == "RUNNING":
            return None
        try:
            items = chain(failures, self._pending_items(described, execution_failure(execution)))
            return count_missing(self._files, self._with_lost(items, described, execution["status"], times))
        except MissingObject:  # see `_failures_of`
            return count_missing(self._files, failures)

    def _with_lost(
        self,
        items: Iterable[ItemFailure],
        described: Sequence[MapRunDescription],
        status: str,
        times: TimesByStage | None = None,
    ) -> Iterator[ItemFailure]:
        """Yield items that failed or are pending, then those that are not done any more.

        Args:
            items: The items that failed or are pending.
            described: The Map Runs of the newest execution.
            status: The status of the newest execution; while it is running, nothing counts as lost.
            times: Gathers the times of the tasks whose records are read.
        """
        known = set()
        for one in items:
            known.add((one.scope, one.item))
            yield one
        if status != "RUNNING":
            labels = {run.label for run in described} - {run.label for run in described if run.status == "RUNNING"}
            groups = ended_groups(self._groups, labels, status == "SUCCEEDED")
            yield from lost_items(self._files, groups, known, times)

    def _pending_items(self, described: Sequence[MapRunDescription], failure: Failure | None) -> Iterator[ItemFailure]:
        """Yield the items that never started, and those that no result file names.

        Args:
            described: The Map Runs of the newest execution.
            failure: The failure of the newest execution; None unless it failed.
        """
        yield from self._older_failures(pending_items)
        ended = [run for run in described if run.status != "RUNNING"]
        ended = [with_written_results(self._run, run, failure) for run in ended]
        for run in ended:
            yield from pending_items(self._run.store, run)
        if failure is not None:
            statuses = joined_statuses(ended)
            known = {one.item for one in cohort_failures(failure, self._cohort_stages())}
            yield from interrupted_items(self._files, self._groups, statuses, known, self._newest.manifest)

    def _failures_of(self, run: MapRunDescription) -> list[ItemFailure]:
        """Return the failures of a Map Run: all of them once its files are written, the latest ones until then."""
        arn = run.arn
        if run.status == "RUNNING":
            return self._latest_failures(arn) if run.executions.failed else []
        if arn not in self._failures:
            try:
                failures = failed_items(self._run.store, with_results(self._run, run))
                self._failures[arn] = self._unfinished_items(failures)
            except MissingObject:  # AWS may write the files after the end of the Map Run
                return self._latest_failures(arn)
        return self._failures[arn]

    def _latest_failures(self, arn: str) -> list[ItemFailure]:
        return self._unfinished_items(self._latest_items(arn))

    def _latest_items(self, arn: str) -> Iterator[ItemFailure]:
        return (one for child in self._map_runs.latest_failures(arn) for one in failed_items_of_child(*child))

    def _unfinished_items(self, failures: Iterable[ItemFailure]) -> list[ItemFailure]:
        return list(unfinished_items(self._files, self._groups, failures))


def _state(label: str, described: Sequence[MapRunDescription]) -> MapRunState:
    return joined_state(label, [map_run_state(one) for one in described if one.label == label])

"""The ends of Map Runs: their states, and the items that failed or never started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import item_id, items_of
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.result_files import newest_details, result_rows
from genomics_pipeline.report.run_state import ItemFailure, MapRunState
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.protocol import Store

NEVER_STARTED = Failure(FailureClass.CANCELLED, "never started: the Map Run ended first")


def map_run_state(run: MapRunDescription) -> MapRunState:
    """Return the state of a Map Run."""
    items = run.items
    return MapRunState(
        label=run.label,
        status=run.status,
        total=items.total,
        succeeded=items.succeeded,
        failed=items.unsuccessful,
        running=items.running,
        started=run.started,
        stopped=run.stopped,
        arn=run.arn,
    )


def joined_state(label: str, parts: Sequence[MapRunState]) -> MapRunState:
    """Return the state of the Map Runs that divide the items of a Label among them; of one, its own.

    Args:
        label: The Label.
        parts: Their states; none before they start.
    """
    if len(parts) < 2:
        return parts[0] if parts else MapRunState(label, "PENDING")
    statuses = [one.status for one in parts]
    totals = [one.total for one in parts]
    started = [one.started for one in parts if one.started is not None]
    stopped = [one.stopped for one in parts if one.stopped is not None]
    return MapRunState(
        label,
        next(one for one in ("RUNNING", "FAILED", "ABORTED", statuses[0]) if one in statuses),
        sum(filter(None, totals)) if None not in totals else None,
        sum(one.succeeded for one in parts),
        sum(one.failed for one in parts),
        sum(one.running for one in parts),
        min(started, default=None),
        max(stopped) if len(stopped) == len(parts) else None,
        parts=tuple(parts),
    )


def joined_statuses(runs: Iterable[MapRunDescription]) -> dict[str, str]:
    """Return the status by Label of Map Runs that have ended and written their result files."""
    by_label: dict[str, list[MapRunState]] = {}
    for run in runs:
        if run.results is not None:
            by_label.setdefault(run.label, []).append(map_run_state(run))
    return {label: joined_state(label, parts).status for label, parts in by_label.items()}


def failed_items(store: Store, run: MapRunDescription) -> Iterator[ItemFailure]:
    """Yield the items that failed in a Map Run that ended, from its result files."""
    if run.executions.unsuccessful and run.results is not None:
        yield from failures_in(store, newest_details(store, run.results))


def pending_items(store: Store, run: MapRunDescription) -> Iterator[ItemFailure]:
    """Yield the items that never started in a Map Run that ended, from its result files."""
    if run.status != "SUCCEEDED" and run.results is not None:
        yield from pending_in(store, newest_details(store, run.results))


def failures_in(store: Store, details: Mapping[str, str]) -> Iterator[ItemFailure]:
    """Yield the items that failed, of the result files of a Map Run; see `result_rows`."""
    for row in result_rows(store, details, "FAILED"):
        yield from _item_failures(row.items(), classify(row.error, row.cause))


def pending_in(store: Store, details: Mapping[str, str]) -> Iterator[ItemFailure]:
    """Yield the items that never started, of the result files of a Map Run; see `result_rows`."""
    for row in result_rows(store, details, "PENDING"):
        yield from (replace(one, pending=True) for one in _item_failures(row.items(), NEVER_STARTED))


def failed_and_pending_items(store: Store, run: MapRunDescription) -> Iterator[ItemFailure]:
    """Yield the items that failed in a Map Run that ended, then those that never started."""
    yield from failed_items(store, run)
    yield from pending_items(store, run)


def failed_items_of_child(child_input: str, error: str, cause: str) -> Iterator[ItemFailure]:
    """Yield the items of a child execution that failed.

    Args:
        child_input: The input of the child, as JSON text.
        error: The error of the child.
        cause: The cause of the child.
    """
    yield from _item_failures(items_of(child_input), classify(error, cause))


def cohort_failures(failure: Failure | None, stages: Sequence[str]) -> list[ItemFailure]:
    """Return the failure of an execution as that of the cohort if a stage that runs once failed; otherwise none.

    Args:
        failure: The failure of the execution; None unless it failed.
        stages: The stages that run once.
    """
    return [ItemFailure(COHORT, failure, COHORT)] if failure and failure.stage in stages else []


def _item_failures(items: Sequence[Mapping[str, Any]], failure: Failure) -> Iterator[ItemFailure]:
    for item in items:
        scope = next(scope for scope in run_layout.ITEM_FILES if scope in item)
        yield ItemFailure(item_id(item), failure, scope, of_batch=len(items) > 1)

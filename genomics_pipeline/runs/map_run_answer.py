"""DescribeMapRun's answers, AWS's and our engine's, as a run's state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure, classify
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import item_id, items_of
from genomics_pipeline.records.result_files import newest_details, result_rows
from genomics_pipeline.runs.run_files import COHORT
from genomics_pipeline.runs.run_state import ItemFailure, MapRunState
from genomics_pipeline.stores.protocol import Store

NEVER_STARTED = Failure(FailureClass.CANCELLED, "never started: the Map Run ended before its turn came")


def map_run_state(answer: Mapping[str, Any]) -> MapRunState:
    """The state of a Map Run."""
    items = answer["itemCounts"]
    return MapRunState(
        label=map_run_label(answer["mapRunArn"]),
        status=answer["status"],
        total=items["total"],
        succeeded=items["succeeded"],
        failed=items["failed"] + items["timedOut"] + items["aborted"],
        running=items["running"],
        started=_seconds(answer["startDate"]),
        stopped=_seconds(answer.get("stopDate")),
    )


def map_run_label(arn: str) -> str:
    """The Label in a Map Run's ARN.

    >>> map_run_label("arn:aws:states:us-east-1:000000000000:mapRun:germline/Sample:c24b")
    'Sample'
    """
    return arn.rpartition("/")[2].partition(":")[0]


def failures_of(store: Store, answer: Mapping[str, Any]) -> Iterator[ItemFailure]:
    """The items that failed in a Map Run that ended.

    Args:
        store: Where the result files lie.
        answer: DescribeMapRun's, with ``resultWriterDetails``.
    """
    failed = answer["executionCounts"]
    if not (failed["failed"] or failed["timedOut"] or failed["aborted"]) or "resultWriterDetails" not in answer:
        return
    for row in result_rows(store, newest_details(store, answer["resultWriterDetails"]), "FAILED"):
        yield from _of_items(row.items(), classify(row.error, row.cause))


def pending_of(store: Store, answer: Mapping[str, Any]) -> Iterator[ItemFailure]:
    """The items that were never started in a Map Run that ended.

    Args:
        store: Where the result files lie.
        answer: DescribeMapRun's, with ``resultWriterDetails``.
    """
    if answer["status"] != "SUCCEEDED" and "resultWriterDetails" in answer:
        for row in result_rows(store, newest_details(store, answer["resultWriterDetails"]), "PENDING"):
            yield from (replace(one, pending=True) for one in _of_items(row.items(), NEVER_STARTED))


def not_done_of(store: Store, answer: Mapping[str, Any]) -> Iterator[ItemFailure]:
    """Both."""
    yield from failures_of(store, answer)
    yield from pending_of(store, answer)


def failures_of_child(given: str, error: str, cause: str) -> Iterator[ItemFailure]:
    """The items of a child that failed.

    Args:
        given: Its input, JSON text.
        error: Its error.
        cause: Its cause.
    """
    yield from _of_items(items_of(given), classify(error, cause))


def _of_items(items: Sequence[Mapping[str, Any]], failure: Failure) -> Iterator[ItemFailure]:
    for item in items:
        scope = next(scope for scope in run_layout.ITEM_FILES if scope in item)
        yield ItemFailure(item_id(item), failure, scope, of_batch=len(items) > 1)


def failures_once(failure: Failure | None, stages: Sequence[str]) -> list[ItemFailure]:
    """Why an execution failed, where a stage that runs once did.

    Args:
        failure: Its failure.
        stages: Those stages.
    """
    return [ItemFailure(COHORT, failure, COHORT)] if failure and failure.stage in stages else []


def _seconds(moment: Any) -> float | None:
    """boto3 gives a datetime, our engine its text."""
    if moment is None or isinstance(moment, datetime):
        return moment.timestamp() if moment else None
    return datetime.fromisoformat(moment).timestamp()

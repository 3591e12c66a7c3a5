"""Redrive of a run on AWS: AWS continues its execution where it failed, or the redrive is refused with a reason.

Sources: developer guide, "Restarting state machine executions with redrive" and "Redriving Map Runs".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from genomics_pipeline.aws.executions import (
    NotRedrivable,
    find_execution,
    read_definition,
    redrive_execution,
)
from genomics_pipeline.aws.map_runs import MapRuns
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.aws.chain import started_chain
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.aws.state import AwsRunWatcher
from genomics_pipeline.runs.redrive import RedriveOutcome, RedriveRequest
from genomics_pipeline.runs.unrecorded_attempts import record_unrecorded

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

    Described = DescribeExecutionOutputTypeDef

THRESHOLD_EXCEEDED = "States.ExceedToleratedFailureThreshold"
EXPRESSION_FAILED = (
    "An error occurred while executing the state"  # begins the cause of States.Runtime for an expression
)
FAILS_AGAIN = "a redrive would only enter that state again"


class _Refusal(Exception):
    """A refusal to redrive a run.

    Attributes:
        reason: The reason for programs; see `RedriveOutcome.reason`.
        message: The reason for people.
        rerun: Whether a rerun would help.
    """

    def __init__(self, reason: str, message: str, rerun: bool = True) -> None:
        super().__init__(message)
        self.reason, self.message, self.rerun = reason, message, rerun


def redrive(run: AwsRun, request: RedriveRequest) -> RedriveOutcome:
    """Redrive the newest execution of a run, if AWS can do so and it would help.

    Raises:
        RunError: if AWS cannot be reached, or refuses for a reason other than the state of the execution.
    """
    arn = _arn(run)
    execution = find_execution(arn, run.clients, "ALL_DATA")
    before = RedriveOutcome(run.name, "UNKNOWN" if execution is None else execution["status"])
    try:
        if execution is None:
            why = f"it was never started, or ended more than {quotas.RETENTION_DAYS} ago"
            raise _Refusal("GONE", f"AWS has no record of an execution of it: {why}")
        count = execution.get("redriveCount", 0)
        before = replace(before, redrive_count=count)
        _check(run, execution, request)
        record_unrecorded(run.files, AwsRunWatcher(run).all_failures())
        try:
            date = redrive_execution(arn, _token(arn, count), run.clients)
        except NotRedrivable as error:  # the state of the execution has changed since
            raise _refusal_by_aws(run, execution, str(error)) from None
    except _Refusal as refusal:
        rerun = _rerun_command(run) if refusal.rerun else None
        return replace(before, reason=refusal.reason, message=refusal.message, rerun=rerun)
    return RedriveOutcome(run.name, "RUNNING", True, count + 1, date.isoformat())


def _arn(run: AwsRun) -> str:
    """Return the ARN of the newest execution."""
    return started_chain(run)[-1].arn


def _token(arn: str, count: int) -> str:
    """Return the client token of a redrive: a request that is sent twice with the same token redrives once."""
    return sha256(f"{arn} {count}".encode()).hexdigest()


def _rerun_command(run: AwsRun) -> str:
    stack = run.record.stack
    return command_line("rerun", run.name, *([] if stack == DEFAULT_STACK else ["--stack", stack]))


def _check(run: AwsRun, execution: Described, request: RedriveRequest) -> None:
    """Refuse an execution that AWS cannot redrive, that a redrive would not help, or that the user has to confirm.

    Args:
        run: The run.
        execution: The newest execution, as DescribeExecution describes it.
        request: The consequences that the user accepts.

    Raises:
        _Refusal: with the reason.
    """
    if execution["status"] == "PENDING_REDRIVE":
        raise _refusal_by_aws(run, execution, "Execution is RUNNING and cannot be redriven")
    if execution.get("redriveStatus") == "NOT_REDRIVABLE":
        raise _refusal_by_aws(run, execution, execution.get("redriveStatusReason", ""))
    error, cause = execution.get("error", ""), execution.get("cause", "")
    if needs_new_map_run(error, cause) and not request.all_items:
        raise _Refusal(
            "ALL_ITEMS",
            f"it ended with {error}, after which AWS does not continue the Map Run but starts one over all items; "
            "--all-items accepts that",
        )
    own = read_run_definition(run.store, run.place.uri(run_layout.DEFINITION))
    _check_fail_states(run, error, cause, own)
    if not request.keep_definition:
        _check_definition(run, own)


def needs_new_map_run(error: str, cause: str) -> bool:
    """Return whether AWS, after such an error, redrives an execution with another Map Run over all items.

    >>> needs_new_map_run("States.DataLimitExceeded", "too large")
    True
    >>> needs_new_map_run("States.Runtime", "Error contacting AWS")
    False
    """
    expression_failed = error == "States.Runtime" and cause.startswith(EXPRESSION_FAILED)
    return error in ("States.DataLimitExceeded", "States.QueryEvaluationError") or expression_failed


def _refusal_by_aws(run: AwsRun, execution: Described, reason: str) -> _Refusal:
    """Return the refusal for a ``redriveStatusReason`` of AWS.

    Args:
        run: The run.
        execution: The newest execution, as DescribeExecution describes it.
        reason: The ``redriveStatusReason``.
    """
    if reason.startswith("Execution is SUCCEEDED"):
        return _refusal_of_success(run)
    if reason.startswith("Execution is RUNNING"):
        return _Refusal("RUNNING", "it is running", rerun=False)
    if reason.startswith("Execution redrivable period exceeded"):
        return _Refusal(
            "TOO_OLD", f"it ended on {_day(execution['stopDate'])}, and AWS redrives for {quotas.REDRIVE_DAYS} only"
        )
    if reason.startswith("Execution has exceeded the max execution time"):
        limit = "and AWS redrives no execution that is older than a year"
        return _Refusal("TOO_LONG_OPEN", f"it was started on {_day(execution['startDate'])}, {limit}")
    if reason.startswith("Execution history event limit exceeded"):
        return _Refusal(
            "HISTORY", f"its history is full: AWS redrives below {quotas.REDRIVE_HISTORY.value + 1:,} events"
        )
    return _Refusal("OTHER", f"AWS does not redrive it: {reason or 'it gives no reason'}")


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _refusal_of_success(run: AwsRun) -> _Refusal:
    failed = sum(one.items.unsuccessful for one in MapRuns(_arn(run), run.clients).describe())
    if not failed:
        return _Refusal("SUCCEEDED", "it succeeded, and no item failed", rerun=False)
    succeeded = f"it succeeded, with {quantity(failed, 'failed item')} tolerated"
    return _Refusal("SUCCEEDED", f"{succeeded}; AWS redrives only executions that did not succeed")


def _check_fail_states(run: AwsRun, error: str, cause: str, own: Mapping[str, Any]) -> None:
    """Refuse failures that were caught and led to a Fail state, because AWS would only enter the Fail state again.

    Args:
        run: The run.
        error: The error of the execution.
        cause: The cause of the execution.
        own: The definition of the run.
    """
    stage = classify(error, cause).stage
    if stage is not None:
        raise _Refusal("FAIL_STATE", f"the failure of {stage} was caught and led to a Fail state, and {FAILS_AGAIN}")
    if error != THRESHOLD_EXCEEDED:
        return
    described = MapRuns(_arn(run), run.clients).describe()
    newest = next((one for one in reversed(described) if one.status == "FAILED"), described[-1])
    processor = next(state.processor for state in walk_states(own) if state.node.get("Label") == newest.label)
    if processor and any(state.kind == "Fail" for state in processor.states()):
        raise _Refusal(
            "FAIL_STATE",
            f"{quantity(newest.items.failed, 'item')} of {newest.label} failed, more than are tolerated; "
            f"each ended in a Fail state, and {FAILS_AGAIN}",
        )


def _check_definition(run: AwsRun, own: Mapping[str, Any]) -> None:
    """Refuse a run whose definition is not the deployed one."""
    deployed = read_definition(run.record.state_machine_arn, run.clients)
    if deployed is None:
        raise _Refusal("DEFINITION", "its state machine is no longer deployed; --keep-definition redrives it anyway")
    if json.loads(deployed) != own:
        raise _Refusal(
            "DEFINITION",
            "another definition is deployed now: a redrive would run the old one, a rerun the new one; "
            "--keep-definition redrives it anyway",
        )

"""Redrive of a run on AWS: its execution continues where it failed; otherwise the reason, and what helps instead.

What AWS redrives, and how: developer guide, "Restarting state machine executions with redrive", "Redriving Map Runs".
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
from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.runs.aws.chain import started_chain
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.redrive import RedriveOutcome, RedriveRequest

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

    Described = DescribeExecutionOutputTypeDef

THRESHOLD_EXCEEDED = "States.ExceedToleratedFailureThreshold"
WITHIN = "An error occurred while executing the state"  # how AWS's causes of States.Runtime begin for an expression
FAIL_AGAIN = "AWS would only enter that state again, which fails again"


class _Refusal(Exception):
    """A reason why a run is not redriven.

    Attributes:
        reason: One word for programs.
        message: For people.
        rerun: Whether a rerun helps.
    """

    def __init__(self, reason: str, message: str, rerun: bool = True) -> None:
        super().__init__(message)
        self.reason, self.message, self.rerun = reason, message, rerun


def redrive(run: AwsRun, request: RedriveRequest) -> RedriveOutcome:
    """Redrive the newest execution of a run, if that is allowed and useful.

    Raises:
        RunError: if AWS cannot be asked, or refuses for a reason that is not the execution's.
    """
    arn = _arn(run)
    execution = find_execution(arn, run.clients, "ALL_DATA")
    before = RedriveOutcome(run.name, "UNKNOWN" if execution is None else execution["status"])
    try:
        if execution is None:
            known = f"it was never started, or ended more than {quotas.RETENTION_DAYS} ago"
            raise _Refusal("GONE", f"AWS knows no execution of it any more: {known}")
        count = execution.get("redriveCount", 0)
        before = replace(before, redrive_count=count)
        _check(run, execution, request)
        try:
            date = redrive_execution(arn, _token(arn, count), run.clients)
        except NotRedrivable as refused:  # it changed meanwhile
            raise _by_aws(run, execution, str(refused)) from None
    except _Refusal as refusal:
        rerun = _rerun(run) if refusal.rerun else None
        return replace(before, reason=refusal.reason, message=refusal.message, rerun=rerun)
    return RedriveOutcome(run.name, "RUNNING", True, count + 1, date.isoformat())


def _arn(run: AwsRun) -> str:
    """Return the ARN of the newest execution."""
    return started_chain(run)[-1].arn


def _token(arn: str, count: int) -> str:
    """Return a token that is the same for the same redrive: a request that is sent twice redrives once."""
    return sha256(f"{arn} {count}".encode()).hexdigest()


def _rerun(run: AwsRun) -> str:
    stack = run.record.stack
    return f"genomics-pipeline rerun {run.name}{'' if stack == DEFAULT_STACK else f' --stack {stack}'}"


def _check(run: AwsRun, execution: Described, request: RedriveRequest) -> None:
    """Refuse what AWS does not redrive, what a redrive does not help, and what a user has to agree to."""
    if execution["status"] == "PENDING_REDRIVE":
        raise _by_aws(run, execution, "Execution is RUNNING and cannot be redriven")
    if execution.get("redriveStatus") == "NOT_REDRIVABLE":
        raise _by_aws(run, execution, execution.get("redriveStatusReason", ""))
    error, cause = execution.get("error", ""), execution.get("cause", "")
    if needs_new_map_run(error, cause) and not request.all_items:
        raise _Refusal(
            "ALL_ITEMS",
            f"it ended with {error}, after which AWS does not go on with the Map Run but begins one over all items; "
            "--all-items agrees to that",
        )
    own = json.loads(run.store.read(run.place.uri(run_layout.DEFINITION)))
    _check_fail_states(run, error, cause, own)
    if not request.keep_definition:
        _check_definition(run, own)


def needs_new_map_run(error: str, cause: str) -> bool:
    """Return whether AWS would redrive an execution that ended so with another Map Run, over all items.

    >>> needs_new_map_run("States.DataLimitExceeded", "too large")
    True
    >>> needs_new_map_run("States.Runtime", "Error contacting AWS")
    False
    """
    interpolation = error == "States.Runtime" and cause.startswith(WITHIN)
    return error in ("States.DataLimitExceeded", "States.QueryEvaluationError") or interpolation


def _by_aws(run: AwsRun, execution: Described, reason: str) -> _Refusal:
    """Return the refusal that a ``redriveStatusReason`` means."""
    if reason.startswith("Execution is SUCCEEDED"):
        return _succeeded(run)
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
    return _Refusal("OTHER", f"AWS does not redrive it: {reason or 'it does not say why'}")


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _succeeded(run: AwsRun) -> _Refusal:
    failed = sum(one.items.unsuccessful for one in MapRuns(_arn(run), run.clients).describe())
    if not failed:
        return _Refusal("SUCCEEDED", "it succeeded, and nothing in it failed", rerun=False)
    succeeded = f"it succeeded, with {failed} failed item{'' if failed == 1 else 's'} tolerated"
    return _Refusal("SUCCEEDED", f"{succeeded}; AWS redrives only what did not succeed")


def _check_fail_states(run: AwsRun, error: str, cause: str, own: Mapping[str, Any]) -> None:
    """Refuse failures that were caught and led to a Fail state, which is not tried again: see `FAIL_AGAIN`."""
    stage = classify(error, cause).stage
    if stage is not None:
        raise _Refusal("FAIL_STATE", f"the failure of {stage} was caught and led to a Fail state, and {FAIL_AGAIN}")
    if error != THRESHOLD_EXCEEDED:
        return
    (*_, newest) = MapRuns(_arn(run), run.clients).describe()
    processor = next(state.processor for state in walk_states(own) if state.node.get("Label") == newest.label)
    if processor and any(state.kind == "Fail" for state in processor.states()):
        raise _Refusal(
            "FAIL_STATE",
            f"{newest.items.failed} items of {newest.label} failed, more than are tolerated; "
            f"each ended in a Fail state, and {FAIL_AGAIN}",
        )


def _check_definition(run: AwsRun, own: Mapping[str, Any]) -> None:
    deployed = read_definition(run.record.state_machine_arn, run.clients)
    if deployed is None:
        raise _Refusal("DEFINITION", "its state machine is no longer deployed; --keep-definition redrives all the same")
    if json.loads(deployed) != own:
        raise _Refusal(
            "DEFINITION",
            "another definition is deployed now: a redrive would run the old one, a rerun the new one; "
            "--keep-definition redrives all the same",
        )

"""Executions of the stack's state machines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import RunError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import IncludedDataType
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef, ExecutionListItemTypeDef

ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
STATUSES = ("RUNNING", *ENDS, "PENDING_REDRIVE")
_INVALID = " invalid for redrive as: "  # recorded: "Execution ARN invalid for redrive as: REASON"


class NotRedrivable(Exception):
    """An execution that AWS does not redrive, with its ``redriveStatusReason``."""


def read_definition(arn: str, clients: Clients) -> str | None:
    """Return the definition of a state machine; None if there is no such state machine.

    Raises:
        RunError: if the call fails.
    """
    states = clients.states
    with aws_call(f"read the state machine {arn}"):
        try:
            return states.describe_state_machine(stateMachineArn=arn)["definition"]
        except states.exceptions.StateMachineDoesNotExist:
            return None


def find_execution(
    arn: str, clients: Clients, included: IncludedDataType = "METADATA_ONLY"
) -> DescribeExecutionOutputTypeDef | None:
    """Return the answer of DescribeExecution; None for an execution that was never started or has expired.

    Args:
        arn: The execution.
        clients: The AWS clients.
        included: ``ALL_DATA`` for input, output and cause too.

    Raises:
        RunError: if the call fails.
    """
    states = clients.states
    with aws_call(f"describe the execution {arn}"):
        try:
            return states.describe_execution(executionArn=arn, includedData=included)
        except states.exceptions.ExecutionDoesNotExist:
            return None


def describe(arn: str, clients: Clients) -> DescribeExecutionOutputTypeDef:
    """Return the answer of DescribeExecution with input and cause.

    Raises:
        RunError: if the call fails, or there is no such execution.
    """
    description = find_execution(arn, clients, "ALL_DATA")
    if description is None:
        message = f"it was never started, or ended more than {quotas.RETENTION_DAYS} ago"
        raise RunError(f"{arn}: expected an execution, found none: {message}; submit the run again")
    return description


def start_execution(machine: str, name: str, text: str, clients: Clients) -> bool:
    """Start an execution.

    Returns:
        True if it was started or already runs with this input; False if another execution has the name.

    Raises:
        RunError: if AWS refuses.
    """
    states = clients.states
    with aws_call(f"start the execution {name}"):
        try:
            states.start_execution(stateMachineArn=machine, name=name, input=text)
        except states.exceptions.ExecutionAlreadyExists:
            return False
    return True


def stop_execution(arn: str, cause: str, clients: Clients) -> None:
    """Stop an execution, its Map Runs and their children.

    Raises:
        RunError: if AWS refuses.
    """
    with aws_call(f"stop the execution {arn}"):
        clients.states.stop_execution(executionArn=arn, error="Cancelled", cause=cause)


def redrive_execution(arn: str, token: str, clients: Clients) -> datetime:
    """Redrive an execution that failed, timed out or was aborted: it continues where it ended.

    Args:
        arn: The execution.
        token: ``clientToken``; for 15 minutes, a second call with the same token does nothing.
        clients: The AWS clients.

    Returns:
        The time of the redrive.

    Raises:
        NotRedrivable: if AWS does not redrive it.
        RunError: if the call fails.
    """
    states = clients.states
    with aws_call(f"redrive the execution {arn}"):
        try:
            return states.redrive_execution(executionArn=arn, clientToken=token)["redriveDate"]
        except states.exceptions.ExecutionNotRedrivable as error:
            raise NotRedrivable(error.response["Error"]["Message"].rpartition(_INVALID)[2]) from None
        except states.exceptions.ExecutionLimitExceeded:
            limit = "the account has its maximum number of open executions; try again after some have ended"
            raise RunError(f"cannot redrive the execution {arn}: {limit}") from None


def list_executions(machine: str, clients: Clients) -> Iterator[ExecutionListItemTypeDef]:
    """Yield the executions of a state machine, the newest first; each request returns a thousand.

    Raises:
        RunError: if the call fails.
    """
    pages = clients.states.get_paginator("list_executions").paginate(stateMachineArn=machine)
    with aws_call(f"list the executions of {machine}"):
        for page in pages:
            yield from page["executions"]

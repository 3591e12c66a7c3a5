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
    """AWS does not redrive an execution; its ``redriveStatusReason``."""


def read_definition(arn: str, clients: Clients) -> str | None:
    """The definition of a state machine; None where there is none.

    Raises:
        RunError: if AWS cannot be asked.
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
    """What AWS says of an execution; None where it knows none: never started, or long ended.

    Args:
        arn: The execution.
        clients: boto3's.
        included: Whether its input, output and cause come too: ``ALL_DATA``.

    Raises:
        RunError: if AWS cannot be asked.
    """
    states = clients.states
    with aws_call(f"ask for the execution {arn}"):
        try:
            return states.describe_execution(executionArn=arn, includedData=included)
        except states.exceptions.ExecutionDoesNotExist:
            return None


def describe(arn: str, clients: Clients) -> DescribeExecutionOutputTypeDef:
    """An execution with its input and cause.

    Raises:
        RunError: if AWS cannot be asked, or does not know it.
    """
    found = find_execution(arn, clients, "ALL_DATA")
    if found is None:
        message = f"it was never started, or ended more than {quotas.RETENTION_DAYS} ago"
        raise RunError(f"{arn}: expected an execution, found none: {message}; submit the run again")
    return found


def start_execution(machine: str, name: str, text: str, clients: Clients) -> bool:
    """Start an execution.

    Returns:
        Whether one of that name could be started, or runs with this input already.

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
    """Go on with an execution that failed, timed out or was aborted, where it stood.

    Args:
        arn: The execution.
        token: ``clientToken``: the same again redrives nothing, for 15 minutes.
        clients: boto3's.

    Returns:
        When it was redriven.

    Raises:
        NotRedrivable: if AWS does not redrive it.
        RunError: if AWS cannot be asked, or refuses.
    """
    states = clients.states
    with aws_call(f"redrive the execution {arn}"):
        try:
            return states.redrive_execution(executionArn=arn, clientToken=token)["redriveDate"]
        except states.exceptions.ExecutionNotRedrivable as error:
            raise NotRedrivable(error.response["Error"]["Message"].rpartition(_INVALID)[2]) from None
        except states.exceptions.ExecutionLimitExceeded:
            limit = "as many executions are open as this account may have"
            raise RunError(f"cannot redrive the execution {arn}: {limit}; try again when some have ended") from None


def list_executions(machine: str, clients: Clients) -> Iterator[ExecutionListItemTypeDef]:
    """The executions of a state machine, the newest first; a thousand come with a request.

    Raises:
        RunError: if AWS cannot be asked.
    """
    pages = clients.states.get_paginator("list_executions").paginate(stateMachineArn=machine)
    with aws_call(f"list the executions of {machine}"):
        for page in pages:
            yield from page["executions"]
